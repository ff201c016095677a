"""What a person sees in the terminal: short verdicts, a wall that tells where one is, pages without raw TeX."""

import re

import pytest

from groundup.course.holes.library import Submission, module_name, reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, find_all
from groundup.course.lessons.page import hints, page_text, plain_mathematics
from groundup.course.progress.store import Standing
from groundup.course.showing.terminal import printable, value_text, verdict_text
from groundup.course.showing.wall import state, wall

SPELT_OUT = {"log", "ln", "exp", "max", "min", "sin", "cos", "tanh", "bmod"}  # signs that are words
LESSONS = [lesson.section_id for lesson in find_all()]


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("section_id", ["1.1", "1.3", "1.4"])
def test_a_failure_is_told_in_twelve_lines(section_id, columns, judge, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    lesson = find(section_id)
    texts = {path: reference_text(module_name(path)) for path in lesson.builds}
    for fault in load_faults(lesson, texts)[:6]:
        files = {path: (fault.apply(text) if path == fault.file else text).encode() for path, text in texts.items()}
        verdict = judge.check(lesson, Submission(files), seed=2)
        text = verdict_text(verdict.as_json(), lesson.title)
        assert len(text.splitlines()) <= 12, text
        assert (fault.name in text and "--seed 2" in text and "expected" in text) or "raised" in str(verdict.as_json())
        assert all(len(line) <= int(columns) + 20 for line in text.splitlines()), text


def test_the_wrong_entry_of_an_array_is_marked():
    array = {"shape": [2, 2], "dtype": "float64", "values": [1.0, 2.0, 3.0, 4.0]}
    assert "▸3◂" in value_text(array, [1, 0]) and "▸" not in value_text(array, None)


def test_control_characters_do_not_reach_the_terminal():
    assert "\033" not in printable("\033[2Jgone\x07\u202e") and printable("a\nb\tü") == "a\nb\tü"


def test_the_wall_tells_what_is_built_next_ready_and_later():
    lessons = find_all()
    standings = {"1.1": Standing("1.1", passed=True), "1.2": Standing("1.2", passed=True, stretch=True)}
    now = find("1.3")
    states = [state(find(name), standings, now) for name in ("1.1", "1.2", "1.3", "1.4")]
    assert states == ["built", "stretch", "now", "later"]
    text = wall(lessons, standings, now)
    assert (
        f"2 of {sum(lesson.phase == 1 for lesson in lessons)}" in text
        and "next  1.3 A scalar autograd engine" in text
        and "groundup open 1.3" in text
    )
    assert all(name in text for name in LESSONS)


def test_a_finished_wall_says_so():
    standings = {name: Standing(name, passed=True) for name in LESSONS}
    assert "Everything that is here is built." in wall(find_all(), standings, None)


@pytest.mark.parametrize("section_id", LESSONS)
def test_a_page_has_no_raw_tex_left(section_id):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page_text(find(section_id)), flags=re.DOTALL)
    assert not re.findall(r"\\[A-Za-z]{2,}|\$", text), re.findall(r".{20}(?:\\[A-Za-z]{2,}|\$).{20}", text)


@pytest.mark.parametrize("section_id", LESSONS)
def test_a_lesson_has_hints_and_they_name_what_is_to_be_built(section_id):
    ladder = hints(find(section_id))
    assert len(ladder) >= 4 and all(len(hint.split()) >= 6 for hint in ladder)


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"\frac{\partial y}{\partial a}", "∂y/∂a"),
        (r"x^2 + x_{ij}", "x² + xᵢⱼ"),
        (r"\sum_{r} \frac{1}{n}", "Σᵣ 1/n"),
        (r"\sqrt{2} \cdot \alpha", "√(2) · α"),
        (r"e^{-x}", "e^(-x)"),
    ],
)
def test_mathematics_is_written_as_one_would_type_it(tex, plain):
    assert plain_mathematics(tex) == plain


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_the_wall_fits_the_terminal_and_has_every_brick_once(monkeypatch, columns):
    monkeypatch.setattr("groundup.course.showing.wall.width", lambda: columns)
    lessons = find_all()
    text = wall(lessons, {}, lessons[0])
    rows = text.split("\n\n")[0].splitlines()
    assert max(len(row) for row in rows) <= columns
    for lesson in lessons:
        assert sum(f" {lesson.section_id} " in row for row in rows) == 1, lesson.section_id
    height = [next(i for i, row in enumerate(rows) if f" {lesson.section_id} " in row) for lesson in lessons]
    assert height == sorted(height, reverse=True)  # no lesson lies below an earlier one


def test_no_page_shows_raw_tex():
    for lesson in find_all():
        for tex in re.findall(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$", lesson.prose, flags=re.DOTALL):
            names = set(re.findall(r"\\([A-Za-z]{2,})", "".join(tex))) - SPELT_OUT
            shown = plain_mathematics("".join(tex))
            assert not [name for name in names if re.search(rf"(?<![A-Za-z]){name}(?![A-Za-z])", shown)], (
                lesson.section_id,
                tex,
            )
