"""Tables and report say what was judged, in a form that other programs read and that nothing handed in can break."""

import csv
import io
import itertools
import json
import random
from collections import Counter
from html.parser import HTMLParser

import pytest
from playwright.sync_api import sync_playwright

from groundup.course.grading import statistics, tables
from groundup.course.grading.duplicates import Pair
from groundup.course.grading.gathering import Handed
from groundup.course.grading.report import PAIRS_SHOWN, report
from groundup.course.grading.rows import Mark, Row, Status, row_of, unusable
from groundup.course.lessons.lesson import find

from ..desk.browser import Complaints, accessible, fits, launch
from ..desk.validator import complaints

NASTY = [
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "a,b", 'say "so"', "two\nlines", "\r\nstart", "<script>alert(1)</script>",
    "</td></table>", "&amp;", "' onmouseover='x", "Zoë \u202e", "{{ 7 * 7 }}", "\x00\x1b[31m", "＝1", "",
]  # fmt: skip
VERDICTS = ["passed", "wrong-value", "missing", "timeout", "skipped", "raised"]
LESSONS = {"1.3": ["plus", "every", "again", "extra"], "2.10": ["fit", "predict"], "2.9": ["means"]}


def a_row(rng, i):
    student, lesson = f"{rng.choice(NASTY)}{i}", rng.choice(list(LESSONS))
    if rng.random() < 0.1:
        return Row(student, "p", lesson, rng.choice([Status.UNUSABLE, Status.ENDED]), rng.choice(NASTY), "c" * 5)
    marks = []
    for name in LESSONS[lesson]:
        verdict = rng.choice(VERDICTS)
        fault = (
            rng.choice([None, "fault a", "fault b", rng.choice(NASTY) or "fault c"]) if verdict != "passed" else None
        )
        marks.append(Mark(name, name == "extra", verdict, fault or verdict, fault, rng.choice(NASTY), "mine/a.py:3"))
    passed = all(mark.passed for mark in marks if not mark.stretch)
    return Row(student, "p", lesson, Status.PASSED if passed else Status.FAILED, "", f"c{i}", "k", False, tuple(marks))


@pytest.fixture(scope="module")
def rows():
    rng = random.Random(7)
    return [a_row(rng, i) for i in range(400)]


