"""A course by others on the desk: its cells run on its own reference, and its figures come as pictures."""

from pathlib import Path

import pytest

from groundup.course import courses
from groundup.course.lessons.lesson import find
from groundup.course.packs.opening import look
from groundup.desk.cells.kernel import Kernel
from groundup.desk.explore import find_all, for_lesson
from groundup.desk.reading.figures import comes_with_groundup
from groundup.desk.reading.markup import rendered
from groundup.desk.views.shelf import lessons_here

EXAMPLE = Path(__file__).parents[2] / "examples" / "tiny-pack"


@pytest.fixture(autouse=True)
def learned():
    with courses.learning(look(EXAMPLE)):
        yield


def test_a_cell_has_the_packs_reference_and_not_groundups(tmp_path):
    code = "from mine.averages import half_life\nprint(half_life(0.5))\nimport mine.grad"
    kernel = Kernel(tmp_path)
    try:
        run, said = kernel.run(code, "cell"), ""
        while not run.over:
            said += str(run.some())
    finally:
        kernel.end()
    assert "1.0" in said and "No module named 'mine.grad'" in said


def test_the_page_of_a_pack_is_no_place_for_its_html(monkeypatch):
    lesson = find("1.1")
    assert not comes_with_groundup(lesson)
    monkeypatch.setitem(lesson.__dict__, "prose", "## An idea\n\n<script>alert(1)</script> [x](javascript:alert(1))\n")
    html = str(rendered(lesson).sections[0].html)
    assert "<script" not in html and "&lt;script" in html and 'href="javascript' not in html


def test_explorables_are_groundups_and_not_for_the_lessons_of_a_pack():
    assert find_all() == {} and for_lesson("1.1") == []
    with courses.learning(None):
        assert find_all()


def test_the_shelf_links_to_no_lesson_of_a_pack():
    assert lessons_here() == frozenset(), "its 1.1 is groundup's, and not the pack's"
    with courses.learning(None):
        assert "1.1" in lessons_here()
