"""The arena and the last test: what is hard, how times are kept, and what is drawn."""

from groundup.course.lessons.lesson import find, find_all
from groundup.course.progress.store import Event, Standing
from groundup.course.recall import arena, final
from groundup.course.recall.cards import BUG, REBUILD

from .learner import BERLIN, Clock


def log(*events):
    """(seconds, kind, lesson, payload) as events."""
    return [Event(number, at, kind, lesson, payload) for number, (at, kind, lesson, payload) in enumerate(events, 1)]


PASSED = {name: Standing(name, passed=True) for name in ("1.2", "1.3", "1.4")}


def test_the_hardest_come_first():
    failed = [(60.0 * i, "checked", "1.3", {"passed": False}) for i in range(30)]
    events = log(
        *failed, (2000.0, "passed", "1.3", {}), *[(2001.0 + i, "checked", "1.2", {"passed": False}) for i in range(3)]
    )
    standings = {
        **PASSED,
        "1.4": Standing("1.4", passed=True, hints=9, looked=True),
        "1.1": Standing("1.1", opened=True),
    }
    found = arena.bouts(find_all(), standings, events)
    assert [bout.lesson.section_id for bout in found] == ["1.4", "1.3", "1.2"]
    after = log(
        *[(event.at, event.kind, event.lesson, event.payload) for event in events],
        (2100.0, "checked", "1.3", {"passed": False}),
    )
    assert arena.hardness(find("1.3"), PASSED["1.3"], after, 0) == arena.hardness(find("1.3"), PASSED["1.3"], events, 0)


def test_times_are_kept_and_a_clock_runs_until_it_is_stopped():
    def bout(*events):
        [found] = arena.bouts([find("1.3")], PASSED, log(*events))
        return found

    begun, missed = (
        (10.0, arena.BEGUN, None, {"lesson_id": "1.3"}),
        {"lesson_id": "1.3", "passed": False, "seconds": None},
    )
    assert bout(begun).begun == 10.0 and bout().begun == 0.0 and bout().best is None
    assert (bout(begun, (11.0, "arena", None, missed)).begun, bout(begun, (11.0, "arena", None, missed)).checks) == (
        10.0,
        1,
    )
    won = [(20.0, "arena", None, {"lesson_id": "1.3", "passed": True, "seconds": seconds}) for seconds in (90.0, 60.5)]
    assert bout(begun, won[0], begun, won[1]).times == (90.0, 60.5) and bout(begun, *won).best == 60.5
    stopped = (30.0, "arena", None, {"lesson_id": "1.3", "passed": False, "stopped": True})
    assert bout(begun, stopped).begun == 0.0 and bout(begun, stopped).times == ()
    other = (40.0, "arena", None, {"lesson_id": "1.2", "passed": True, "seconds": 1.0})
    assert bout(begun, other).begun == 10.0


def test_a_blank_file_has_nothing_but_names():
    for lesson in find_all():
        for path in lesson.builds:
            lines = arena.blank_file(lesson, path).splitlines()
            assert len(lines) > 2 and all(line.startswith("#") or not line for line in lines)


def test_a_clock_reads_as_people_say_it():
    assert [arena.clock(s) for s in (0.4, 59.6, 754, 3725)] == ["0:00", "1:00", "12:34", "1:02:05"]


def test_the_last_test_draws_from_every_phase_and_by_turns():
    lessons = find_all()
    hardest = [lesson for lesson in lessons if lesson.phase == 2] + [lesson for lesson in lessons if lesson.phase != 2]
    drawn = final.draw(hardest)
    assert len(drawn) == final.PIECES == len({lesson.section_id for lesson, _ in drawn})
    assert {lesson.phase for lesson, _ in drawn} == {lesson.phase for lesson in lessons}
    assert [kind for _, kind in drawn] == [REBUILD, BUG] * 5
    assert [lesson.section_id for lesson, _ in drawn] == [each.section_id for each in lessons if each in dict(drawn)]
    assert final.draw(hardest[:1]) == [(hardest[0], REBUILD)] and final.draw([]) == []


def test_a_last_test_has_a_week_and_knows_its_pieces():
    clock = Clock(2026, 10, 22, 20, zone=BERLIN)  # the clock is put back within the week
    cards = ["final-1/1.2/rebuild", "final-1/1.3/bug", "final-1/99.9/bug"]
    begun = (clock.at, final.BEGUN, None, {"track": "core", "cards": cards})
    piece = (clock.at + 60, "recalled", None, {"card": cards[0], "piece": True, "passed": True})
    met = (clock.at + 90, "recalled", None, {"final": "core", "passed": True})
    found = final.open_final("core", log(begun, piece), clock.now)
    assert [card.name for card in found.pieces] == cards[:2] and found.at_hand.name == cards[1]
    assert final.open_final("lm", log(begun), clock.now) is None and final.met_at("lm", log(begun, met)) is None
    assert final.open_final("core", log(begun, piece, met), clock.now) is None
    assert final.met_at("core", log(begun, piece, met)) == clock.at + 90
    clock.go(days=7)
    assert final.open_final("core", log(begun), clock.now) is not None
    clock.go(seconds=1)
    assert final.open_final("core", log(begun), clock.now) is None
