"""The learner's file, edited in two places: what is saved is never lost, and never over something unseen."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.checking.steps import open_lesson, reset
from groundup.course.lessons.lesson import find
from groundup.course.workspace.workspace import make_workspace
from groundup.desk.paging import Refused
from groundup.desk.workbench import history, lesson_files, text_files

LESSON = find("1.3")


@pytest.fixture
def workspace(tmp_path):
    made = make_workspace(tmp_path / "ws")
    open_lesson(made, LESSON)
    return made


def test_a_file_that_has_not_been_written_is_empty_and_has_no_hash(tmp_path):
    [state] = lesson_files.states(make_workspace(tmp_path / "ws"), LESSON)
    assert (state.path, state.text, state.sha) == ("grad/value.py", "", "")


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_is_saved_is_on_the_disk_byte_for_byte(tmp_path_factory, text):
    workspace = make_workspace(tmp_path_factory.mktemp("ws") / "ws")
    saved = lesson_files.save(workspace, LESSON, 0, text, "")
    data = workspace.path_of("grad/value.py").read_bytes()
    assert data == text.encode()
    assert saved.sha == hashlib.sha256(data).hexdigest() == lesson_files.state(workspace, LESSON, 0).sha


def test_a_save_over_a_file_that_has_changed_outside_is_refused_with_what_stands_there(workspace):
    before = lesson_files.state(workspace, LESSON, 0)
    workspace.path_of("grad/value.py").write_text("outside = 1\n")
    with pytest.raises(Refused) as refused:
        lesson_files.save(workspace, LESSON, 0, "here = 1\n", before.sha)
    assert refused.value.status == 409
    assert refused.value.more["text"] == "outside = 1\n"
    assert workspace.path_of("grad/value.py").read_text() == "outside = 1\n"
    again = lesson_files.save(workspace, LESSON, 0, "here = 1\n", refused.value.more["sha"])
    assert workspace.path_of("grad/value.py").read_text() == again.text == "here = 1\n"


def test_saving_what_is_there_already_is_never_a_conflict(workspace):
    workspace.path_of("grad/value.py").write_text("the same\n")
    assert lesson_files.save(workspace, LESSON, 0, "the same\n", "an old hash").text == "the same\n"


def test_a_file_that_is_not_text_or_too_long_is_left_alone(workspace):
    path = workspace.path_of("grad/value.py")
    for data in (b"\xff\xfe\x00", b"#" * (text_files.LARGEST + 1)):
        path.write_bytes(data)
        with pytest.raises(Refused):
            lesson_files.state(workspace, LESSON, 0)
        assert path.read_bytes() == data


@pytest.mark.parametrize("number", [-1, 1, 10**9])
def test_files_are_asked_for_by_number_and_there_are_no_others(workspace, number):
    with pytest.raises(Refused) as refused:
        lesson_files.state(workspace, LESSON, number)
    assert refused.value.status == 404


def test_every_state_that_was_put_away_comes_back_from_the_history(workspace):
    texts = [f"version = {n}\n" for n in range(4)]
    for text in texts:
        lesson_files.save(workspace, LESSON, 0, text, lesson_files.state(workspace, LESSON, 0).sha)
        history.keep(workspace, LESSON)
        history.keep(workspace, LESSON)  # the same twice in a row is one state
    reset(workspace, LESSON)
    found = history.versions(workspace, LESSON, 0)
    assert [history.text_of(workspace, LESSON, 0, version.event) for version in found] == texts
    with pytest.raises(Refused):
        history.text_of(workspace, LESSON, 0, 10**6)
