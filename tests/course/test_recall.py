"""Recall: what there is, when it is due, and code that is asked for: it can be done, and nothing less will do."""

import ast
import random
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import fsrs
import pytest

from groundup.course.holes.blanks import blank, parts
from groundup.course.holes.library import module_name, reference_text
from groundup.course.holes.stub import UNWRITTEN
from groundup.course.lessons.lesson import find, find_all
from groundup.course.lessons.listed import items
from groundup.course.progress.store import Event, Standing
from groundup.course.recall import code, reviews
from groundup.course.recall import final as last
from groundup.course.recall.cards import BUG, QUESTION, REBUILD, cards_of, deck
from groundup.course.recall.passages import passage
from groundup.course.recall.schedule import RATINGS, Schedule, next_due
from groundup.course.recall.session import Done, done_today, interleaved, todays
from groundup.course.workspace.workspace import WorkspaceError, make_workspace

from .learner import BERLIN

DAY = 86400
AT = datetime(2026, 3, 2, 18, tzinfo=timezone.utc).timestamp()


def event(at, kind, lesson=None, **payload):
    event.id += 1
    return Event(event.id, at, kind, lesson, payload)


event.id = 0


def recalled(at, card, rating):
    return event(at, "recalled", card=card.name, form=card.kind, rating=rating)


def local(at):
    return datetime.fromtimestamp(at, BERLIN)


# What there is


def test_every_lesson_has_questions_and_two_cards_of_code():
    for lesson in find_all():
        cards = cards_of(lesson)
        questions = [card for card in cards if card.kind == QUESTION]
        assert 3 <= len(questions) <= 6 and [card.kind for card in cards[-2:]] == [REBUILD, BUG]
        assert all(card.text.rstrip("*_ ")[-1] in "?.:)" for card in questions), lesson.section_id
        assert len({card.name for card in cards}) == len(cards)
        assert [card.name for card in cards] == [card.name for card in cards_of(lesson)]


def test_a_question_is_known_by_its_words_alone(tmp_path):
    page = find("1.3").page.read_text()
    folder = tmp_path / "01-a" / "01-b"
    folder.mkdir(parents=True)

    def names(text):
        from groundup.course.lessons.lesson import load

        (folder / "lesson.md").write_text(text)
        return [card.name for card in cards_of(load(folder))]

    before = names(page)
    assert names(page.replace("1. Why backwards? What", "1. *Why*  backwards; what")) == before
    new = names(page.replace("## Look back\n", "## Look back\n\n1. A new question first?"))
    assert new[1:] == before
    assert names(page.replace("Why backwards?", "Why forwards?"))[1:] == before[1:]


def test_only_what_was_passed_is_asked():
    standings = {"1.3": Standing("1.3", passed=True), "1.4": Standing("1.4", opened=True)}
    assert {card.lesson.section_id for card in deck(find_all(), standings)} == {"1.3"}
    assert deck(find_all(), {}) == []


def test_a_question_has_a_passage_to_compare_with():
    for lesson in find_all():
        for question in items(lesson, "Look back"):
            found = passage(lesson, question)
            assert found is None or (found.text in lesson.prose and len(found.text) >= 80)
    assert passage(find("1.3"), "Where does the code rely on every slope being known?") is not None
    assert passage(find("1.3"), "???") is None


# When


@pytest.mark.parametrize("seed", range(20))
def test_intervals_are_the_librarys_own(seed):
    """The same reviews, fed to the library by hand, of a card never rated by the learner."""
    draw = random.Random(seed)
    card = cards_of(find("1.3"))[0]
    library = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    expected = fsrs.Card(card_id=1)
    at, events = AT, [event(AT, "passed", "1.3")]
    for _ in range(12):
        at += draw.uniform(0.01, 40) * DAY
        rating = draw.choice(RATINGS)
        events.append(recalled(at, card, rating))
        moment = datetime.fromtimestamp(at, timezone.utc)
        expected, _ = library.review_card(expected, fsrs.Rating(RATINGS.index(rating) + 1), moment)
        state = Schedule(events).state(card)
        assert (state.due, state.stability, state.difficulty) == (
            expected.due,
            expected.stability,
            expected.difficulty,
        )
        later = moment + timedelta(days=draw.uniform(0, 30))
        assert Schedule(events).retained(card, later) == library.get_card_retrievability(expected, later)


