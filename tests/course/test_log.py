"""The log: made once, added to when asked, read as far as it goes, and never rewritten."""

import os
from datetime import date, datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.lessons.lesson import find, find_all
from groundup.course.lessons.listed import items
from groundup.course.log import entries as reading
from groundup.course.log import looking, writing
from groundup.course.log.digest import digest
from groundup.course.progress.store import Standing
from groundup.course.workspace.workspace import Workspace, WorkspaceError, make_workspace

from .learner import BERLIN, Clock, Learner

NOW = datetime(2026, 11, 27, 18, 40, tzinfo=BERLIN)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("log") / "ws")


@pytest.fixture
def workspace(tmp_path, made):
    """A folder that is enough of a workspace for the log, with a store of its own."""
    root = tmp_path / "ws"
    (root / "notes").mkdir(parents=True)
    (root / ".groundup").mkdir()
    return Workspace(root, made.config)


def put(workspace, name, data):
    path = workspace.root / reading.FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def open_entry(workspace, lesson="1.3", now=NOW):
    return writing.open_entry(workspace, reading.read_log(workspace), find(lesson), "Built: 3 checks.", now)


def test_an_entry_asks_the_five_questions_and_is_made_once(workspace):
    entry, new = open_entry(workspace)
    assert new and entry.name == "2026-11-27-1.3" and entry.lesson == "1.3" and entry.day == date(2026, 11, 27)
    titles = [section.title for section in entry.sections]
    assert titles[2:] == [*writing.QUESTIONS, writing.RATING, "Exercises", "Notes"]
    assert entry.rating == {} and entry.ticked == frozenset() and looking.written(entry) == []
    exercises = items(find("1.3"), "Exercises")
    assert len(exercises) == 4 and all(exercise in entry.text for exercise in exercises)
    entry.path.write_text("mine now")
    again, new = open_entry(workspace, now=datetime(2027, 1, 1, tzinfo=BERLIN))
    assert not new and again.path == entry.path and entry.path.read_text() == "mine now"


def test_every_lesson_has_an_entry_with_its_exercises(workspace):
    for lesson in find_all():
        text = writing.template(lesson, "", NOW)
        entry = reading.Entry(workspace.root / "2026-11-27-1.1.md", text)
        assert entry.title == f"{lesson.section_id} {lesson.title}"
        assert looking.written(entry) == [] and entry.rating == {} and entry.ticked == frozenset()


def test_lines_are_added_at_the_end_and_what_stood_there_keeps_its_bytes(workspace):
    entry, _ = open_entry(workspace)
    before = entry.path.read_bytes()
    writing.add_line(workspace, entry, "slopes\x1b[2J are\n known  early", NOW)
    assert entry.path.read_bytes() == before + "- 2026-11-27 18:40 slopes\ufffd[2J are known early\n".encode()
    assert reading.read_entry(entry.path).dated_lines[0][0] == date(2026, 11, 27)
    path = writing.add_line(workspace, None, "a day's line", NOW)
    writing.add_line(workspace, None, "and another", NOW)
    assert path.read_text() == "# 27 Nov 2026\n\n- 18:40 a day's line\n- 18:40 and another\n"
    with pytest.raises(WorkspaceError, match="nothing to note"):
        writing.add_line(workspace, None, " \n ", NOW)


@pytest.mark.parametrize(
    ("data", "added"),
    [
        (b"no end of line", b"\n- "),
        (b"dos\r\nlines\r\n", b"- "),
        (b"dos\r\nwithout end", b"\r\n- "),
        (b"\xff\xfe\x00 broken \xc3(", b"\n\x00-\x00 \x00"),
        (b"\xef\xbb\xbf# with a mark\n", b"- "),
        ("\ufeff# sixteen\n".encode("utf-16-le"), "- ".encode("utf-16-le")),
        (b"\x00" * 100, b"\n- "),
        (b"", b"- "),
    ],
)
def test_whatever_a_file_holds_a_line_is_only_added(workspace, data, added):
    path = put(workspace, "2026-11-20-1.3.md", data)
    entry = reading.read_entry(path)
    writing.add_line(workspace, entry, "new", NOW)
    assert path.read_bytes().startswith(data + added)


