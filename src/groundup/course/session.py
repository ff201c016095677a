"""One workspace before one judge: reads the files, judges, records, and says what to do once the answer is out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .judge import Judge
from .lesson import Lesson, LessonError, NoSuchLesson, find, find_all
from .progress import Standing, StoreError
from .sandbox.host import SandboxError
from .verdicts import LessonVerdict
from .workspace import Workspace, WorkspaceError, commit, find_workspace

Reply = dict[str, Any]


class Session:
    """A judge for one workspace, warm for as long as the session lasts."""

    def __init__(self, root: Path) -> None:
        self._root = root
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
        except (NoSuchLesson, LessonError, WorkspaceError, StoreError, SandboxError) as problem:
            return {"error": str(problem)}, None

    def prepare_next(self) -> None:
        """Makes the lesson at hand ready, so that its first check is as quick as the others."""
        try:
            lesson = current_lesson(find_workspace(self._root))
            if lesson is not None:
                self._judge.prepare(lesson)
        except (NoSuchLesson, LessonError, WorkspaceError, StoreError, SandboxError):
            return  # the check itself will say it

    def _check(self, request: dict[str, Any]) -> tuple[Reply, Callable[[], None] | None]:
        workspace = find_workspace(self._root)
        asked = request.get("lesson")
        lesson = find(str(asked)) if asked else current_lesson(workspace)
        if lesson is None:
            raise WorkspaceError("no lesson is open yet: `groundup next` opens one")
        standings, problem = _standings(workspace)
        submission = workspace.submission(lesson, standings)
        seed, times = request.get("seed"), int(request.get("times") or 1)
        verdict = self._judge.check(lesson, submission, seed, times)
        problem = problem or record(workspace, lesson, verdict, dict(submission.files))
        reply: Reply = {"verdict": verdict.as_json(), "title": lesson.title}
        if verdict.passed:
            reply["next"] = _after_a_pass(lesson, standings)
        if problem:
            reply["warning"] = problem

        def afterwards() -> None:
            if verdict.passed:
                commit(workspace, f"{lesson.section_id} passed: {lesson.title}")
            if seed is None:
                self._judge.use_up(lesson)
            self._judge.prepare(lesson)

        return reply, afterwards


def _standings(workspace: Workspace) -> tuple[dict[str, Standing], str | None]:
    try:
        with workspace.store(readonly=True) as store:
            return store.standings(), None
    except StoreError as problem:
        if not workspace.database.exists():
            return {}, None
        return {}, f"{problem} This verdict was not recorded."


def _after_a_pass(lesson: Lesson, standings: dict[str, Standing]) -> str:
    """What to do next, in one line."""
    known = {**standings, lesson.section_id: Standing(lesson.section_id, passed=True)}
    following = next_lesson(known)
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
        return f"{problem} This verdict was not recorded."
    return None


def current_lesson(workspace: Workspace) -> Lesson | None:
    """The lesson that was opened last; None if none was."""
    with workspace.store(readonly=True) as store:
        events = store.events(kind="opened")
    known = {lesson.section_id: lesson for lesson in find_all()}
    return next((known[e.lesson] for e in reversed(events) if e.lesson in known), None)


def next_lesson(standings: dict[str, Standing]) -> Lesson | None:
    """The first lesson that has not been passed and leans on none that has not; else the first not passed; else None."""
    passed = {name for name, standing in standings.items() if standing.passed}
    left = [lesson for lesson in find_all() if lesson.section_id not in passed]
    return next((lesson for lesson in left if set(lesson.after) <= passed), left[0] if left else None)
