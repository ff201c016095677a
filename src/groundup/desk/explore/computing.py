"""Runs an explorable's `compute` in the sandbox, on the reference or on what the learner has built.

A child stays warm for each explorable and library: moving a slider costs what the computation costs. A child that has
died, or whose files have changed, gives way to a new one.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...course.holes.library import Problem, assemble, check_imports, module_name, read_text
from ...course.judging.answers import of_raised
from ...course.lessons.extras import how_to_get, missing
from ...course.lessons.lesson import Lesson, find
from ...course.lessons.probes import allowed_names, cut
from ...course.sandbox.frames import FrameError
from ...course.sandbox.host import Child, ChildDied, ChildLate, Sandbox, profile_of
from ...course.workspace.workspace import find_workspace
from ...lab.sqlite import StoreError
from .explorable import Drawn, Explorable

WARM = 4  # children that are kept
CPU = 600  # seconds of processor time for a child that lives long
LOAD_SECONDS = 8.0
PROFILES = ("numpy", "torch")  # of the sandbox
KEPT = 256  # drawings
LARGEST = 2 << 20  # characters of a drawing
LONGEST = 5000  # rows of a table
MOST = 400_000  # numbers and characters of what is found: more is not for a picture
ASK = '''
_given = {{}}

def _ask(lib, what, values):
    """Takes the data that stays, or computes."""
    if what == "given":
        _given.update(values)
        return None
    return {compute}(lib, **values, **_given)
'''


class NotComputed(Exception):
    """Why there is no picture, in one sentence."""


@dataclass(frozen=True)
class Sources:
    """A library to compute on, and the probe: what a child is told, and the mark by which it is known."""

    modules: dict[str, tuple[str, str]]
    probe: str
    mark: str


@dataclass
class Warm:
    """A child that has a library and a probe."""

    child: Child
    mark: str
    answered: bool = False


class Computing:
    """Computes and draws explorables for one workspace. May be shared between threads: one computes at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._sandboxes: dict[str, Sandbox] = {}
        self._started: set[str] = set()  # profiles that have had a child
        self._children: OrderedDict[tuple[str, bool], Warm] = OrderedDict()
        self._drawn: OrderedDict[tuple[str, str, str], Drawn] = OrderedDict()

    def close(self) -> None:
        """Ends every process that was started here."""
        with self._lock:
            for warm in self._children.values():
                warm.child.close()
            for sandbox in self._sandboxes.values():
                sandbox.close()
            self._children.clear()
            self._sandboxes.clear()

    def built(self, explorable: Explorable) -> list[str]:
        """Which of the explorable's files the learner does not have yet."""
        mine = self.root / "mine"
        return [path for path in explorable.modules if not (mine / path).is_file()]

    def starting(self, explorable: Explorable) -> bool:
        """Whether a picture would take seconds, because nothing has imported torch yet."""
        profile = profile_for(explorable)
        return profile == "torch" and profile not in self._started

    def drawn(self, explorable: Explorable, values: Mapping[str, Any], mine: bool = False) -> Drawn:
        """The picture for the values of the controls; NotComputed if there is none."""
        sources = self._sources(explorable, mine)
        key = (explorable.name, sources.mark, json.dumps(values, sort_keys=True))
        with self._lock:
            if key in self._drawn:
                self._drawn.move_to_end(key)
                return self._drawn[key]
            found = self._found(explorable, sources, values, mine)
        try:
            drawn = explorable.draw(values, found)
        except Exception as problem:  # what came is not of the form that is drawn
            if not mine:
                raise
            says = f"what your code gave is not what this picture draws ({type(problem).__name__}: {problem})"
            raise NotComputed(says[:400]) from None
        if len(drawn.svg) > LARGEST or len(drawn.table) > LONGEST:
            raise NotComputed("what came is far more than a picture can show")
        with self._lock:
            self._drawn[key] = drawn
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return drawn

    def found(self, explorable: Explorable, values: Mapping[str, Any], mine: bool = False) -> dict[str, Any]:
        """What `compute` gives for the values of the controls; NotComputed if it gives nothing."""
        sources = self._sources(explorable, mine)
        with self._lock:
            return self._found(explorable, sources, values, mine)

    def _found(self, explorable: Explorable, sources: Sources, values: Mapping[str, Any], mine: bool) -> dict[str, Any]:
        case = {"what": "compute", "values": dict(values)}
        request = {"do": "answer", "probe": "compute", "package": "mine", "cases": [case]}
        for fresh in (False, True):
            warm = self._warm(explorable, sources, values, mine)
            try:
                answer = warm.child.request(request, explorable.seconds)
                break
            except ChildLate:
                self._end(explorable, mine)
                says = f"no answer within {explorable.seconds:g} s: an endless loop, or far more work than this picture needs"
                raise NotComputed(says) from None
            except ChildDied as died:
                self._end(explorable, mine)
                if fresh or not warm.answered:  # one that had answered before may have been at the end of its strength
                    raise NotComputed(died.reason) from None
        warm.answered = True
        if "raised" in answer:
            raise NotComputed(_said(answer))
        found = answer.get("value")
        if not isinstance(found, dict):
            raise NotComputed("what came is not of the form that this picture draws")
        if _weight(found) > MOST:
            raise NotComputed("what came is far more than a picture can show")
        return found

    def _warm(self, explorable: Explorable, sources: Sources, values: Mapping[str, Any], mine: bool) -> Warm:
        """A child that has the library, the probe and the data."""
        key = (explorable.name, mine)
        chosen = {name: values[name] for name in explorable.given_by}
        mark = sources.mark + json.dumps(chosen)
        warm = self._children.get(key)
        if warm is not None and warm.mark == mark:
            self._children.move_to_end(key)
            return warm
        self._end(explorable, mine)
        while len(self._children) >= WARM:
            self._children.popitem(last=False)[1].child.close()
        profile = profile_for(explorable)
        child = self._sandbox(profile).child(_allows(explorable), CPU)
        self._started.add(profile)
        warm = self._children[key] = Warm(child, mark)
        try:
            for request in _greeting(explorable, sources, chosen):
                answer = child.request(request, LOAD_SECONDS)
                if "raised" in answer:
                    raise NotComputed(_said(answer, importing=True))
        except NotComputed:
            self._end(explorable, mine)
            raise
        except (ChildLate, ChildDied, FrameError) as problem:
            self._end(explorable, mine)
            why = "importing the file did not end" if isinstance(problem, ChildLate) else str(problem)
            raise NotComputed(why) from None
        return warm

    def _sandbox(self, profile: str) -> Sandbox:
        if profile not in self._sandboxes:
            self._sandboxes[profile] = Sandbox(profile)
        return self._sandboxes[profile]

    def _end(self, explorable: Explorable, mine: bool) -> None:
        warm = self._children.pop((explorable.name, mine), None)
        if warm is not None:
            warm.child.close()

    def _sources(self, explorable: Explorable, mine: bool) -> Sources:
        """The library and the probe as texts. NotComputed for a file that cannot be read or imports what it must not."""
        lesson = find(explorable.lesson)
        if absent := missing(_allows(explorable)):
            raise NotComputed(
                f"this picture is computed with {absent[0]}, which is not installed: {how_to_get(absent[0])}"
            )
        probe, named = _probe(explorable)
        wanted = [*map(module_name, explorable.modules), *named]
        if not mine:
            return _marked(assemble(wanted, {}, frozenset()), probe)
        try:
            return _marked(assemble(wanted, self._own(lesson), frozenset(map(module_name, explorable.modules))), probe)
        except Problem as problem:
            where = f"{problem.file}, line {problem.line}" if problem.line else problem.file
            raise NotComputed(f"{where}: {problem.says}") from None

    def _own(self, lesson: Lesson) -> dict[str, tuple[str, str]]:
        """The learner's modules that count, as in a check: the lesson's own files, and earlier ones as they passed."""
        workspace = find_workspace(self.root)
        try:
            with workspace.store(readonly=True) as store:
                standings = store.standings()
        except StoreError:
            standings = {}
        submission = workspace.submission(lesson, standings)
        own = {}
        for path, data in {**submission.earlier, **submission.files}.items():
            name = submission.name(path)
            text, tree = read_text(data, name)
            if path in submission.files:
                check_imports(tree, allowed_names(lesson), name)
            own[module_name(path)] = (name, text)
        return own