HAND_MADE = """\
no heading at all
* Explain it without looking: Yes, mostly
REBUILD IT:   partly (the loop)
- rebuild: perhaps
- know why: **no**
- why not: never
## exercises
* [x] 1. done
- [X] third, without a number
- [ ] 3. not
- [✓] 4. ticked
- [] 5. broken
"""


def test_a_rating_and_ticks_are_read_from_lines_edited_by_hand(workspace):
    entry = reading.read_entry(put(workspace, "2026-11-20-1.3.md", HAND_MADE.encode()))
    assert entry.rating == {"explain": "yes", "rebuild": "partly", "why": "no"}
    assert entry.ticked == {1, 2, 4}
    writing.rate(entry, {"rebuild": "yes"})
    assert reading.read_entry(entry.path).rating["rebuild"] == "yes"
    assert entry.path.read_bytes().startswith(HAND_MADE.encode())


def test_a_heading_in_a_fence_is_none(workspace):
    text = "# T\n```python\n# not a heading\n## nor this\n```\n## Notes ##\nx\n````\n```\n# still inside\n"
    entry = reading.read_entry(put(workspace, "2026-11-20.md", text.encode()))
    assert [section.title for section in entry.sections] == ["", "T", "Notes"]


@settings(max_examples=150, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=300), st.text(alphabet="#-*[]x1.:` \n\r\tyesnowhyrebuild", max_size=300).map(str.encode)
    )
)
def test_any_bytes_are_read_and_kept(tmp_path_factory, made, data):
    workspace = Workspace(tmp_path_factory.mktemp("any"), made.config)
    path = put(workspace, "2026-11-27-1.3.md", data)
    [entry] = reading.read_log(workspace)
    assert set(entry.rating.values()) <= {"yes", "partly", "no"} and set(entry.rating) <= set(reading.ASKED)
    assert entry.title and isinstance(entry.sections, list) and all(isinstance(n, int) for n in entry.ticked)
    week = looking.week_of(NOW.date(), [entry], [], find_all(), NOW)
    assert digest(week) and looking.search([entry], "a b") is not None
    looking.exercises_left([entry], find_all(), {"1.3": Standing("1.3", passed=True)})
    assert path.read_bytes() == data


def test_files_that_cannot_be_read_say_so_and_stand_in_nobodys_way(workspace):
    put(workspace, "2026-11-27-1.3.md", b"# ok\n")
    (workspace.root / reading.FOLDER / "2026-11-26-1.2.md").mkdir()
    os.symlink("nowhere", workspace.root / reading.FOLDER / "2026-11-25-1.1.md")
    put(workspace, "my own name.md", b"# mine\n")
    put(workspace, "2026-13-45-9.9.md", b"# no such day\n")
    big = put(workspace, "2026-11-24.md", b"x" * (reading.MOST + 10))
    found = {entry.name: entry for entry in reading.read_log(workspace)}
    assert len(found) == 6
    assert found["2026-11-26-1.2"].problem.startswith("it cannot be read")
    assert found["2026-11-25-1.1"].problem.startswith("it cannot be read")
    assert found["my own name"].day is None and found["2026-13-45-9.9"].day is None
    assert "first 1 MiB" in found["2026-11-24"].problem and big.stat().st_size == reading.MOST + 10
    with pytest.raises(WorkspaceError, match="cannot be added to"):
        writing.add_line(workspace, found["2026-11-26-1.2"], "x", NOW)


def test_ratings_are_recorded_when_they_change_and_only_then(workspace):
    entry, _ = open_entry(workspace)
    with workspace.store() as store:
        writing.record(store, workspace.root, entry, "opened")
        assert writing.keep_ratings(store, workspace.root, [entry]) == []
        entry.path.write_text(entry.text.replace("looking:", "looking: yes"))
        fresh = reading.read_log(workspace)
        assert len(writing.keep_ratings(store, workspace.root, fresh)) == 1
        assert writing.keep_ratings(store, workspace.root, fresh) == []
        [first, second] = store.events(kind="noted")
        assert (first.payload["how"], first.payload["rating"]) == ("opened", {})
        assert second.payload == {"path": "notes/log/2026-11-27-1.3.md", "how": "read", "rating": {"explain": "yes"}}


