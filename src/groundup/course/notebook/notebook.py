"""A lesson as a Jupyter notebook: prose and figures to read, run blocks to run, the build and its check as magics.

The cells carry no outputs: the learner predicts, then runs. A notebook that the learner has written in is never replaced;
whether one has is told by the hash of what was generated, which the notebook carries in its metadata. Running cells is
not writing, so a notebook that was only run may be replaced by a newer one.
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from ..figures import INK, PAPER, STYLE, draw
from ..holes.library import module_name, reference_text
from ..holes.stub import derive
from ..lessons.lesson import FIGURE, PARTS, Lesson
from ..lessons.page import plain_mathematics
from ..lessons.probes import load_probes
from ..workspace.workspace import Workspace, WorkspaceError, write_atomically

FOLDER = "notebooks"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
HOW_TO_BUILD = """\
Running a cell that begins with `%%build` writes the file it names into `mine` and judges the lesson; the version before is
kept. An editor does as well: `%check {0}` judges the file on disk. `%hint {0}` gives one hint more each time."""


@dataclass(frozen=True)
class Cell:
    """One cell: markdown or code, and a name where it keeps its id when its text changes."""

    kind: str
    source: str
    name: str = ""


def write_notebook(workspace: Workspace, lesson: Lesson) -> Path:
    """Writes notebooks/1.3.ipynb, or 1.3.new.ipynb beside one that the learner has written in; the path that holds it.

    WorkspaceError if it cannot be written, or nbformat is not installed.
    """
    cells = list(lesson_cells(workspace, lesson))
    generated = _hash((cell.kind, cell.source) for cell in cells)
    try:
        for path in _places(workspace.root / FOLDER, lesson):
            if not path.exists():
                break
            was, now = _marks(path)
            if was == now:
                if was == generated:  # there already, perhaps with outputs
                    return path
                break
        write_atomically(path, _as_json(lesson, cells, generated).encode())
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be written: {problem.strerror}") from None
    return path


def _places(folder: Path, lesson: Lesson) -> Iterator[Path]:
    yield folder / f"{lesson.section_id}.ipynb"
    yield folder / f"{lesson.section_id}.new.ipynb"
    for number in itertools.count(2):
        yield folder / f"{lesson.section_id}.new{number}.ipynb"


def lesson_cells(workspace: Workspace, lesson: Lesson) -> Iterator[Cell]:
    """The cells in the order of the page, the build and the check before the exercises."""
    yield Cell("code", "%load_ext groundup", "load")
    title = f"# {lesson.section_id} {lesson.title}\n\n"
    for kind, text in _pieces(lesson):
        if kind == "code":
            yield Cell("code", text)
            continue
        if text.startswith(f"## {PARTS[1]}"):
            yield from _build(workspace, lesson)
        yield from _prose(lesson, title + text)
        title = ""


def _pieces(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Prose, cut at its headings, and the code of run blocks; what they are said to print is left out."""
    lines = lesson.prose.splitlines()
    headings = {line - lesson.body_line for line, _ in lesson.headings}
    blocks = {block.line - lesson.body_line: block for block in lesson.blocks}
    held: list[str] = []
    i = 0
    while i < len(lines):
        if i in headings or i in blocks:
            yield "markdown", "\n".join(held).strip()
            held = []
        if i not in blocks:
            held.append(lines[i])
            i += 1
            continue
        yield "code", blocks[i].code
        block, i = blocks[i], _after_fence(lines, i)
        if block.output is not None:
            i = _after_fence(lines, next(j for j in range(i, len(lines)) if lines[j].strip()))
    yield "markdown", "\n".join(held).strip()


def _after_fence(lines: list[str], opening: int) -> int:
    """The line after the block that opens here: it ends with as many backticks."""
    ticks = lines[opening][: len(lines[opening]) - len(lines[opening].lstrip("`"))]
    return next((j + 1 for j in range(opening + 1, len(lines)) if lines[j].rstrip() == ticks), len(lines))


def _prose(lesson: Lesson, text: str) -> Iterator[Cell]:
    """Markdown as it is, each figure in a cell of its own."""
    start = 0
    for figure in FIGURE.finditer(text):
        yield from _markdown(text[start : figure.start()])
        yield Cell("markdown", _figure(lesson, figure["name"], figure["caption"]), f"figure-{figure['name']}")
        start = figure.end()
    yield from _markdown(text[start:])