def test_what_the_learner_says_of_themselves_is_the_first_review():
    first, *_, rebuild, bug = cards_of(find("1.3"))
    passed = event(AT, "passed", "1.3")
    plain = Schedule([passed])
    assert plain.due(first, local(AT)) == local(AT + DAY).date()
    noted = event(AT + 600, "noted", "1.3", rating={"explain": "yes", "rebuild": "no", "why": "partly"})
    rated = Schedule([passed, noted])
    library = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    for card, rating in ((first, fsrs.Rating.Good), (rebuild, fsrs.Rating.Again), (bug, fsrs.Rating.Hard)):
        moment = datetime.fromtimestamp(AT + 600, timezone.utc)
        expected, _ = library.review_card(fsrs.Card(card_id=1), rating, moment)
        assert rated.state(card).due == expected.due and rated.state(card).stability == expected.stability
    assert rated.due(first, local(AT)) > rated.due(rebuild, local(AT))
    once = Schedule([passed, noted, recalled(AT + 3 * DAY, first, "good")])
    again = event(AT + 4 * DAY, "noted", "1.3", rating={"explain": "no"})
    after = Schedule([passed, noted, recalled(AT + 3 * DAY, first, "good"), again])
    assert after.state(first).due == once.state(first).due  # what was recalled is known better


def test_a_last_test_has_seven_days():
    begun = event(AT, "final-begun", track="core", cards=["final-1/1.3/rebuild"])
    within, after = (local(AT + days * DAY) for days in (6.9, 7.1))
    found = last.open_final("core", [begun], within)
    assert found is not None and found.until(within) == local(AT + 7 * DAY)
    assert not last.has_lapsed("core", [begun], within) and last.has_lapsed("core", [begun], after)
    assert not last.has_lapsed("lm", [begun], after)
    passed = event(AT + DAY, "recalled", final="core", passed=True)
    assert not last.has_lapsed("core", [begun, passed], after)


def test_events_that_nobody_would_write_are_passed_over():
    card = cards_of(find("1.3"))[0]
    odd = [
        event(AT, "recalled"),
        event(AT, "recalled", card=card.name, rating="splendid"),
        event(AT, "recalled", card=3, rating="good"),
        event(AT, "recalled", final="everything", passed=True),
        event(AT, "noted", "1.3", rating="yes"),
        event(AT, "noted", "1.3", rating={"explain": 7}),
        event(AT, "noted", rating={"explain": "yes"}),
        event(1e30, "passed", "1.3"),
        event(float("nan"), "passed", "1.4"),
    ]
    assert Schedule(odd).state(card).last_review is None and Schedule(odd).times(card) == 0


def test_a_clock_set_back_moves_nothing_back():
    card = cards_of(find("1.3"))[0]
    forward = [event(AT, "passed", "1.3"), recalled(AT + 9 * DAY, card, "good")]
    back = Schedule([*forward, recalled(AT + DAY, card, "good")])
    assert back.state(card).last_review == Schedule(forward).state(card).last_review
    assert back.state(card).due >= Schedule(forward).state(card).due


def test_a_card_is_due_all_of_its_day_whatever_the_hour():
    card = cards_of(find("1.3"))[0]
    evening = datetime(2026, 3, 28, 22, tzinfo=BERLIN).timestamp()  # summer time begins in the night
    schedule = Schedule([event(evening, "passed", "1.3")])
    assert not schedule.is_due(card, datetime(2026, 3, 28, 23, 59, tzinfo=BERLIN))
    assert schedule.is_due(card, datetime(2026, 3, 29, 0, 1, tzinfo=BERLIN))
    days = next_due(schedule.state(card), datetime(2026, 3, 29, 7, tzinfo=BERLIN))
    assert list(days) == list(RATINGS) and sorted(days.values()) == list(days.values())