def profile_for(explorable: Explorable) -> str:
    """The sandbox's profile in which it is computed: one of PROFILES."""
    return profile_of(_allows(explorable))


def _allows(explorable: Explorable) -> tuple[str, ...]:
    return find(explorable.lesson).allows if explorable.allows is None else explorable.allows


@lru_cache(maxsize=64)
def _probe(explorable: Explorable) -> tuple[str, tuple[str, ...]]:
    """The text of `compute` that stands alone, and the library modules it names."""
    name = explorable.compute.__name__
    source = Path(inspect.getfile(explorable.compute)).read_text(encoding="utf-8")
    text, modules = cut(name, ast.parse(source))
    return text + "\n" + ASK.format(compute=name), modules


def _marked(modules: dict[str, tuple[str, str]], probe: str) -> Sources:
    digest = hashlib.sha256(repr((sorted(modules.items()), probe)).encode("utf-8", "surrogatepass"))
    return Sources(modules, probe, digest.hexdigest())


def _greeting(explorable: Explorable, sources: Sources, chosen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a new child is told: the library, the probe, the data."""
    modules = [module for module in map(module_name, explorable.modules) if module in sources.modules]
    load = {"do": "load", "package": "mine", "sources": sources.modules, "modules": modules, "contract": {}}
    probe = {"do": "probe", "name": "compute", "source": sources.probe, "function": "_ask"}
    if explorable.given is None:
        return [load, probe]
    data = {"what": "given", "values": explorable.given(**chosen)}
    return [load, probe, {"do": "answer", "probe": "compute", "package": "mine", "cases": [data]}]


def _said(answer: dict[str, Any], importing: bool = False) -> str:
    """What was raised, and on which line of the learner's, in one sentence."""
    outcome = of_raised(answer, importing=importing)
    trail = [(file, line) for file, line, _ in answer["raised"].get("frames", []) if str(file).startswith("mine/")]
    where = f"{trail[-1][0]}, line {trail[-1][1]}: " if trail and trail[-1][1] else ""
    return (where + " ".join(outcome.says.split()))[:400]


def _weight(x: Any) -> int:
    """About how many numbers and characters a value holds."""
    if isinstance(x, dict):
        return sum(_weight(item) for item in x.values()) + len(x)
    if isinstance(x, (list, tuple)):
        return sum(map(_weight, x)) + len(x)
    return len(x) if isinstance(x, str) else int(getattr(x, "size", 1))