def test_search_finds_lines_with_every_word_the_newest_first(workspace):
    put(workspace, "2026-11-20.md", b"# a\nGradients ADD up\n")
    put(workspace, "2026-11-21.md", b"add the gradients\nadd\n")
    found = looking.search(reading.read_log(workspace), "add gradients")
    assert [(f.entry.name, f.line) for f in found] == [("2026-11-21", 1), ("2026-11-20", 2)]
    assert looking.search(reading.read_log(workspace), "  ") == []


def test_a_week_is_a_digest_to_share(workspace, tmp_path):
    clock = Clock(2026, 11, 23, 19)
    learner = Learner(tmp_path / "p.db", clock)
    learner.lessons = [find("1.3")]
    while learner.lessons:
        learner.sit(60)
        clock.next_day(19)
    learner.event("recalled", card="1.3/bug", form="bug", rating="good")
    old = "# 1.2 Derivatives\n\n## Notes\n- 2026-11-25 20:00 seen again\n- 2026-11-02 20:00 long ago\n"
    put(workspace, "2026-11-01-1.2.md", old.encode())
    entry, _ = open_entry(workspace)
    text = entry.text.replace("## What was hard\n", "## What was hard\n\nThe order.\n")
    entry.path.write_text(text.replace("unclear\n", "unclear\n\nWhy not\nrecursion?\n"))
    now = clock.now
    week = looking.week_of(date(2026, 11, 27), reading.read_log(workspace), learner.events(), find_all(), now)
    assert [lesson.section_id for lesson in week.built] == ["1.3"] and week.recalled == 1
    assert week.minutes == pytest.approx(learner.worked, abs=6)
    assert digest(week).splitlines()[0] == "# Week of 23 Nov 2026 to 29 Nov 2026"
    assert "**What was hard**\n\nThe order." in digest(week)
    assert digest(week).rstrip().endswith("- 1.3 A scalar autograd engine: Why not recursion?")
    assert "seen again" in digest(week) and "long ago" not in digest(week) and "without looking" not in digest(week)
    empty = looking.week_of(date(2026, 8, 3), [], learner.events(), find_all(), now)
    assert "Nothing was written down this week." in digest(empty)


def test_skipped_exercises_and_unwritten_entries_stay_visible(workspace):
    standings = {name: Standing(name, passed=True, last_at=at) for name, at in (("1.3", 5.0), ("1.2", 9.0))}
    lessons = find_all()
    assert [lesson.section_id for lesson in looking.waiting([], lessons, standings)] == ["1.2", "1.3"]
    entry, _ = open_entry(workspace)
    entry.path.write_text(entry.text.replace("- [ ] 2.", "- [x] 2."))
    entries = reading.read_log(workspace)
    assert [lesson.section_id for lesson in looking.waiting(entries, lessons, standings)] == ["1.2"]
    left = {lesson.section_id: numbers for lesson, numbers in looking.exercises_left(entries, lessons, standings)}
    assert left["1.3"] == [1, 3, 4] and left["1.2"][0] == 1
    entry.path.write_text("all lines gone")
    left = looking.exercises_left(reading.read_log(workspace), lessons, standings)
    assert {lesson.section_id: numbers for lesson, numbers in left}["1.3"] == [1, 2, 3, 4]


def test_days_away_are_days_of_the_calendar(tmp_path):
    clock = Clock(2026, 3, 28, 23)  # the clock goes forward in the night
    learner = Learner(tmp_path / "p.db", clock)
    clock.go(hours=2)
    assert looking.days_away(learner.events(), clock.now) == 1
    learner.event("hinted", "1.1")
    assert looking.days_away(learner.events(), clock.now) == 1  # and for the whole of the day on which one comes back
    assert looking.days_away(learner.events(), datetime(2020, 1, 1, tzinfo=timezone.utc)) == 0
    assert looking.days_away([], clock.now) == 0


def test_what_one_says_of_oneself_is_not_shared(workspace):
    entry, _ = open_entry(workspace)
    writing.rate(entry, {"explain": "no"})
    writing.add_line(workspace, reading.read_entry(entry.path), "why it works: no two slopes are equal", NOW)
    parts = looking.written(reading.read_entry(entry.path))
    assert [(part.title, part.first_line.partition(" why")[2]) for part in parts] == [
        ("Notes", " it works: no two slopes are equal")
    ]
    assert "without looking" not in parts[0].text and reading.read_entry(entry.path).rating["explain"] == "no"