# Which of them


def known(count=12):
    lessons = find_all()[:count]
    standings = {lesson.section_id: Standing(lesson.section_id, passed=True) for lesson in lessons}
    events = [event(AT + i, "passed", lesson.section_id) for i, lesson in enumerate(lessons)]
    return deck(lessons, standings), events


def test_a_day_has_fifteen_minutes_and_code_among_them():
    cards, events = known()
    now = local(AT + 2 * DAY)
    chosen = todays(cards, Schedule(events), now, 15, Done())
    assert sum(card.minutes for card in chosen) <= 15 and {QUESTION} < {card.kind for card in chosen}
    for card in chosen:
        events.append(recalled(now.timestamp(), card, "good"))
    done = done_today(events, now)
    assert done.minutes == sum(card.minutes for card in chosen) and done.code
    assert todays(cards, Schedule(events), now, 15, done) == [] or done.minutes < 15
    tomorrow = now + timedelta(days=1)
    assert done_today(events, tomorrow) == Done()
    assert set(todays(cards, Schedule(events), tomorrow, 15, Done())).isdisjoint(chosen)
    assert todays(cards, Schedule(events), now, 0, Done()) == []
    assert todays(cards, Schedule(events[:12]), local(AT + 100), 15, Done()) == []  # on the day of the pass


def test_cards_are_interleaved():
    cards, _ = known(3)
    order = interleaved(cards)
    assert sorted(card.name for card in order) == sorted(card.name for card in cards)
    beside = sum(a.lesson == b.lesson for a, b in pairwise(order))
    assert beside <= 2


# Code


@pytest.mark.parametrize("lesson", find_all(), ids=lambda lesson: lesson.section_id)
def test_a_definition_can_be_blanked(lesson):
    """What is left parses, lacks the body and what only it used, and has all else."""
    count = 0
    for path in lesson.builds[:2]:
        source = reference_text(module_name(path))
        before = parts(source, source)
        for name in list(before)[-3:]:
            text = blank(source, name, source)
            assert text.count(UNWRITTEN.format(name)) == 1
            left = _definitions(ast.parse(text))
            assert set(before) <= set(left) and left[name] <= 2
            above = {name, *(name[:i] for i, letter in enumerate(name) if letter == ".")}
            everything = _definitions(ast.parse(source))
            assert all(left[other] == everything[other] for other in set(left) - above)
            count += 1
    assert count


def _definitions(tree, prefix=""):
    """Dotted name -> the number of statements in its body."""
    found = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[prefix + node.name] = len(node.body)
        if isinstance(node, ast.ClassDef):
            found |= _definitions(node, f"{prefix}{node.name}.")
    return found


def test_private_parts_that_only_the_blank_one_used_go_with_it():
    source = (
        "def public(x):\n    return _walk(x)\n\n\ndef _walk(x):\n    return _deep(x) if x else _walk(x)\n\n\n"
        "def _deep(x):\n    return _shared(x)\n\n\ndef _shared(x):\n    return x\n\n\ndef other(x):\n    return _shared(x)\n"
    )
    text = blank(source, "public", 'def public(x):\n    """What \\"\\"\\" it\\n    does."""\n')
    names = [node.name for node in ast.parse(text).body]
    assert names == ["public", "_shared", "other"]
    assert ast.get_docstring(ast.parse(text).body[0]) == 'What """ it\ndoes.'


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "ws")


def reference(lesson):
    return {path: (reference_text(module_name(path))).encode() for path in lesson.builds}


def passed(store, lesson, files):
    store.append("checked", lesson.section_id, files, passed=True, checkpoints={})
    store.append("passed", lesson.section_id, files, stretch=False)


