"""A lesson's figures, drawn by a process of their own, kept between runs, and handed to the page as inline SVG.

Drawing takes seconds: matplotlib, the library and sometimes a small training. No page waits for it. A figure that is not
there yet is asked for by the page itself, and one process then draws all figures of the lesson, each published as it comes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from time import monotonic

import platformdirs
from markupsafe import Markup

from ...course import courses
from ...course.lessons.lesson import Lesson, lessons_root
from ...course.packs.contents import digest
from ...course.workspace.workspace import WorkspaceError, write_atomically
from .mathematics import in_plain_signs
from .plates import labelled, plate, print_of, words

PATIENCE = 180.0  # seconds that one lesson's figures may take
RETRY = 10.0  # seconds after which what did not come is tried again
LARGEST = 32 << 20  # bytes of a picture
BOOT = "import sys; sys.path[:] = sys.argv[3:]; from groundup.desk.reading.figures import main; main(*sys.argv[1:3])"


def figure_if_ready(lesson: Lesson, name: str) -> Markup | None:
    """A figure as inline SVG if it has been drawn; None otherwise."""
    svg = _kept(_key(lesson), name)
    return None if svg is None else labelled(svg, label_of(lesson, name))


def draw_figure(lesson: Lesson, name: str) -> Markup:
    """A figure as inline SVG, or for a lesson of somebody else as an image's; drawn now if it has not been.

    Where it cannot be drawn, a picture that says so. KeyError if the lesson shows no such figure.
    """
    label = label_of(lesson, name)
    svg = _kept(_key(lesson), name)
    if svg is None:
        svg = _drawing_of(lesson).wait_for(name)
    return labelled(svg if svg is not None else words("This figure could not be drawn."), label)


def label_of(lesson: Lesson, name: str) -> str:
    """A figure's caption as plain text. KeyError if the lesson shows no such figure."""
    parts = dict(lesson.figures)[name].split("$")
    said = "".join(
        in_plain_signs(part) if i % 2 else part.replace("*", "").replace("`", "") for i, part in enumerate(parts)
    )
    return " ".join(said.split())


def comes_with_groundup(lesson: Lesson) -> bool:
    """Whether a lesson is one of the course's own, whose pictures may stand in the page itself."""
    return lesson.folder.resolve().is_relative_to(lessons_root().resolve())


# What has been drawn


_memory: dict[tuple[str, str], str] = {}


def _kept(key: str, name: str) -> str | None:
    """The text of a figure from memory or from the disk."""
    if (key, name) not in _memory:
        try:
            _memory[key, name] = (_folder(key) / f"{name}.svg").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
    return _memory[key, name]


def _keep(key: str, name: str, svg: str) -> None:
    _memory[key, name] = svg
    with contextlib.suppress(WorkspaceError):  # a cache that cannot be written only makes the next start slower
        write_atomically(_folder(key) / f"{name}.svg", svg.encode())


def _folder(key: str) -> Path:
    return Path(platformdirs.user_cache_dir("groundup", appauthor=False)) / "figures" / key


def _key(lesson: Lesson) -> str:
    """Names what a lesson's figures depend on: where it is, how they are drawn, and the library they draw with."""
    try:
        source = (lesson.folder / "figures.py").read_bytes()
    except OSError:
        source = b""
    course = courses.current()
    drawn_with = _sources() + ("" if course is None else digest(course.package))
    said = hashlib.sha256(f"{lesson.folder.resolve()}\n{drawn_with}\n".encode() + source).hexdigest()
    return f"{lesson.section_id}-{said[:20]}"


@lru_cache(maxsize=1)
def _sources() -> str:
    """The hash of all of groundup's files, and of the versions of what else draws."""
    digest = hashlib.sha256(
        "".join(version(name) for name in ("matplotlib", "numpy", "scipy", "scikit-learn")).encode()
    )
    package = Path(__file__).parents[2]
    for path in sorted(package.rglob("*.py")):
        if "_lessons" not in path.parts:
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# The process that draws


_one_at_a_time = threading.Lock()
_drawings: dict[str, _Drawing] = {}
_of_drawings = threading.Lock()


def _drawing_of(lesson: Lesson) -> _Drawing:
    """The drawing of a lesson that is going on, or a new one."""
    key = _key(lesson)
    with _of_drawings:
        drawing = _drawings.get(key)
        if drawing is None or drawing.is_past():
            drawing = _drawings[key] = _Drawing(lesson, key)
            drawing.start()
        return drawing


class _Drawing(threading.Thread):
    """Draws all figures of a lesson in another process; who waits for one is told when that one is there."""

    def __init__(self, lesson: Lesson, key: str) -> None:
        super().__init__(name=f"figures-{lesson.section_id}", daemon=True)
        self._lesson, self._key = lesson, key
        self._news = threading.Condition()
        self._over = False
        self._ended = 0.0

    def is_past(self) -> bool:
        """Whether it has ended, long enough ago to try again what did not come."""
        return self._over and monotonic() - self._ended > RETRY

    def wait_for(self, name: str) -> str | None:
        """The figure, once it is there; None if it does not come."""
        with self._news:
            self._news.wait_for(lambda: self._over or (self._key, name) in _memory, timeout=4 * PATIENCE)
        return _memory.get((self._key, name))

    def run(self) -> None:
        try:
            with _one_at_a_time:
                self._draw()
        finally:
            with self._news:
                self._over, self._ended = True, monotonic()
                self._news.notify_all()

    def _draw(self) -> None:
        names = [name for name, _ in self._lesson.figures if _kept(self._key, name) is None]
        if not names:
            return
        command = [sys.executable, "-I", "-c", BOOT, str(self._lesson.folder), json.dumps(names), *sys.path]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {**os.environ, **threads, "MPLBACKEND": "Agg"}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            deadline = threading.Timer(PATIENCE, process.kill)
            deadline.start()
            try:
                while process.stdout and (line := process.stdout.readline(LARGEST)):
                    self._publish(line)
            finally:
                deadline.cancel()
                process.kill()

    def _publish(self, line: bytes) -> None:
        """Keeps a figure. What the other process says is not trusted, nor what it has drawn."""
        try:
            name, svg = json.loads(line)
            if name not in dict(self._lesson.figures):
                return
            prefix = f"f{self._lesson.section_id.replace('.', '-')}-{name}-"
            drawn = plate(svg, prefix) if comes_with_groundup(self._lesson) else print_of(svg)
        except (ValueError, TypeError, RecursionError):
            return
        with self._news:
            _keep(self._key, name, drawn)
            self._news.notify_all()


def main(folder: str, names: str) -> None:
    """Draws figures of the lesson in a folder, and says each as a line [name, svg]; those that fail are left out."""
    from ...course.figures import draw
    from ...course.lessons.lesson import load
    from ...course.packs.opening import around
    from ...course.packs.trust import demand

    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a figure prints is no answer
    if hasattr(os, "nice"):
        os.nice(5)  # the page comes first
    lesson = load(Path(folder))
    course = None if comes_with_groundup(lesson) else around(lesson.folder)
    if course is not None:
        demand(course)
    courses.use(course)
    for name in json.loads(names):
        with contextlib.suppress(Exception):
            said.write(json.dumps([name, draw(lesson, name)]) + "\n")
            said.flush()
