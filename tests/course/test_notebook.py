"""A lesson as a notebook: what is written, what a kernel makes of it, and what is never lost or trusted."""

import base64
import html.parser
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from groundup.course.checking import client
from groundup.course.holes.library import reference_text
from groundup.course.holes.stub import derive
from groundup.course.judging.verdicts import plain
from groundup.course.lessons.lesson import find
from groundup.course.notebook.notebook import write_notebook
from groundup.course.showing.verdict_html import VerdictView, verdict_html
from groundup.course.workspace.workspace import WorkspaceError, make_workspace

FAULT = "gradient overwritten, not accumulated"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
STYLED = re.compile(r'style="([^"]*)"')


def faulty():
    return reference_text("grad.value").replace("operand.grad += slope", "operand.grad = slope")


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "space")


@pytest.fixture
def lesson():
    return find("1.3")


def sources(path, kind=None):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if kind in (None, cell.cell_type)]


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# What is written


def test_a_notebook_is_valid_and_holds_the_lesson_without_outputs(workspace, lesson):
    path = write_notebook(workspace, lesson)
    assert path == workspace.root / "notebooks" / "1.3.ipynb"
    written = nbformat.read(path, as_version=4)
    nbformat.validate(written)
    assert written.metadata.kernelspec.name == "python3"
    code = [cell for cell in written.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[0].source == "%load_ext groundup"
    assert [c.source for c in code[1:-2]] == [block.code for block in lesson.blocks]
    assert code[-2].source == f"%%build 1.3 grad/value.py\n{derive(reference_text('grad.value'))}".rstrip("\n")
    assert code[-1].source == "%check 1.3"


def test_the_prose_is_the_pages_without_front_matter_and_said_outputs(workspace, lesson):
    text = "\n".join(sources(write_notebook(workspace, lesson), "markdown"))
    assert text.startswith("# 1.3 A scalar autograd engine\n")
    assert "section_id" not in text and "```" not in text
    assert r"$$\frac{\partial y}{\partial a} = \sum_{r}" in text and r"$y = a \cdot b + a$" in text
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    expected = [title for _, title in lesson.headings]
    expected.insert(expected.index("Exercises"), "Checkpoints")
    assert headings == expected
    dropped = {line for block in lesson.blocks for line in f"{block.code}\n{block.output}".splitlines()}
    dropped |= {line for line in lesson.prose.splitlines() if line.startswith(("```", "![", "## "))}
    for line in set(lesson.prose.splitlines()) - dropped:
        assert line in text


def test_figures_are_images_that_say_what_they_show_and_bring_their_paper(workspace, lesson):
    shown = [s for s in sources(write_notebook(workspace, lesson), "markdown") if s.startswith("<img")]
    assert len(shown) == len(lesson.figures) == 2
    for source, (_, caption) in zip(shown, lesson.figures):
        assert f'alt="{caption}"' in source and source.endswith(f"*{caption}*")
        svg = base64.b64decode(re.search(r"data:image/svg\+xml;base64,([^\"]+)", source)[1]).decode()
        root = ElementTree.fromstring(svg)
        assert next(iter(root)).attrib == {"width": "100%", "height": "100%", "fill": "#faf8f3"}
        assert "currentColor" not in svg and "prefers-color-scheme" not in svg and "#1f2328" in svg


def test_the_same_lesson_gives_the_same_bytes_and_a_change_of_one_cell_keeps_the_other_ids(workspace, lesson, tmp_path):
    first = write_notebook(workspace, lesson)
    second = write_notebook(make_workspace(tmp_path / "other"), lesson)
    assert first.read_bytes() == second.read_bytes()
    before = {cell.id: cell.source for cell in nbformat.read(first, as_version=4).cells}
    workspace.open_lesson(lesson)
    workspace.path_of("grad/value.py").write_text(faulty())
    assert write_notebook(workspace, lesson) == first
    after = {cell.id: cell.source for cell in nbformat.read(first, as_version=4).cells}
    assert list(after) == list(before)
    assert [name for name in after if after[name] != before[name]] == ["build-grad-value"]
    assert after["build-grad-value"] == f"%%build 1.3 grad/value.py\n{faulty()}".rstrip("\n")


def test_a_lesson_of_several_files_gets_a_build_cell_for_each(workspace):
    lesson = find("1.7")
    code = sources(write_notebook(workspace, lesson), "code")
    assert [c.splitlines()[0] for c in code if c.startswith("%%")] == [f"%%build 1.7 {path}" for path in lesson.builds]


# What is never overwritten, and never trusted


def test_a_notebook_that_was_only_run_is_left_with_its_outputs(workspace, lesson):
    path = write_notebook(workspace, lesson)

    def run(content):
        cell = content["cells"][-1]
        cell["source"] = cell["source"] if isinstance(cell["source"], list) else [cell["source"]]
        content["cells"].append({"cell_type": "code", "id": "x", "source": [], "outputs": [], "metadata": {}})
        content["metadata"]["language_info"]["version"] = "3.11.1"

    edit(path, run)
    before = path.read_bytes()
    assert write_notebook(workspace, lesson) == path and path.read_bytes() == before


def test_a_notebook_that_was_written_in_is_kept_and_the_new_one_lies_beside(workspace, lesson):
    path = write_notebook(workspace, lesson)
    fresh = path.read_bytes()
    edit(path, lambda content: content["cells"][1].update(source="My own words."))
    mine = path.read_bytes()
    beside = write_notebook(workspace, lesson)
    assert beside.name == "1.3.new.ipynb" and beside.read_bytes() == fresh and path.read_bytes() == mine
    assert write_notebook(workspace, lesson) == beside
    edit(beside, lambda content: content["cells"].pop())
    shorter = beside.read_bytes()
    third = write_notebook(workspace, lesson)
    assert third.name == "1.3.new2.ipynb" and third.read_bytes() == fresh
    assert path.read_bytes() == mine and beside.read_bytes() == shorter


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"metadata": {"groundup": {"generated": ["a"]}}, "cells": 3}',
        b'{"metadata": {"groundup": {"generated": ""}}, "cells": [{"cell_type": "code", "source": 5}]}',
        b'{"metadata": {"groundup": {"generated": "unknown"}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_notebook_of_ours_is_left_alone(workspace, lesson, content):
    path = workspace.root / "notebooks" / "1.3.ipynb"
    path.parent.mkdir()
    path.write_bytes(content)
    assert write_notebook(workspace, lesson).name == "1.3.new.ipynb"
    assert path.read_bytes() == content


