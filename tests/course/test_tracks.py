"""Tracks: what is on each, in which order, when a gate is met, and what the map and the next step make of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.course import tracks
from groundup.course.checking.session import next_lesson
from groundup.course.checking.steps import map_object, map_text
from groundup.course.lessons.lesson import find, find_all
from groundup.course.progress.store import Standing
from groundup.course.showing.wall import wall
from groundup.course.tracks import Gate, Track, TrackError, before_begin, gates_met, lessons_of, problems, still_open
from groundup.course.workspace.kept_runs import kept_recipes
from groundup.course.workspace.workspace import Config, WorkspaceError, find_workspace, make_workspace
from groundup.lab import recipe
from groundup.lab.record import records_in

LESSONS = {lesson.section_id: lesson for lesson in find_all()}
BUILT_IN = ("everything", "core", "engineer", "lm", "nlp")


def passed(*ids):
    return {name: Standing(name, passed=True) for name in ids}


def ids(lessons):
    return [lesson.section_id for lesson in lessons]


def in_order(track, lessons):
    """Whether no lesson comes before one of the track that it leans on."""
    place = {name: i for i, name in enumerate(ids(lessons))}
    return all(
        place[other] < place[lesson.section_id]
        for lesson in lessons
        for other in tracks.leans_on(track, lesson)
        if other in place
    )


# The five of the course


def test_the_five_tracks_are_there_and_fit_the_lessons():
    assert tuple(tracks.names()) == BUILT_IN
    for name in BUILT_IN:
        track = tracks.load(name)
        assert track.name == name and track.title and track.who and track.gates
        assert problems(track) == []
        assert in_order(track, lessons_of(track))


def test_everything_is_the_course_in_its_order():
    assert lessons_of(tracks.load("everything")) == list(find_all())


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_track_has_just_the_lessons_that_its_route_names(name):
    track = tracks.load(name)
    entries = {choice for step in track.route for entry in step for choice in entry.split(" or ")}
    assert set(ids(lessons_of(track))) == {i for i, x in LESSONS.items() if entries & {i, str(x.phase)}}


@pytest.mark.parametrize("name", BUILT_IN)
def test_following_the_next_lesson_walks_the_whole_track_and_never_jumps_ahead(name):
    track, standings, walked = tracks.load(name), {}, []
    while (lesson := next_lesson(standings, track)) is not None:
        assert all(other in standings for other in tracks.leans_on(track, lesson))
        walked.append(lesson)
        standings |= passed(lesson.section_id)
    assert sorted(ids(walked)) == sorted(ids(lessons_of(track)))


def test_the_example_of_a_track_of_ones_own_fits_the_lessons(tmp_path):
    guide = (Path(__file__).parents[2] / "docs/journey.md").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(guide.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    track = tracks.load("mine.toml", tmp_path)
    assert track.gates and lessons_of(track) and problems(track) == []


def test_the_four_weeks_of_language_models_begin_with_a_gpt():
    assert next_lesson({}, tracks.load("lm")).section_id == "7.2"


def test_gates_of_the_course_are_met_by_passing_and_running_all_of_it():
    for name in BUILT_IN:
        track = tracks.load(name)
        all_of_it = passed(*(lesson for gate in track.gates for lesson in gate.lessons))
        runs = {run for gate in track.gates for entry in gate.runs for run in entry.split(" or ")}
        assert all(met for _, met in gates_met(track, all_of_it, runs))
        assert not any(met for _, met in gates_met(track, {}, ()))


# Any track


@st.composite
def routes(draw):
    entries = st.sampled_from([*LESSONS, "1", "2", "7", "9.9", "14"])
    steps = draw(st.lists(st.lists(entries, min_size=1, max_size=6), min_size=1, max_size=5))
    stands_in = draw(st.lists(st.sampled_from(list(LESSONS)), max_size=4))
    return Track("own", "Own", "", tuple(map(tuple, steps)), stands_in=tuple(stands_in))


@given(routes())
def test_a_route_keeps_its_lessons_each_once_with_what_they_lean_on_before_them(track):
    lessons = lessons_of(track)
    named = {entry for step in track.route for entry in step}
    assert set(ids(lessons)) == {i for i, x in LESSONS.items() if named & {i, str(x.phase)}}
    assert len(set(ids(lessons))) == len(lessons) and in_order(track, lessons)


@given(routes())
def test_each_lesson_that_leans_on_one_outside_is_a_problem_and_nothing_else_is(track):
    inside = set(ids(lessons_of(track)))
    lacking = [
        (i, other) for i in inside for other in LESSONS[i].after if other not in inside and other not in track.stands_in
    ]
    found = problems(track)
    assert len(found) == len(lacking)
    assert all(any(f"{i} " in line and f" on {other}," in line for line in found) for i, other in lacking)


@given(st.sets(st.sampled_from(["1.1", "1.2", "3.5", "9.9"])), st.sets(st.sampled_from(["a", "b", "c"])))
def test_a_gate_is_met_by_all_of_its_needs_and_one_of_each_choice(done, kept):
    gate = Gate("g", "says", ("1.1", "1.2 or 3.5"), ("a", "b or c"))
    track = Track("own", "Own", "", (("1",),), (gate,))
    met = "1.1" in done and bool(done & {"1.2", "3.5"}) and "a" in kept and bool(kept & {"b", "c"})
    assert gates_met(track, passed(*done), kept) == [(gate, met)]


def test_a_gate_says_what_it_asks_for_and_what_is_not_here_yet():
    gate = Gate("g", "says", ("1.1", "99.1"), ("two-moons", "no-such-recipe", tracks.FINAL))
    assert still_open(gate, passed("1.1"), ()) == [
        "groundup run two-moons --mine",
        "run no-such-recipe (not here yet)",
        "groundup recall --final",
        "99.1 (not here yet)",
    ]


def test_levels_filter_a_track_and_its_choices_are_optional():
    track = Track("own", "Own", "", (("1.1", "1.2 or 1.3"),), optional=("1.3",))
    assert ids(lessons_of(track)) == ["1.1", "1.2", "1.3"]
    assert ids(lessons_of(track, levels=("core",))) == ["1.1", "1.2"]
    assert ids(lessons_of(track, levels=("advanced",))) == []


def test_whoever_begins_further_on_comes_back_to_the_rest_at_the_end():
    track = Track("own", "Own", "", (("1",),), begin="1.4")
    assert before_begin(track) == set(ids(lessons_of(track))[: ids(lessons_of(track)).index("1.4")])
    assert next_lesson({}, track).section_id == "1.4"
    rest = [i for i in ids(lessons_of(track)) if i not in before_begin(track)]
    assert next_lesson(passed(*rest), track).section_id == ids(lessons_of(track))[0]


# One's own, by file

OWN = 'title = "Trees alone"\nroute = [["2.5"], ["2.6", "2.7"]]\n'
MALFORMED = {
    "route = ": "not TOML",
    'title = "x"': "route is missing",
    'title = "x"\nroute = []': "route is empty",
    'title = "x"\nroute = ["1.1"]': "a step of route is a list",
    'title = "x"\nroute = [["one"]]': "has 'one'",
    'title = 3\nroute = [["1"]]': "title is a text",
    'title = "x"\nroute = [["1"]]\nweeks = 3': "weeks is not a name",
    'title = "x"\nroute = [["1"]]\n[[gate]]\nname = "g"\nsays = "s"': "gate 1: a gate needs",
    'title = "x"\nroute = [["1"]]\n[[gate]]\nname = "g"\nneeds = ["1.1"]': "gate 1: says is missing",
    'title = "x"\nroute = [["1"]]\n[[gate]]\nname = "g"\nsays = "s"\nneeds = ["1"]': "gate 1: needs has '1'",
}


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "ws", Config("core"))


def follow(workspace, name, text):
    """The workspace on a track of its own."""
    path = workspace.root / "tracks" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    config = workspace.root / "groundup.toml"
    config.write_text(f'format = 1\ntrack = "{name}"\n')
    return find_workspace(workspace.root)


def test_a_track_of_ones_own_is_followed_by_name_and_by_path(workspace, tmp_path):
    own = follow(workspace, "trees", OWN)
    assert "trees" in tracks.names(own.root) and "trees" not in tracks.names()
    assert ids(lessons_of(own.track)) == ["2.5", "2.6", "2.7"]
    assert next_lesson({}, own.track).section_id == "2.5"  # what it leans on is not on the track
    assert [line.partition(" ")[0] for line in problems(own.track)] == ["2.5", "2.7"]
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(OWN)
    assert tracks.load(str(elsewhere)).title == "Trees alone"
    assert tracks.load("../elsewhere.toml", own.root).name == "elsewhere"


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_track_is_one_sentence_with_the_file(text, workspace):
    own = follow(workspace, "bad", text)
    with pytest.raises(WorkspaceError) as problem:
        map_text(own)
    assert MALFORMED[text] in str(problem.value) and "bad.toml" in str(problem.value)


@pytest.mark.parametrize("name", ["cor", "", "..", "tracks/core", "nowhere.toml", "/etc/passwd"])
def test_a_track_that_is_not_there_is_said(name):
    with pytest.raises(TrackError, match="there is no track"):
        tracks.load(name)


def test_a_gate_that_needs_a_lesson_off_the_route_is_a_problem():
    track = Track("own", "Own", "", (("1",),), (Gate("g", "s", ("1.1", "2.1 or 1.2")),))
    assert problems(track) == ["the gate g needs 2.1, which is not on the track own: add it to route"]


# What the store and the record of runs say


def run(workspace, mine=True, status="finished", config=None, **result):
    values = {"seed": 0, **dict(recipe.flat(recipe.load("two-moons").values)), **(config or {})}
    with records_in(workspace.root / "runs") as kept, kept.begin("two-moons", 0, values, "source", mine) as going:
        going.end(status, result)


def test_a_recipe_is_kept_by_ones_own_run_with_its_own_values_that_keeps_every_claim(workspace):
    assert kept_recipes(workspace) == frozenset()
    run(workspace, mine=False, test_accuracy=1.0)
    run(workspace, test_accuracy=0.5)
    run(workspace, status="failed", test_accuracy=1.0)
    run(workspace, config={"width": 3}, test_accuracy=1.0)
    assert kept_recipes(workspace) == frozenset()
    run(workspace, test_accuracy=0.995)
    assert kept_recipes(workspace) == {"two-moons"}


def test_the_last_test_counts_for_the_track_that_it_was_taken_on(workspace):
    with workspace.store() as store:
        store.append("recalled", final="lm", passed=True)
        store.append("recalled", final="core", passed=False)
    assert kept_recipes(workspace) == frozenset()
    with workspace.store() as store:
        store.append("recalled", final="core", passed=True)
    assert kept_recipes(workspace) == {tracks.FINAL}


def test_a_damaged_record_of_runs_keeps_the_map(workspace):
    (workspace.root / "runs").mkdir()
    (workspace.root / "runs" / "runs.db").write_bytes(b"no database" * 100)
    assert kept_recipes(workspace) == frozenset() and "gates" in map_text(workspace)


# The map


def test_the_map_draws_what_is_not_on_the_track_quietly_and_names_the_gates(workspace):
    text = wall(find_all(), passed("7.8"), find("7.2"), tracks.load("lm"))
    assert "dots: off track" in text
    row = next(line for line in text.splitlines() if " 3.1 " in line)
    assert "·    3.1" in row and "┆    3.1" not in row
    built = next(line for line in text.splitlines() if " 7.8 " in line)
    assert "▐     7.8" in built  # what is built stays, on the track or off it
    assert "off track" not in wall(find_all(), {}, None, tracks.load("everything"))
    below = map_text(workspace)
    assert "gates  core: 0 of 15 met" in below and "○ test 10: from a blank file" in below


def test_the_map_as_json_says_the_same(workspace):
    with workspace.store() as store:
        for lesson in ("1.2", "1.3", "1.4"):
            store.append("placed", lesson, {}, stretch=False, seed=1)
    found = map_object(workspace)
    assert found["schema"] == 1 and found["track"] == {"name": "core", "title": workspace.track.title, "problems": []}
    lessons = {each["lesson"]: each for each in found["lessons"]}
    assert list(lessons) == ids(find_all())
    assert lessons["1.3"]["state"] == "built" and lessons["7.3"]["on_track"] is False
    assert found["next"] == next_lesson(passed("1.2", "1.3", "1.4"), workspace.track).section_id
    gates = {gate["name"]: gate for gate in found["gates"]}
    assert gates["test 1: gradients"]["met"] and gates["test 1: gradients"]["asks"] == []
    assert "1.7" in gates["stage 2: networks by hand"]["asks"]
