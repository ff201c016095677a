"""Placement: known is what the judge has passed, on files that are there, and nothing else."""

import pytest

from groundup.course.checking.parts import gaps
from groundup.course.checking.placement import FIRST_PHASES, chosen, given_files, place
from groundup.course.checking.session import next_lesson
from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.lesson import NoSuchLesson, find, find_all
from groundup.course.progress.store import replay
from groundup.course.tracks import lessons_of
from groundup.course.workspace.workspace import Config, WorkspaceError, make_workspace

CHECK = "grad/check.py"  # of 1.2
WRONG = "\ndef derivative(f, x, h=None):\n    return 0.0\n"


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "ws")


def reference(path):
    return reference_text(module_name(path)).encode()


def write(workspace, path, data=None):
    target = workspace.path_of(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(reference(path) if data is None else data)


def events(workspace):
    with workspace.store(readonly=True) as store:
        return store.events()


def test_what_passes_is_placed_and_what_does_not_leaves_no_trace(workspace):
    write(workspace, CHECK)
    write(workspace, "grad/value.py", reference("grad/value.py") + b"\nValue.__add__ = lambda self, other: self\n")
    workspace.open_lesson(find("1.1"))  # a stub, not filled in
    before = len(events(workspace))
    tried = place(workspace, [find(name) for name in ("1.1", "1.2", "1.3", "1.5")])
    assert [each.how for each in tried] == ["absent", "placed", "missed", "absent"]
    assert tried[1].passed == tried[1].of > 0 and 0 <= tried[2].passed < tried[2].of and tried[2].says
    [event] = events(workspace)[before:]
    assert (event.kind, event.lesson) == ("placed", "1.2")
    with workspace.store(readonly=True) as store:
        standings = store.standings()
        assert [name for name, standing in standings.items() if standing.passed] == ["1.2"]
        assert store.blob(event.payload["files"][CHECK]) == reference(CHECK)
        assert replay(store.events()) == standings and store.verify() == []
    assert "1.2" in (workspace.root / "README.md").read_text()
    assert place(workspace, [find("1.2")])[0].how == "before"


def test_a_lesson_placed_is_built_and_carries_the_next(workspace):
    """Its files count as passed, so the next lesson is judged on them and not on the reference."""
    write(workspace, "grad/value.py")
    place(workspace, [find("1.3")])
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    assert workspace.submission(find("1.4"), standings).earlier == {"grad/value.py": reference("grad/value.py")}
    assert next_lesson(standings).section_id != "1.3"


def test_a_file_from_elsewhere_is_judged_and_kept_where_there_is_none(workspace, tmp_path):
    path = tmp_path / "anything.py"
    path.write_bytes(reference(CHECK) + WRONG.encode())
    lesson = find("1.2")
    assert place(workspace, [lesson], given_files(lesson, [path]))[0].how == "missed"
    assert not workspace.path_of(CHECK).exists()
    path.write_bytes(reference(CHECK))
    assert place(workspace, [lesson], given_files(lesson, [path]))[0].how == "placed"
    assert workspace.path_of(CHECK).read_bytes() == reference(CHECK)


def test_a_file_of_the_learners_is_not_written_over_by_one_that_was_given(workspace):
    write(workspace, CHECK, b"# mine\n")
    assert place(workspace, [find("1.2")], {CHECK: reference(CHECK)})[0].how == "placed"
    assert workspace.path_of(CHECK).read_bytes() == b"# mine\n"


def test_the_reference_never_stands_in_for_a_file_of_the_lesson_itself(workspace):
    """Half a lesson is not known: what is missing of it counts as missing."""
    lesson = next(each for each in find_all() if len(each.builds) > 1 and each.section_id != "1.0")
    write(workspace, lesson.builds[0])
    [tried] = place(workspace, [lesson])
    assert tried.how == "missed"


def test_files_are_told_by_their_name_where_a_lesson_has_several(tmp_path):
    lesson = find("1.0")
    known, strange = tmp_path / "calculus.py", tmp_path / "mine.py"
    known.write_text("x")
    strange.write_text("x")
    assert given_files(lesson, [known]) == {"drills/calculus.py": b"x"}
    with pytest.raises(WorkspaceError, match=r"calculus\.py"):
        given_files(lesson, [strange])
    with pytest.raises(WorkspaceError, match="cannot be read"):
        given_files(find("1.2"), [tmp_path / "absent.py"])


def test_the_self_assessment_says_which_part_has_a_gap_and_what_to_do_about_it(workspace):
    lesson = find("1.0")
    known = gaps(lesson)
    projects = {gap.project for gap in known.values()}
    for path in set(lesson.builds) - projects - {"drills/calculus.py"}:
        write(workspace, path)
    write(workspace, known["Calculus"].project)
    [tried] = place(workspace, [lesson])
    assert tried.how == "missed"
    parts = {part.name: part for part in tried.parts}
    assert set(parts) == set(known)
    for name, part in parts.items():
        assert (part.passed < part.of) == (name == "Calculus") == bool(part.failed), part
        assert part.practised == (name == "Calculus")
    assert parts["Calculus"].gap.project == "drills/symbolic.py" and parts["Python"].gap is None


def test_what_each_gap_points_to_is_there():
    for gap in gaps(find("1.0")).values():
        assert gap.project in find("1.0").builds and gap.lessons
        assert all(find(name) for name in gap.lessons)


def test_lessons_and_phases_are_chosen_by_name_and_the_first_phases_of_the_track_without(tmp_path, workspace):
    phase = [lesson for lesson in find_all() if lesson.phase == 2]
    assert chosen(["2", "1.3", "2.1"], workspace) == [*phase, find("1.3")]
    core = make_workspace(tmp_path / "core", Config("core"))
    assert chosen([], core) == [lesson for lesson in lessons_of(core.track) if lesson.phase in FIRST_PHASES]
    for name in ("99", "1.99", "numpy"):
        with pytest.raises(NoSuchLesson):
            chosen([name], workspace)
