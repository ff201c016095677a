"""One workspace before one judge: reads the files, judges, records, and says what to do once the answer is out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import NotUsable
from ...lab.sqlite import StoreError
from ..lessons.lesson import Lesson, find, find_all
from ..progress.store import Standing
from ..tracks import EVERYTHING, Track, before_begin, leans_on, lessons_of, load
from ..workspace import status_table
from ..workspace.workspace import Workspace, WorkspaceError, commit, find_workspace
from . import last_verdict

if TYPE_CHECKING:
    from ..judging.verdicts import LessonVerdict

Reply = dict[str, Any]


class Session:
    """A judge for one workspace, warm for as long as the session lasts. `once`: for one request and no other."""

    def __init__(self, root: Path, once: bool = False) -> None:
        from ..judging.judge import Judge  # NumPy with it: the map and its kind do without

        self._root, self._once = root, once
        self._judge = Judge()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._judge.close()

    def answer(self, request: dict[str, Any]) -> tuple[Reply, Callable[[], None] | None]:
        """The reply to a request, and what to do after it has been sent. {"error": ...} for what cannot be judged."""
        try:
            if request.get("do") == "check":
                return self._check(request)
            if request.get("do") == "ping":
                return {"ready": True}, None
            return {"error": f"the judge knows no request {request.get('do')!r}"}, None
        except NotUsable as problem:
            return {"error": str(problem)}, None
        except OSError as problem:
            says = f"the judge could not work ({problem}): check permissions, and the space left on the disk"
            return {"error": says}, None

    def prepare_next(self) -> None:
        """Makes the lesson at hand ready, so that its first check is as quick as the others."""
        try:
            lesson = current_lesson(find_workspace(self._root))
            if lesson is not None:
                self._judge.prepare(lesson)
        except (NotUsable, OSError):
            return  # the check itself will say it

    def _check(self, request: dict[str, Any]) -> tuple[Reply, Callable[[], None] | None]:
        from .parts import advice, assessment  # NumPy with them

        workspace = find_workspace(self._root)
        asked = request.get("lesson")
        lesson = find(str(asked)) if asked else current_lesson(workspace)
        if lesson is None:
            raise WorkspaceError("no lesson is open yet: `groundup next` opens one")
        standings, problem = _standings(workspace)
        submission = workspace.submission(lesson, standings)
        seed, times = request.get("seed"), int(request.get("times") or 1)
        hurried = times == 1 and not advice(lesson)  # a self-assessment counts what passes: all of it is judged
        verdict = self._judge.check(lesson, submission, seed, times, hurried=hurried)
        reply: Reply = {"verdict": verdict.as_json(), "title": lesson.title}
        if verdict.passed:
            reply["next"] = _after_a_pass(workspace, lesson, standings)
            if not standings.get(lesson.section_id, Standing("")).passed:
                reply["log"] = f"your log waits: groundup log {lesson.section_id}"  # said once
        named = {submission.name(path): data for path, data in {**submission.earlier, **submission.files}.items()}
        if line := source_line(reply["verdict"], named):
            reply["source"] = line
        if said := assessment(lesson, verdict, advise=times > 1):
            reply["assessment"] = said
        last_verdict.keep(workspace, lesson, reply, submission.files)
        problem = problem or record(workspace, lesson, verdict, dict(submission.files))
        if problem:
            reply["warning"] = problem

        def afterwards() -> None:
            if verdict.passed:
                status_table.update(workspace)
                commit(workspace, f"{lesson.section_id} passed: {lesson.title}")
            if not self._once:
                self._make_ready(lesson, fresh=seed is None)

        return reply, afterwards

    def _make_ready(self, lesson: Lesson, fresh: bool) -> None:
        """The next cases of a lesson, with their truths, ahead of time."""
        if fresh:
            self._judge.use_up(lesson)
        try:
            self._judge.prepare(lesson)
        except (NotUsable, OSError):
            return  # the next check will say it


def source_line(verdict: dict[str, Any], files: Mapping[str, bytes]) -> str:
    """The line that keeps a file (by the name that verdicts use) from being imported; "" for every other verdict."""
    first = verdict["checkpoints"][0]
    if first["verdict"] != "import-error" or first["file"] is None or first["line"] is None:
        return ""
    lines = re.split(r"\r\n?|\n", files.get(first["file"], b"").decode(errors="replace"))
    return lines[first["line"] - 1] if 0 < first["line"] <= len(lines) else ""


def _standings(workspace: Workspace) -> tuple[dict[str, Standing], str | None]:
    try:
        with workspace.store(readonly=True) as store:
            return store.standings(), None
    except StoreError as problem:
        if not workspace.database.exists():
            return {}, None
        return {}, f"{problem}. This verdict was not recorded."


def _after_a_pass(workspace: Workspace, lesson: Lesson, standings: dict[str, Standing]) -> str:
    """What to do next, in one line."""
    known = {**standings, lesson.section_id: Standing(lesson.section_id, passed=True)}
    try:
        following = next_lesson(known, workspace.track)
    except WorkspaceError as problem:  # a track of one's own: the verdict stands all the same
        return str(problem)
    if following is None:
        return "everything that is here is built"
    return f"next: {following.section_id} {following.title}   groundup open {following.section_id}"


def record(workspace: Workspace, lesson: Lesson, verdict: LessonVerdict, files: dict[str, bytes]) -> str | None:
    """Writes a check, and a pass, into the store with the files as they were; what to say if that cannot be."""
    summary = {c.name: {"verdict": c.verdict.value, "fault": c.fault} for c in verdict.checkpoints}
    try:
        with workspace.store() as store:
            store.append(
                "checked", lesson.section_id, files, passed=verdict.passed, stretch=verdict.stretched,
                seed=verdict.seed, elapsed_ms=round(verdict.elapsed_ms, 1), checkpoints=summary,
            )  # fmt: skip
            if verdict.passed:
                store.append("passed", lesson.section_id, files, stretch=verdict.stretched, seed=verdict.seed)
    except StoreError as problem:
        return f"{problem}. This verdict was not recorded."
    return None


def current_lesson(workspace: Workspace) -> Lesson | None:
    """The lesson that was opened last; None if none was."""
    with workspace.store(readonly=True) as store:
        events = store.events(kind="opened")
    known = {lesson.section_id: lesson for lesson in find_all()}
    return next((known[e.lesson] for e in reversed(events) if e.lesson in known), None)


def next_lesson(standings: Mapping[str, Standing], track: Track | None = None) -> Lesson | None:
    """The first lesson that has not been passed and leans on none that has not; else the first not passed; else None.

    On a track the first of its route from where the learner begins; what lies before that, or is left to choice, comes last.
    """
    track = track or load(EVERYTHING)
    passed = {name for name, standing in standings.items() if standing.passed}
    behind = before_begin(track)
    left = [lesson for lesson in lessons_of(track) if lesson.section_id not in passed]
    left.sort(key=lambda lesson: (lesson.section_id in behind, lesson.section_id in track.optional))
    ready = (lesson for lesson in left if set(leans_on(track, lesson)) <= passed | behind)
    return next(ready, left[0] if left else None)
