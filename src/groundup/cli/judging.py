"""Commands that judge: check, watch, bug, judge."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from ..course.client import judge
from ..course.lesson import Lesson, find
from ..course.scratch import own_scratch
from ..course.session import source_line
from ..course.workspace import Workspace, WorkspaceError, find_workspace, write_atomically
from .learn import lesson_of
from .quick import FULL, NOT_USABLE, report


def check(name: str | None, as_json: bool, seed: int | None, full: bool, files: list[Path], any_imports: bool) -> int:
    if seed is not None and seed < 0:
        print("a seed is a whole number from 0 on", file=sys.stderr)
        return NOT_USABLE
    if files:
        if name is None:
            print("name the lesson that the file belongs to: groundup check 1.3 --file PATH", file=sys.stderr)
            return NOT_USABLE
        return _check_files(find(name), files, as_json, seed, full, any_imports)
    if any_imports:
        print("--any-imports goes with --file: groundup check 1.3 --file PATH --any-imports", file=sys.stderr)
        return NOT_USABLE
    request = {"do": "check", "lesson": name, "seed": seed, "times": FULL if full else 1}
    return report(judge(find_workspace().root, request), as_json, full)


def _check_files(
    lesson: Lesson, paths: list[Path], as_json: bool, seed: int | None, full: bool, any_imports: bool
) -> int:
    """Each file as the learner's module of the lesson; the same cases for all of them."""
    from ..course.batches import fresh_seed
    from ..course.bulk import judge_all
    from ..course.library import Submission, module_name, reference_text
    from ..course.terminal import verdict_text

    contents = {str(path): _read(path) for path in paths}  # all of them, before anything is printed
    submissions = []
    for path in paths:
        built = next((b for b in lesson.builds if Path(b).name == path.name), lesson.builds[0])
        others = {b: (reference_text(module_name(b)) or "").encode() for b in lesson.builds if b != built}
        files = {built: contents[str(path)], **others}
        submissions.append(Submission(files, any_imports=any_imports, names={built: str(path)}))
    status = 0
    seed = fresh_seed() if seed is None else seed
    with own_scratch():
        for verdict in judge_all(lesson, submissions, seed, FULL if full else 1):
            if as_json:
                print(json.dumps(verdict, allow_nan=False))
            else:
                print(verdict_text(verdict, lesson.title, full=full, source=source_line(verdict, contents)))
            status = max(status, 0 if verdict["passed"] else 1)
    return status


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be read: {problem.strerror}") from None


def watch(name: str | None) -> int:
    from ..course.watch import Watch

    workspace = find_workspace()
    return Watch(workspace, name).run()


def bug(name: str | None) -> int:
    """Writes a faulty implementation to find the mistake in; when it is there, judges what has become of it."""
    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    with workspace.store(readonly=True) as store:
        events = store.events(lesson=lesson.section_id, kind="bug") + store.events(
            lesson=lesson.section_id, kind="found"
        )
    latest = max(events, key=lambda event: event.id, default=None)
    if latest is not None and latest.kind == "bug" and (workspace.root / latest.payload["path"]).is_file():
        return _judge_bug(workspace, lesson, latest.payload)
    return _write_bug(workspace, lesson, {event.payload["fault"] for event in events})


def _folder(workspace: Workspace, lesson: Lesson) -> Path:
    return workspace.root / "bugs" / lesson.section_id


def _write_bug(workspace: Workspace, lesson: Lesson, seen: set[str]) -> int:
    from ..course.faults import load_faults
    from ..course.library import module_name, reference_text

    sources = {path: reference_text(module_name(path)) or "" for path in lesson.builds}
    faults = load_faults(lesson, sources)
    if not faults:
        raise WorkspaceError(f"{lesson.section_id} has no known mistakes yet: choose another lesson")
    fresh = [fault for fault in faults if fault.name not in seen] or faults
    fault = random.choice(fresh)
    path = _folder(workspace, lesson) / Path(fault.file).name
    write_atomically(path, fault.apply(sources[fault.file]).encode())
    with workspace.store() as store:
        store.append(
            "bug", lesson.section_id, fault=fault.name, file=fault.file, path=str(path.relative_to(workspace.root))
        )
    print(
        f"{path.relative_to(workspace.root)} has one mistake in it. Find it, mend it there, then: groundup bug {lesson.section_id}"
    )
    return 0


def _judge_bug(workspace: Workspace, lesson: Lesson, payload: dict[str, str]) -> int:
    from ..course.judge import Judge
    from ..course.library import Submission, module_name, reference_text
    from ..course.terminal import verdict_text

    built, path = payload["file"], workspace.root / payload["path"]
    others = {b: (reference_text(module_name(b)) or "").encode() for b in lesson.builds if b != built}
    with own_scratch(), Judge() as court:
        submission = Submission({built: _read(path), **others}, names={built: payload["path"]}, unnamed=True)
        verdict = court.check(lesson, submission)
    if not verdict.passed:
        source = source_line(verdict.as_json(), {payload["path"]: _read(path)})
        print(verdict_text(verdict.as_json(), lesson.title, source=source))
        return 1
    with workspace.store() as store:
        store.append("found", lesson.section_id, fault=payload["fault"])
    print(f"Found and mended. It was: {payload['fault']}. `groundup bug {lesson.section_id}` hands you the next.")
    return 0


def judge_process(stop: bool) -> int:
    from ..course import client

    root = find_workspace().root
    if stop:
        print("The judge has ended." if client.stop(root) else "No judge is running.")
        return 0
    try:
        client.ask(root, {"do": "ping"}, start=False)
        print(f"A judge is running: {client.socket_path(root)}")
    except client.NoJudge:
        print("No judge is running; the next check starts one.")
    return 0
