"""Commands that judge: check, watch, bug, judge."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from ..course.checking.client import judge
from ..course.checking.scratch import own_scratch
from ..course.checking.session import source_line
from ..course.lessons.lesson import Lesson
from ..course.workspace.workspace import find_workspace
from ..errors import NotUsable
from .learn import lesson_here, lesson_of
from .quick import FULL, report


def check(name: str | None, as_json: bool, seed: int | None, full: bool, files: list[Path], any_imports: bool) -> int:
    if seed is not None and seed < 0:
        raise NotUsable("a seed is a whole number from 0 on")
    if files:
        if name is None:
            raise NotUsable("name the lesson that the file belongs to: groundup check 1.3 --file PATH")
        return _check_files(lesson_here(name), files, as_json, seed, full, any_imports)
    if any_imports:
        raise NotUsable("--any-imports goes with --file: groundup check 1.3 --file PATH --any-imports")
    request = {"do": "check", "lesson": name, "seed": seed, "times": FULL if full else 1}
    return report(judge(find_workspace().root, request), as_json, full)


def _check_files(
    lesson: Lesson, paths: list[Path], as_json: bool, seed: int | None, full: bool, any_imports: bool
) -> int:
    """Each file as the learner's module of the lesson; the same cases for all of them."""
    from ..course.grading.bulk import judge_all
    from ..course.holes.library import Submission, module_name, reference_text
    from ..course.judging.batches import fresh_seed
    from ..course.showing.terminal import verdict_text

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
        raise NotUsable(f"{path} cannot be read: {problem.strerror}") from None


def debug(name: str | None, seed: int | None) -> int:
    """The failing case once more, in this process, where a debugger's breakpoints stop."""
    from ..course.debugging import rerun
    from ..course.judging.verdicts import plain
    from ..course.showing.terminal import BOLD, MISS, paint, printable

    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    again = rerun(workspace, lesson, seed)
    if again is None:
        print(f"{lesson.section_id} {lesson.title} passes: there is no failing case to run")
        return 0
    failed = again.verdict
    print(paint(f"✗ {failed.name}", MISS, BOLD) + f"   seed {again.seed}")
    if failed.says:
        print(f"  {failed.says}")
    for said, value in (("given", failed.shown or plain(failed.case)), ("expected", plain(failed.expected))):
        if value is not None:
            print(f"  {said}\n{textwrap.indent(printable(str(value)), '    ')}")
    came = again.raised or str(plain(again.got))
    print(f"  {'raised' if again.raised else 'yours, run here'}\n{textwrap.indent(printable(came), '    ')}")
    return 1


def watch(name: str | None) -> int:
    from ..course.checking.watch import Watch

    workspace = find_workspace()
    return Watch(workspace, name).run()


def bug(name: str | None) -> int:
    """Writes a faulty implementation to find the mistake in; when it is there, judges what has become of it."""
    from ..course.checking.bugs import hand_out, judge_bug, open_bug
    from ..course.showing.terminal import verdict_text

    workspace = find_workspace()
    lesson = lesson_of(workspace, name)
    found = open_bug(workspace, lesson)
    if found is None:
        path = hand_out(workspace, lesson).path
        print(f"{path} has one mistake in it. Find it, mend it there, then: groundup bug {lesson.section_id}")
        return 0
    reply = judge_bug(workspace, lesson, found)
    if not reply["verdict"]["passed"]:
        print(verdict_text(reply["verdict"], lesson.title, source=reply.get("source", "")))
        return 1
    print(f"Found and mended. It was: {found.fault}. `groundup bug {lesson.section_id}` hands you the next.")
    return 0


def judge_process(stop: bool) -> int:
    from ..course.checking import client

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