def read(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_checkpoints_are_counted(rows):
    counted = {(each.lesson, each.name): each for each in statistics.checkpoints(rows)}
    assert [each.lesson for each in statistics.checkpoints(rows)] == ["1.3"] * 4 + ["2.9"] + ["2.10"] * 2
    for (lesson, name), each in counted.items():
        marks = [m for row in rows if row.lesson == lesson for m in row.marks if m.checkpoint == name]
        said = Counter(mark.verdict for mark in marks)
        assert each.passed == said["passed"] and each.skipped == said["skipped"]
        assert each.failed == len(marks) - said["passed"] - said["skipped"] == sum(n for _, n in each.verdicts)
        assert each.failing == pytest.approx(each.failed / (each.failed + each.passed))
        assert [n for _, n in each.verdicts] == sorted((n for _, n in each.verdicts), reverse=True)
        first = 0
        for row in rows:
            needed = [m for m in row.marks if not m.stretch and m.verdict != "passed"]
            first += row.lesson == lesson and bool(needed) and needed[0].checkpoint == name
        assert each.first == first


def test_faults_are_counted_once_a_submission(rows):
    counted = {(each.lesson, each.name): each.count for each in statistics.faults(rows)}
    wanted = Counter()
    for row in rows:
        wanted.update({(row.lesson, mark.fault) for mark in row.marks if mark.fault is not None})
    assert counted == dict(wanted)
    assert list(counted.values()) == sorted(counted.values(), reverse=True)


def test_lessons_are_counted(rows):
    for each in statistics.lessons(rows):
        own = [row for row in rows if row.lesson == each.lesson]
        assert each.handed == len(own) == each.passed + each.failed + each.unusable + each.ended
        assert each.passed == sum(row.status is Status.PASSED for row in own)


def test_nothing_to_count_is_no_trouble():
    assert statistics.checkpoints([]) == statistics.faults([]) == statistics.lessons([]) == []
    assert b"Nothing has been judged" in report([find("1.3")], 1, [], [])


def test_the_csv_says_what_the_rows_say_and_holds_no_formula(rows):
    read_back = read(tables.results_csv(rows))
    assert len(read_back) == len(rows)
    for row, line in zip(rows, read_back):
        assert line["student"] in (row.student, f"'{row.student}")
        assert line["status"] == row.status.value and line["lesson"] == row.lesson
        assert int(line["passed"]) == sum(m.passed for m in row.marks if not m.stretch)
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert {
        len(line) for line in csv.reader(io.StringIO(tables.results_csv(rows).decode("utf-8-sig"), newline=""))
    } == {13}


def test_the_other_tables_are_whole(rows):
    pairs = [Pair("1.3", a, b, 0.75, False, 1) for a, b in itertools.pairwise(NASTY)]
    assert [line["likeness"] for line in read(tables.pairs_csv(pairs))] == ["0.750"] * len(pairs)
    counts = statistics.checkpoints(rows)
    assert [int(line["failed"]) for line in read(tables.checkpoints_csv(counts))] == [each.failed for each in counts]
    faults = statistics.faults(rows)
    assert [int(line["submissions"]) for line in read(tables.faults_csv(faults))] == [each.count for each in faults]


def test_a_line_of_json_holds_any_name():
    for name in NASTY:
        line = tables.json_line(Row(name, name, "1.3", Status.UNUSABLE, name), None)
        assert line.count(b"\n") == 1 and line.isascii()
        assert json.loads(line)["student"] == name


class Page(HTMLParser):
    """Checks that tags close in order, and keeps what a browser would act on."""

    VOID = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text, self.ids = [], Counter(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, *each) for each in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_report_stands_alone_and_nothing_in_it_is_alive(rows):
    pairs = [Pair("1.3", a, b, 0.75, False, 1) for a, b in itertools.pairwise(NASTY)] * 60
    data = report([find("1.3"), find("2.9"), find("2.10")], 81, rows, pairs).decode()
    page = Page()
    page.feed(data)
    page.close()
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    assert page.tags["script"] == page.tags["img"] == page.tags["link"] == page.tags["iframe"] == 0
    for tag, name, value in page.attributes:
        assert not name.startswith("on") and name not in ("style", "src")
        assert name != "href" or value.startswith("#")
        assert (tag, name) != ("td", "class") or value in (
            "number",
            "share",
            "wide",
            "passed",
            "failed",
            "unusable",
            "ended",
        )
    assert "\x00" not in data and "\x1b" not in data and "\u202e" not in data
    assert f"{PAIRS_SHOWN} of {len(pairs)} pairs" in data
    assert "49" not in "".join(t for t in page.text if "7 * 7" in t)  # a template in a name is a name
    assert page.tags["caption"] == page.tags["table"] == 5
    headers = [value for tag, name, value in page.attributes if tag == "th" and name == "scope"]
    assert len(headers) == page.tags["th"] and set(headers) == {"col", "row"}


def test_the_report_is_sound_and_reads_well_in_a_browser(rows, tmp_path):
    pairs = [Pair("1.3", a, b, 0.75, False, 1) for a, b in itertools.pairwise(NASTY)]
    data = report([find("1.3"), find("2.9"), find("2.10")], 81, rows[:60], pairs)
    assert [each for each in complaints(data.decode()) if each != "<style>"] == []
    (tmp_path / "report.html").write_bytes(data)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(bypass_csp=True)  # axe is a script, and the page allows none
        said = Complaints(context)
        said.allow("^request: beyond this machine, file:")  # the page itself
        page = context.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        accessible(page)
        fits(page)
        browser.close()
    assert said.found() == []


def test_rows_come_from_results():
    handed = Handed("ada", "ada.py", "1.3", {"grad/value.py": b""})
    verdict = {
        "passed": False,
        "checkpoints": [
            {"name": "a", "stretch": False, "passed": True, "verdict": "passed", "fault": None, "says": "", "file": None, "line": None},
            {"name": "b", "stretch": False, "passed": False, "verdict": "wrong-value", "fault": None, "says": "s", "file": "f", "line": 3},
            {"name": "c", "stretch": True, "passed": False, "verdict": "missing", "fault": None, "says": "t", "file": "f", "line": None},
        ],
    }  # fmt: skip
    row = row_of(handed, "c", "k", {"verdict": verdict})
    assert row.status is Status.FAILED and row.first_failure.checkpoint == "b" and row.says == "s"
    assert row.first_failure.mistake == "wrong value" and row.first_failure.place == "f:3" and len(row.needed) == 2
    assert row_of(handed, "c", "k", {"ended": "It hung."}).says == "It hung."
    assert unusable(Handed("ada", "p", reason="A link.")).says == "A link."
