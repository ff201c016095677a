"""`groundup grade`: a class."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotUsable
from .quick import FULL

if TYPE_CHECKING:
    from ..course.grading.class_run import Work
    from ..course.grading.executors import Executor
    from ..course.grading.grading import Terms, Unit
    from ..course.judging.judge import Judge
    from ..course.lessons.lesson import Lesson

SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    places: Sequence[Path]
    lessons: Sequence[str]
    out: Path
    seed: int | None
    full: bool
    workers: int | None
    timeout: float | None
    executor: str
    address: str | None
    shard: str | None
    slurm: int | None
    retry: bool
    course: Path | None
    trust: str | None


def grade(asked: Asked, as_json: bool) -> int:
    """0 if everything handed in has a verdict or a reason. NotUsable if it cannot be graded."""
    problem, shard = _problem(asked), _shard(asked.shard)
    if problem or (asked.shard is not None and shard is None):
        raise NotUsable(problem or "a shard is two numbers, such as 1/16: the first of sixteen")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy and torch: what forks must have one thread
    _use_pack(asked, may_ask=not as_json and asked.slurm is None)
    if asked.slurm is not None:
        return _print_slurm(asked)
    return _grade(asked, shard, as_json)


def _problem(asked: Asked) -> str:
    """What is wrong with the flags, in a sentence."""
    if not asked.places:
        return "name what was handed in: a folder of workspaces or of files, as in `groundup grade handed-in`"
    if not any(map(os.path.lexists, asked.places)):  # one of several is a row with its reason
        return f"{asked.places[0]} is not there: name the folder that the submissions lie in, or their files"
    if asked.seed is not None and asked.seed < 0:
        return "a seed is a whole number from 0 on"
    if asked.workers is not None and asked.workers < 1:
        return "--workers is how many work side by side: 1 or more"
    if asked.timeout is not None and not 0 < asked.timeout <= 86_400:
        return "--timeout is seconds for one submission, up to a day"
    if asked.executor not in ("local", "ray"):
        return f"there is no executor {asked.executor!r}: it is local or ray"
    if asked.address is not None and asked.executor != "ray":
        return "--address is that of a Ray cluster: it goes with --executor ray"
    if asked.slurm is not None and (asked.shard is not None or not 1 <= asked.slurm <= 1000):
        return "--slurm is how many tasks the job array has, 1 to 1000, and each of them has a shard of its own"
    if asked.trust is not None and asked.course is None:
        return "--trust is the hash of a pack: it goes with --course"
    return ""


def _shard(text: str | None) -> tuple[int, int] | None:
    found = SHARD.fullmatch(text or "")
    if found is None or int(found[1]) > int(found[2]):
        return None
    return int(found[1]), int(found[2])


def _use_pack(asked: Asked, may_ask: bool) -> None:
    """Grades the lessons of the pack that is named, once it is trusted; else those of the workspace's course that this is in."""
    from ..course.courses import use
    from ..course.packs.opening import look
    from .learn import course_here
    from .trusting import settle

    if asked.course is None:
        course_here()
        return
    course = look(asked.course)
    settle(course, asked.trust, may_ask and sys.stdin.isatty(), "groundup grade --course")
    use(course)


def _grade(asked: Asked, shard: tuple[int, int] | None, as_json: bool) -> int:
    from ..course.checking.scratch import own_scratch
    from ..course.grading import class_run
    from ..course.grading.gathering import gather
    from ..course.grading.results import Results
    from ..course.judging.judge import Judge
    from ..course.lessons.lesson import find, find_all

    begun = time.monotonic()
    lessons = [find(name) for name in dict.fromkeys(asked.lessons)] or list(find_all())
    handed = gather(asked.places, lessons, bool(asked.lessons), asked.out)
    if not handed:
        raise NotUsable("there is nothing but the grades there: name what was handed in")
    results = Results(asked.out)
    terms = _terms(asked, results)
    work = class_run.plan(handed, lessons, terms)
    units = work.left(results, shard, asked.retry)
    nodes = None
    if units:
        wanted = {unit.lesson for unit in units}
        with own_scratch(), Judge() as judge:
            graded = [lesson for lesson in lessons if lesson.section_id in wanted]
            class_run.make_ready(judge, graded, terms)
            executor = _executor(asked, judge, graded, terms)
            try:
                without = class_run.judge_units(units, results, executor, _progress if sys.stderr.isatty() else _silent)
            except KeyboardInterrupt:
                print(
                    "\nstopped: what has been judged is kept, and the same command goes on from there", file=sys.stderr
                )
                return 130
            nodes = len(getattr(executor, "nodes", ())) or None
        if without == len(units) > 1:
            raise NotUsable(f"no submission could be judged: {_why(results, units[0])} See `groundup doctor`.")
    found = class_run.write_all(work, lessons, terms, results) if shard is None else {}
    asks = {"out": str(asked.out), "seed": terms.seed, "shard": asked.shard, "nodes": nodes}
    told = class_run.summary(asks, work, len(units), begun, found)
    print(json.dumps(told, allow_nan=False) if as_json else _told(told, work, asked.out))
    return 0