def test_without_nbformat_it_is_said_what_to_install(workspace, lesson, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(WorkspaceError, match=r"pip install 'groundup\[jupyter\]'"):
        write_notebook(workspace, lesson)
    assert not (workspace.root / "notebooks").exists()


def test_a_file_that_is_not_text_is_said_to_be_none(workspace, lesson):
    workspace.open_lesson(lesson)
    workspace.path_of("grad/value.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(WorkspaceError, match="save it as UTF-8"):
        write_notebook(workspace, lesson)


# How a verdict looks


class Page(html.parser.HTMLParser):
    """The tags, attributes and text of a piece of HTML; fails where tags are not closed in order."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.text, self._open = [], [], [], []
        self.feed(source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def reply(**checkpoint):
    row = {
        "name": "It is so", "stretch": False, "passed": False, "verdict": "wrong-value", "case": {}, "shown": None,
        "expected": None, "got": None, "index": None, "fault": None, "says": "", "file": "mine/grad/value.py", "line": 2,
        "cases": 3, "failed": 1, **checkpoint,
    }  # fmt: skip
    verdict = {"schema": 1, "lesson": "1.3", "passed": False, "seed": 81, "elapsed_ms": 38.2, "checkpoints": [row]}
    return {"verdict": {**verdict, "mine": [], "reference": [], "printed": ""}, "title": "Engine"}


def marked(source):
    return re.findall(r'background:#f7e6e0[^"]*">([^<]*)<', source)


def test_hostile_text_stays_text_wherever_it_stands():
    hostile = {
        key: HOSTILE for key in ("name", "shown", "expected", "got", "fault", "says", "file")
    }  # every field that learner's code or a lesson can fill
    arrays = plain(np.array([HOSTILE, "b"], dtype=object))
    for changes in (hostile, {**hostile, "shown": None, "case": {HOSTILE: arrays}, "got": arrays, "index": [0]}):
        for kind in ("wrong-value", "raised", "import-error", "missing", HOSTILE):
            answer = reply(**changes, verdict=kind)
            answer["verdict"] |= {"printed": HOSTILE, "mine": [HOSTILE], "reference": [HOSTILE], "lesson": HOSTILE}
            page = Page(verdict_html(answer["verdict"], HOSTILE, HOSTILE, HOSTILE))
            assert set(page.tags) <= {"div", "span", "pre", "b", "table", "tr", "td", "details", "summary"}
            assert {name for name, _ in page.attributes} <= {"style", "class"}
            assert HOSTILE in "".join(page.text)


def test_style_names_no_colour_but_the_desks_and_fetches_nothing():
    desk = {"#faf8f3", "#1f2328", "#5c6370", "#dcd6c8", "#2e6b4a", "#a8402a", "#f7e6e0", "#8a6410"}
    source = verdict_html(reply(got=1.0, expected=2.0, index=[])["verdict"], "Engine")
    styles = ";".join(STYLED.findall(source))
    assert set(re.findall(r"#\w+", styles)) <= desk
    assert "url(" not in styles and "http" not in source


def test_a_small_array_is_a_table_with_the_wrong_entry_marked_by_sign_and_colour():
    right = np.arange(6.0).reshape(2, 3)
    wrong = right.copy()
    wrong[1, 1] = 7.5
    source = verdict_html(reply(expected=plain(right), got=plain(wrong), index=[1, 1])["verdict"], "Engine")
    assert marked(source) == ["▸7.5◂"]
    assert [source.count(f">{v:g}<") for v in right.ravel()] == [2, 2, 2, 2, 1, 2]
    assert source.count("(2, 3) float64") == 2


def test_entries_that_differ_late_are_written_until_they_look_different():
    right, wrong = np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-13])
    source = verdict_html(reply(expected=plain(right), got=plain(wrong), index=[1])["verdict"], "Engine")
    assert marked(source) == [f"▸{2.0 + 1e-13:.17g}◂"]
    source = verdict_html(reply(expected=2.0, got=2.0 + 1e-13, index=[])["verdict"], "Engine")
    assert marked(source) == [f"▸{2.0 + 1e-13:.17g}◂"]


@pytest.mark.parametrize(
    "shape, index", [((0,), None), ((3, 0), None), ((40,), [30]), ((5, 5, 5), [4, 4, 4]), ((30, 30), [29, 0])]
)
def test_arrays_that_are_no_small_table_are_shown_by_their_beginning(shape, index):
    right = np.arange(float(np.prod(shape))).reshape(shape)
    wrong = right.copy()
    if index:
        wrong[tuple(index)] = -8.25
    source = verdict_html(reply(expected=plain(right), got=plain(wrong), index=index)["verdict"], "Engine")
    Page(source)
    seen = index is not None and np.ravel_multi_index(index, shape) < 400
    assert marked(source) == (["▸-8.25◂"] if seen else [])


def test_where_there_is_no_html_the_verdict_is_the_terminals():
    text = repr(VerdictView(reply(fault=FAULT, got=1.0, expected=2.0, index=[], shown="a = 1")))
    assert text.startswith(f"✗ {FAULT}   mine/grad/value.py:2")
    assert "groundup check 1.3 --seed 81" in text


# What a kernel makes of it

TRICKY = '''"""Said in the way of a doctest.

>>> 1 + 1
2
"""

from mine.grad.value import Value  # """ is no string here


def later():
    ...


def twice(a):
    """
    >>> twice(Value(2.0)).data
    4.0
    """
    return a + a
'''


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook of 1.3, built rightly and then wrongly in one kernel, and the workspace as it is afterwards."""
    folder = tmp_path_factory.mktemp("nb")
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("XDG_RUNTIME_DIR", runtime), ("HOME", folder), ("IPYTHONDIR", folder / "ipython")):
            patch.setenv(name, str(value))
        space = make_workspace(folder / "my space")
        path = write_notebook(space, find("1.3"))
        book = nbformat.read(path, as_version=4)
        built = next(cell for cell in book.cells if cell.id == "build-grad-value")
        built.source = f"%%build 1.3 grad/value.py\n{reference_text('grad.value')}\nMARK = 'mine'"
        on_disk = f"from pathlib import Path\nfile = Path({str(space.path_of('grad/value.py'))!r})\n"
        for name, source in {
            "own": "import sys\nfrom mine.grad.value import MARK, Value\nimport mine.grad.mlp\nprint(MARK, len([n for n in sys.modules if n.startswith('groundup.grad')]))",
            "wrong": f"%%build 1.3\n{faulty()}",
            "stale": "import mine.grad.value\na = mine.grad.value.Value(1.0)\n(a + a).backward()\nprint(a.grad)",
            "seeded": "%check 1.3 --seed 81",
            "spoken": "print(repr(_))",
            "hint": "%hint",
            "editor": on_disk + f"_ = file.write_text({reference_text('grad.value')!r})",
            "disk": "%check",
            "mended": "import mine.grad.value\na = mine.grad.value.Value(1.0)\n(a + a).backward()\nprint(a.grad)",
            "hostile": f"%%build 1.3\nprint({HOSTILE!r})\nclass Value:\n    def __init__(self, data):\n        raise ValueError({HOSTILE!r})",
            "outside": "%%build 1.3 ../../outside.py\nx = 1",
            "empty": "%%build 1.3\n\n   \n",
            "nolesson": "%check 99.9",
            "badseed": "%check 1.3 --seed -1",
            "tricky": f"%%build 1.3\n{TRICKY}",
            "elsewhere": "import os\nos.chdir('/')",
            "still": "%check 1.3",
        }.items():
            book.cells.append(nbformat.v4.new_code_cell(source, id=name))
        where = {"metadata": {"path": str(path.parent)}}
        try:
            NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True, resources=where).execute()
            yield {cell.id: cell for cell in book.cells if cell.cell_type == "code"}, space
        finally:
            client.stop(space.root)


def printed(cell, name="stdout"):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == name)


def shown(cell):
    return next(o.data for o in cell.outputs if o.output_type in ("execute_result", "display_data"))


def errors(cell):
    return [o for o in cell.outputs if o.output_type == "error"]


def test_run_blocks_print_in_the_kernel_what_the_page_says(executed):
    cells, _ = executed
    blocks = find("1.3").blocks
    in_order = list(cells.values())[1 : 1 + len(blocks)]
    for cell, block in zip(in_order, blocks, strict=True):
        assert cell.source == block.code
        assert printed(cell).strip() == block.output.strip() and not errors(cell)


def test_a_build_cell_writes_the_file_and_its_verdict_says_built(executed):
    cells, _ = executed
    data = shown(cells["build-grad-value"])
    assert "● 1.3 A scalar autograd engine: built" in data["text/html"]
    assert data["text/plain"].startswith("● 1.3 A scalar autograd engine: built")
    assert "● 1.3 A scalar autograd engine: built" in shown(cells["check"])["text/html"]
    assert printed(cells["own"]) == "mine 0\n"


def test_a_faulty_build_is_named_in_the_verdict_with_given_expected_yours(executed):
    cells, _ = executed
    source = shown(cells["wrong"])["text/html"]
    Page(source)
    assert f"✗ {FAULT}" in source and "mine/grad/value.py:93" in source
    assert "▸ 93      def backward(self):" in source
    assert re.search(r"given</div>.*expected</div>.*yours</div>", source, re.DOTALL)
    assert len(marked(source)) == 1
    assert re.search(r"%check 1\.3 --seed \d+", source)


def test_after_a_build_the_next_import_takes_the_new_code_and_after_a_save_in_an_editor_too(executed):
    cells, _ = executed
    assert printed(cells["stale"]) == "1.0\n"
    assert printed(cells["mended"]) == "2.0\n"


def test_a_seed_draws_the_same_cases_and_the_lesson_need_not_be_named_again(executed):
    cells, space = executed
    assert "--seed 81" in shown(cells["seeded"])["text/html"]
    assert printed(cells["spoken"]).startswith(f"✗ {FAULT}")
    assert printed(cells["hint"]).startswith("hint 1 of ")
    with space.store(readonly=True) as store:
        assert store.standing("1.3").hints == 1
        assert 81 in [event.payload["seed"] for event in store.events(kind="checked")]


def test_check_judges_the_file_on_the_disk(executed):
    cells, _ = executed
    assert "● 1.3 A scalar autograd engine: built" in shown(cells["disk"])["text/html"]


def test_what_learners_code_says_is_text_in_the_verdict(executed):
    cells, _ = executed
    data = shown(cells["hostile"])
    page = Page(data["text/html"])
    assert "<script" not in data["text/html"] and "<img" not in data["text/html"]
    text = "".join(page.text)
    assert f"ValueError: {HOSTILE}" in text and f"your code printed:{HOSTILE}" in text


def test_what_stood_in_the_file_before_each_build_is_in_the_store(executed):
    cells, space = executed
    with space.store(readonly=True) as store:
        kept = [store.blob(e.payload["files"]["grad/value.py"]).decode() for e in store.events(kind="built")]
    first = cells["build-grad-value"].source.partition("\n")[2] + "\n"
    hostile = cells["hostile"].source.partition("\n")[2] + "\n"
    assert kept == [first, reference_text("grad.value"), hostile]


def test_a_cell_is_written_to_the_file_character_by_character(executed):
    _, space = executed
    assert space.path_of("grad/value.py").read_text() == TRICKY


@pytest.mark.parametrize(
    "name, says",
    [
        ("outside", "%%build 1.3 goes on with one of: grad/value.py"),
        ("empty", "the cell is empty"),
        ("nolesson", "there is no lesson '99.9'"),
        ("badseed", "a seed is a whole number"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_changes_nothing(executed, name, says):
    cells, space = executed
    said = printed(cells[name], "stderr") + "".join(e.evalue for e in errors(cells[name]))
    assert says in said and "Traceback" not in said
    assert not (space.root.parent / "outside.py").exists() and not (space.root / "outside.py").exists()


def test_the_workspace_is_remembered_when_the_kernel_changes_its_folder(executed):
    cells, _ = executed
    assert not errors(cells["still"]) and "text/html" in shown(cells["still"])
