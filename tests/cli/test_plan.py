"""`groundup plan`: what is decided is kept, what cannot be is refused before anything is written."""

import json

import pytest

from groundup import cli
from groundup.course.progress.store import Store
from groundup.course.workspace.workspace import make_workspace, read_config


@pytest.fixture
def plan(tmp_path, monkeypatch, capsys):
    """status, out, err = plan("--hours", "8"), in a workspace at plan.root."""
    root = make_workspace(tmp_path / "ws").root
    monkeypatch.chdir(root)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments):
        capsys.readouterr()
        status = cli.run(["plan", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    run.root = root
    return run


def found(plan, *arguments):
    status, out, err = plan(*arguments, "--json")
    assert status == 0 and not err
    return json.loads(out)


def decisions(plan):
    with Store(plan.root / ".groundup" / "progress.db", readonly=True) as store:
        return [event.payload for event in store.events(kind="planned")]


def test_the_plan_is_at_most_a_screen(plan):
    status, out, err = plan()
    assert status == 0 and not err and len(out.splitlines()) <= 24
    assert all(len(line) <= 100 for line in out.splitlines())
    assert "10 h a week, evenings" in out and "The end is" in out and "cloud credits" in out
    assert len(plan("--weeks", "6")[1].splitlines()) > 24


def test_a_narrow_terminal_has_room_for_it(plan, monkeypatch):
    plan("--hours", "56")  # days with many lessons
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = plan("--weeks", "2")
    assert max(map(len, out.splitlines())) <= 60 and "exercise" in out


def test_more_hours_than_a_plan_gives_out_are_said(plan):
    out = plan("--hours", "80")[1]
    assert "56 of 80 h a week" in out and "if you work 56 h a week" in out


def test_what_is_decided_is_kept(plan):
    before = found(plan)
    assert before["shape"] == "evenings" and before["hours_per_week"] == 10
    status, _, err = plan("--hours", "25", "--off", "2031-12-24..2032-01-02", "--off", "2031-11-05")
    assert status == 0 and not err
    after = found(plan)
    assert read_config(plan.root / "groundup.toml").hours_per_week == 25
    assert 'track = "everything"  #' in (plan.root / "groundup.toml").read_text()
    assert after["shape"] == "full-days" and after["off"] == [
        ["2031-11-05", "2031-11-05"],
        ["2031-12-24", "2032-01-02"],
    ]
    assert after["ends"]["planned"] < before["ends"]["planned"]
    assert found(plan, "--evenings", "--on", "2031-12-31")["off"][1:] == [
        ["2031-12-24", "2031-12-30"],
        ["2032-01-01", "2032-01-02"],
    ]
    assert found(plan)["shape"] == "evenings" and len(decisions(plan)) == 2
    assert found(plan, "--level", "core")["levels"] == ["core"]


def test_the_object_has_the_whole_year(plan):
    told = found(plan)
    assert told["schema"] == 1 and [week["number"] for week in told["weeks"]] == [*range(1, len(told["weeks"]) + 1)]
    minutes = {part["what"] for week in told["weeks"] for s in week["sittings"] for part in s["parts"]}
    assert minutes == {"read", "build", "check", "exercise"}
    assert (
        sum(p["minutes"] for w in told["weeks"] for s in w["sittings"] for p in s["parts"]) >= told["left"]["minutes"]
    )


def test_ticking_off(plan):
    assert "due    apply for cloud credits (credits)" in plan()[1]
    status, out, _ = plan("--done", "credits")
    assert status == 0 and "(credits)" not in out
    assert next(mark for mark in found(plan)["marks"] if mark["name"] == "credits")["done"]
    assert "(credits)" in plan("--undo", "credits")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hours", "0"], "hours a week are from 0.25 to 168, not 0"),
        (["--hours", "8", "--off", "soon"], "'soon' is no date"),
        (["--hours", "8", "--done", "nothing"], "there is nothing called 'nothing' to tick off: credits"),
        (["--hours", "8", "--level", "expert"], "there is no level 'expert'"),
        (["--evenings", "--full-days"], "say one of them"),
        (["--weeks=-1"], "how many weeks"),
        (["--hours", "8", "--ical", "groundup.toml"], "is no calendar: name another file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(plan, arguments, says):
    before = (plan.root / "groundup.toml").read_bytes()
    status, out, err = plan(*arguments)
    assert status == 2 and not out and says in err and len(err.splitlines()) == 1
    assert (plan.root / "groundup.toml").read_bytes() == before and decisions(plan) == []


def test_hours_that_stand_in_a_way_of_their_own_are_left_to_their_writer(plan):
    path = plan.root / "groundup.toml"
    path.write_text('"hours_per_week" = 7\nformat = 1\n')
    status, _, err = plan("--hours", "8")
    assert status == 2 and path.read_text().startswith('"hours_per_week" = 7')
    assert "yourself" in err or "not TOML" in err
    assert not [each for each in plan.root.iterdir() if each.name.endswith(".part")]
    path.write_text("format = 1\r\n")
    assert plan("--hours", "8")[0] == 0 and read_config(path).hours_per_week == 8


def test_a_calendar_is_written_and_written_again(plan):
    status, out, _ = plan("--ical", "plan.ics")
    first = (plan.root / "plan.ics").read_bytes()
    assert status == 0 and "sittings are in plan.ics" in out and first.startswith(b"BEGIN:VCALENDAR\r\n")
    [kept] = decisions(plan)
    assert len(kept["exported"]) == first.count(b"CATEGORIES:")
    assert plan("--hours", "5", "--ical", "plan.ics")[0] == 0
    assert b"STATUS:CANCELLED" in (plan.root / "plan.ics").read_bytes()
    assert plan("--ical", "-")[1].startswith("BEGIN:VCALENDAR")


def test_outside_a_workspace_it_says_where_to_begin(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["plan"]) == 2 and "groundup start" in capsys.readouterr().err