def _terms(asked: Asked, results: Any) -> Terms:
    from ..course.judging.batches import fresh_seed

    seed = fresh_seed() if asked.seed is None else asked.seed
    terms: Terms = results.terms(seed, FULL if asked.full else 1, chosen=asked.seed is not None)
    return terms


def _executor(asked: Asked, judge: Judge, lessons: Sequence[Lesson], terms: Terms) -> Executor[Unit]:
    from ..course.grading.executors import Local, processors
    from ..course.grading.grading import grade, seconds_for

    seconds = asked.timeout or seconds_for(judge, lessons, terms)
    if asked.executor == "ray":
        from ..course.lessons.extras import how_to_get, missing
        from ..course.workspace.workspace import WorkspaceError

        if missing(("ray",)):
            raise WorkspaceError(f"Ray is not installed: {how_to_get('ray')}")
        from ..course.grading.on_ray import OnRay

        return OnRay(terms, seconds, asked.address, asked.workers)
    return Local(lambda unit: grade(unit, terms, judge), asked.workers or processors(), seconds)


def _why(results: Any, unit: Unit) -> str:
    return str((results.get(unit.key) or {}).get("ended", ""))


def _print_slurm(asked: Asked) -> int:
    """The script on standard output. Its seed is drawn here, so that every shard has the same."""
    from ..course.courses import current
    from ..course.grading.slurm import script
    from ..course.judging.batches import fresh_seed

    seed = fresh_seed() if asked.seed is None else asked.seed
    flags = [word for name in asked.lessons for word in ("--lesson", name)]
    flags += ["--out", str(asked.out), "--seed", str(seed)]
    flags += ["--full"] if asked.full else []
    flags += ["--timeout", f"{asked.timeout:g}"] if asked.timeout is not None else []
    if (pack := current()) is not None:
        flags += ["--course", str(pack.given), "--trust", pack.digest]
    places = [str(place) for place in asked.places]
    print(script(sys.executable, flags, places, os.getcwd(), asked.slurm or 1, asked.workers or 2), end="")
    return 0


def _silent(done: int, total: int) -> None:
    pass


def _progress(done: int, total: int) -> None:
    """A line that is written over."""
    if done == total or done % max(1, total // 200) == 0:
        print(f"\r{done} of {total} judged", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _told(told: dict[str, Any], work: Work, out: Path) -> str:
    """The summary for a person."""
    line = f"{told['handed']} handed in, {told['distinct']} different, {told['judged']} judged now, {told['seconds']:.1f} s"
    if told["shard"] is not None:
        return f"shard {told['shard']}: {line}"
    status = f"{told['passed']} passed, {told['failed']} not, {told['unusable']} unusable, {told['ended']} ended"
    lines = [line, status]
    worst = sorted(told["checkpoints"], key=lambda each: -each["failing"])[:3]
    lines += [
        f"  {100 * each['failing']:5.1f} % fail {each['lesson']} {each['name']}" for each in worst if each["failed"]
    ]
    lines += [f"  {each['count']:6} × {each['lesson']} {each['name']}" for each in told["faults"][:3]]
    unusable = Counter(one.reason for one in work.handed if one.reason)
    lines += [f"  {n:6} × unusable: {reason}" for reason, n in unusable.most_common(3)]
    pairs = told["pairs"]
    lines += [f"  {pairs:6} pair{'s are' if pairs > 1 else ' is'} nearly the same"] if pairs else []
    return "\n".join([*lines, f"{out / 'report.html'}"])