def _markdown(text: str) -> Iterator[Cell]:
    if text.strip():
        yield Cell("markdown", text.strip())


def _figure(lesson: Lesson, name: str, caption: str) -> str:
    """The figure as an image in a data URL, its caption as alt text and below.

    JupyterLab refuses SVG as an attachment and strips it from Markdown; an image it shows. Such an image sees the
    system's theme, not JupyterLab's, so it brings its own paper and is legible on both.
    """
    plain = draw(lesson, name).replace(STYLE, f'<rect width="100%" height="100%" fill="{PAPER}"/>')
    svg = plain.replace("currentColor", INK)
    alt = "".join(plain_mathematics(part) if i % 2 else part for i, part in enumerate(caption.split("$")))
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(" ".join(alt.split()))}">\n\n*{caption}*'


def _build(workspace: Workspace, lesson: Lesson) -> Iterator[Cell]:
    """A cell for each file, with the learner's text in it or the starter's; the checkpoints; the check."""
    yield Cell("markdown", HOW_TO_BUILD.format(lesson.section_id), "how-to-build")
    for path in lesson.builds:
        source = f"%%build {lesson.section_id} {path}\n{_current(workspace, path)}".rstrip("\n")
        yield Cell("code", source, f"build-{path.removesuffix('.py')}")
    rows = []
    for i, probe in enumerate(load_probes(lesson), 1):
        name = re.sub(r"([\\*_`$<\[])", r"\\\1", probe.checkpoint.name)  # a name is plain text
        rows.append(f"{i}. {name}{' *(stretch)*' if probe.checkpoint.stretch else ''}")
    yield Cell("markdown", "\n".join(["## Checkpoints", "", *rows]), "checkpoints")
    yield Cell("code", f"%check {lesson.section_id}", "check")


def _current(workspace: Workspace, library_path: str) -> str:
    """The learner's file as it stands, or its starter."""
    path = workspace.path_of(library_path)
    try:
        return decode_source(path.read_bytes())
    except FileNotFoundError:
        return derive(reference_text(module_name(library_path)) or "")
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be read: {problem.strerror}") from None
    except (SyntaxError, UnicodeDecodeError, LookupError) as problem:
        raise WorkspaceError(f"{path} is not text in the encoding it names ({problem}): save it as UTF-8") from None


def _as_json(lesson: Lesson, cells: Iterable[Cell], generated: str) -> str:
    try:
        import nbformat
        from nbformat import v4
    except ImportError:
        raise WorkspaceError("writing notebooks needs nbformat: pip install 'groundup[jupyter]'") from None
    make = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    made, ids = [], set()
    for cell in cells:
        wanted = _id(lesson, cell)
        name = next(n for i in itertools.count(1) if (n := wanted if i == 1 else f"{wanted}-{i}") not in ids)
        ids.add(name)
        made.append(make[cell.kind](cell.source, id=name))
    about = {"lesson": lesson.section_id, "generated": generated}
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}, "groundup": about}
    return str(nbformat.writes(v4.new_notebook(cells=made, metadata=metadata), version=4)) + "\n"


def _id(lesson: Lesson, cell: Cell) -> str:
    """The same for the same cell at every writing; a cell without a name is known by its text."""
    if cell.name:
        return re.sub(r"[^A-Za-z0-9-]+", "-", cell.name)[:48]
    return hashlib.sha256(f"{lesson.section_id}\n{cell.kind}\n{cell.source}".encode()).hexdigest()[:12]


def _hash(cells: Iterable[tuple[str, str]]) -> str:
    """Of the text of the cells in order; empty cells, which Jupyter adds at the end, do not count."""
    texts = [[kind, source.strip()] for kind, source in cells if source.strip()]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _marks(path: Path) -> tuple[str, str]:
    """The hash that a notebook was generated with, and that of what is in it now; different where it cannot be read."""
    try:
        notebook = json.loads(path.read_bytes())
        was = notebook["metadata"]["groundup"]["generated"]
        return str(was), _hash((str(cell["cell_type"]), _source(cell["source"])) for cell in notebook["cells"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return "", "unknown"


def _source(source: Any) -> str:
    """A cell's text, which a notebook holds as one string or as lines."""
    return source if isinstance(source, str) else "".join(source)
