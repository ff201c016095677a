"""Runs the run blocks of a lesson, in order, in one namespace, and compares what they print with what the page says."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import courses
from ..overlay import over_reference
from .lesson import Block, Lesson


@dataclass(frozen=True)
class Printed:
    """What a block printed, and whether that is what its page says."""

    block: Block
    text: str
    raised: str | None

    @property
    def as_written(self) -> bool:
        """True if it ran and printed the text of its output block (or has none)."""
        expected = self.block.output
        return self.raised is None and (expected is None or _trimmed(self.text) == _trimmed(expected))


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


@contextlib.contextmanager
def library_of(workspace: Path | None) -> Iterator[None]:
    """`mine` as a workspace has it, or as the reference alone gives it, for as long as the context lasts."""
    course = courses.current()
    overlay = over_reference(workspace or Path(os.devnull), None if course is None else course.package).install()
    try:
        yield
    finally:
        overlay.remove()


def run_blocks(lesson: Lesson, workspace: Path | None = None) -> Iterator[Printed]:
    """Runs every block of a lesson; an exception does not keep the later ones from running."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with library_of(workspace):
        for block in lesson.blocks:
            yield _run(block, namespace, str(lesson.page))


def _run(block: Block, namespace: dict[str, Any], filename: str) -> Printed:
    out, raised = io.StringIO(), None
    code = "\n" * block.line + block.code
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(code, filename, "exec", dont_inherit=True), namespace)
        except Exception:
            raised = "".join(traceback.format_exception(*sys.exc_info())[-3:])
    return Printed(block, out.getvalue(), raised)