OWN = {  # the reference, as a learner might have written it: the faults still fit
    "1.3": lambda text: text.replace("# results start afresh; leaves add up", "# mine"),
    "2.1": lambda text: "# mine\n" + text,
}


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("kind", [REBUILD, BUG])
def test_code_that_is_handed_out_fails_and_the_learners_own_passes(workspace, judge, name, kind):
    lesson = find(name)
    files = {path: OWN[name](data.decode()).encode() for path, data in reference(lesson).items()}
    card = next(card for card in cards_of(lesson) if card.kind == kind)
    seen = set()
    with workspace.store() as store:
        passed(store, lesson, files)
        for _ in range(2):
            task = code.hand_out(workspace, store, judge, card)
            assert task.own and task.part not in seen and task == code.open_task(store.events(), card.name)
            seen.add(task.part)
            path = workspace.root / task.path
            handed = path.read_bytes()
            assert handed != files[task.file]
            assert not code.judge_task(workspace, store, judge, task)["verdict"]["passed"]
            assert code.open_task(store.events(), card.name).checks == 1
            path.write_bytes(files[task.file])
            verdict = code.judge_task(workspace, store, judge, task)["verdict"]
            assert verdict["passed"] and (len(verdict["checkpoints"]) == len(task.only) or not task.only)
            store.append("recalled", card=card.name, form=kind, rating="good")
            assert code.open_task(store.events(), card.name) is None
        assert store.verify() == []


def test_a_solution_that_no_longer_passes_or_fits_gives_way_to_the_reference(workspace, judge, engine):
    broken = reference_text("grad.value").replace("operand.grad += slope", "operand.grad = slope").encode()
    rebuild, bug = cards_of(engine)[-2:]
    with workspace.store() as store:
        passed(store, engine, {"grad/value.py": broken})
        assert not code.hand_out(workspace, store, judge, rebuild).own
        assert not code.hand_out(workspace, store, judge, bug).own
        passed(store, engine, {"grad/value.py": b"def ("})
        assert not code.hand_out(workspace, store, judge, rebuild).own


def test_a_file_that_was_handed_out_before_is_kept(workspace, judge, engine):
    card = cards_of(engine)[-1]
    with workspace.store() as store:
        passed(store, engine, reference(engine))
        first = code.hand_out(workspace, store, judge, card)
        (workspace.root / first.path).write_bytes(b"my attempt")
        code.hand_out(workspace, store, judge, card)
        event = store.events(kind=code.BEGUN)[-1]
        assert store.blob(event.payload["files"][first.path]) == b"my attempt"
        (workspace.root / first.path).unlink()
        with pytest.raises(WorkspaceError, match="--rate again"):
            code.judge_task(workspace, store, judge, first)


def test_a_rating_is_the_judges_by_checks_and_time():
    task = code.Task("1.3/bug", BUG, "1.3", "a", "f", "p", True, (), 0.0, 0)
    assert [task.rating(s) for s in (60, 151, 601)] == ["easy", "good", "hard"]
    assert code.Task(**{**vars(task), "checks": 1}).rating(60) == "good"
    assert code.Task(**{**vars(task), "checks": 4}).rating(60) == "hard"


def test_reviews_go_from_the_store_and_back(workspace, engine):
    with workspace.store() as store:
        passed(store, engine, reference(engine))
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    desk = reviews.desk_of(workspace, tomorrow)
    assert desk.due == len(desk.cards) == 6 and desk.today
    question = desk.cards[0]
    assert desk.card(question.name[:6]) == question and desk.card("1.3/bug").kind == BUG
    with pytest.raises(WorkspaceError, match="beginning of several"):
        desk.card("1.3/")
    with pytest.raises(WorkspaceError, match="no card"):
        desk.card("9.9")
    with pytest.raises(WorkspaceError, match="not 'fine'"):
        reviews.rate(workspace, question, "fine")
    with pytest.raises(WorkspaceError, match="the judge says"):
        reviews.rate(workspace, desk.card("1.3/bug"), "good")
    reviews.rate(workspace, question, "easy")
    after = reviews.desk_of(workspace, tomorrow)
    assert after.schedule.times(question) == 1 and after.due == 5
