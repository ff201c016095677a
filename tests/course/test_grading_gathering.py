"""What was handed in is found however it lies there; what cannot be graded is an entry with its reason, and nothing leads outside."""

import contextlib
import os
import socket
import tempfile
from pathlib import Path

from groundup.course.grading.gathering import NOTHING, gather, shown
from groundup.course.holes.library import FILE_CAP
from groundup.course.lessons.lesson import find, find_all

SOURCE = b"x = 1\n"


def put(root, *paths, data=SOURCE):
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def found(*places, lesson="1.3", beside=None):
    lessons = [find(lesson)] if lesson else find_all()
    return gather(places, lessons, bool(lesson), beside)


def told(*places, **options):
    return {(one.student, one.lesson): one for one in found(*places, **options)}


def test_single_files_are_named_after_students(tmp_path):
    put(tmp_path, "ada.py", "bob.py", "group b/eve.py", "notes.txt")
    entries = found(tmp_path)
    assert [(one.student, one.alone, one.reason) for one in entries] == [
        ("ada", True, ""), ("bob", True, ""), ("group b/eve", True, ""),
    ]  # fmt: skip
    assert all(one.files == {"grad/value.py": SOURCE} and one.lesson == "1.3" for one in entries)


def test_a_lessons_file_is_of_the_student_whose_folder_it_is_in(tmp_path):
    put(tmp_path, "ada/value.py", "bob/grad/value.py", "eve/mine/grad/value.py", "eve/mine/__init__.py")
    put(tmp_path, "section/dan/value.py", "ada/scratch/notes.md", "ada/figures/curve.png")
    assert {name: dict(one.files) for name, one in told(tmp_path).items()} == {
        (student, "1.3"): {"grad/value.py": SOURCE} for student in ("ada", "bob", "eve", "section/dan")
    }


def test_what_lies_beside_a_students_file_is_no_other_student(tmp_path):
    put(tmp_path, "ada/value.py", "ada/linear.py", "ada/scratch.py", "bob/linear.py", "class/value.py", "class/eve.py")
    entries = told(tmp_path)
    assert {name for name, one in entries.items() if not one.reason} == {("ada", "1.3"), ("class", "1.3")}
    assert (
        "2.1" in entries["bob/linear", ""].reason and len(entries) == 3
    )  # named as another lesson's: not failed for it
    assert {name for name, _ in told(tmp_path / "class")} == {
        "class",
        "eve",
    }  # the folder that was named holds students


def test_a_workspace_has_an_entry_for_each_lesson_it_has_files_of(tmp_path):
    put(tmp_path, "ada/groundup.toml", "ada/mine/grad/value.py", "ada/mine/grad/tensor.py", "ada/notes/value.py")
    put(tmp_path, "bob/groundup.toml", "bob/mine/__init__.py", "eve/mine/grad/value.py")
    entries = told(tmp_path, lesson=None)
    assert {("ada", "1.3"), ("ada", "1.4"), ("bob", ""), ("eve", "1.3")} == set(entries)
    assert entries["bob", ""].reason == NOTHING
    named = told(tmp_path, lesson="1.3")
    assert named["bob", "1.3"].files == {} and not named["bob", "1.3"].reason  # judged, and missing


def test_the_lesson_of_a_file_is_known_by_its_name_where_none_is_said(tmp_path):
    put(tmp_path, "ada/value.py", "bob/solution.py")
    entries = told(tmp_path, lesson=None)
    assert entries["ada", "1.3"].files == {"grad/value.py": SOURCE}
    assert "--lesson" in entries["bob/solution", ""].reason


def test_a_name_that_several_lessons_have_is_asked_about(tmp_path):
    names = [os.path.basename(path) for lesson in find_all() for path in lesson.builds]
    shared = next(name for name in names if names.count(name) > 1)
    put(tmp_path, f"ada/{shared}")
    (entry,) = found(tmp_path, lesson=None)
    assert "--lesson" in entry.reason and " or " in entry.reason


def test_the_files_of_one_lesson_are_one_entry(tmp_path):
    lesson = next(lesson for lesson in find_all() if len(lesson.builds) > 1)
    put(tmp_path, *(f"ada/{path}" for path in lesson.builds), *(f"bob/{os.path.basename(p)}" for p in lesson.builds))
    entries = told(tmp_path, lesson=lesson.section_id)
    assert set(entries) == {("ada", lesson.section_id), ("bob", lesson.section_id)}
    assert all(set(one.files) == set(lesson.builds) and not one.alone for one in entries.values())


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    put(tmp_path, "ada/value.py", "ada/grad/value.py")
    (entry,) = found(tmp_path)
    assert "two files grad/value.py" in entry.reason


def test_places_given_one_by_one_are_students(tmp_path, monkeypatch):
    put(tmp_path, "ada/value.py", "bob.py", "eve/groundup.toml", "eve/mine/grad/value.py")
    monkeypatch.chdir(tmp_path)
    assert set(told("ada", "bob.py", "eve", "ada/")) == {("ada", "1.3"), ("bob", "1.3"), ("eve", "1.3")}
    assert set(told("ada")) == {("ada", "1.3")} and set(told("bob.py")) == {("bob", "1.3")}
    assert told("nobody")["nobody", ""].reason.startswith("It cannot be read: No such file")


def test_two_of_one_name_are_told_apart(tmp_path):
    put(tmp_path, "ada.py", "ada/value.py")
    students = {one.student for one in found(tmp_path)}
    assert students == {str(tmp_path / "ada.py"), str(tmp_path / "ada/value.py")}


def test_links_lead_nowhere(tmp_path):
    outside = tmp_path / "outside"
    put(outside, "value.py", "mine/grad/value.py")
    handed = tmp_path / "class"
    put(handed, "ada.py", "eve/groundup.toml", "dan/groundup.toml", "dan/mine/tree")
    (handed / "bob.py").symlink_to(outside / "value.py")
    (handed / "linked").symlink_to(outside)
    (handed / "up").symlink_to("..")
    (handed / "eve" / "mine").symlink_to(outside / "mine")
    (handed / "dan" / "mine" / "grad").symlink_to(outside / "mine" / "grad")
    entries = {one.student: one for one in found(handed)}
    assert entries.pop("ada").files
    assert set(entries) == {"bob", "linked", "up", "eve", "dan"}
    assert all("symbolic link" in one.reason and not one.files for one in entries.values())


def test_only_plain_files_of_a_size_are_read(tmp_path):
    put(tmp_path, "ada.py")
    put(tmp_path, "large.py", data=b"#" * (FILE_CAP + 1))
    put(tmp_path, "full.py", data=b"#" * FILE_CAP)
    os.mkfifo(tmp_path / "pipe.py")
    channel = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        channel.bind("socket.py")
    finally:
        os.chdir(here)
    (tmp_path / "folder.py").mkdir()
    put(tmp_path, "folder.py/value.py")
    reasons = {one.student: one.reason for one in found(tmp_path)}
    channel.close()
    assert "256 KiB" in reasons["large"] and "plain" in reasons["pipe"] and reasons["socket"]
    assert not reasons["ada"] and not reasons["full"] and not reasons["folder.py"]


@contextlib.contextmanager
def nobody():
    """A user who may not read everything, if this one may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_said():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put(folder, "ada.py", "closed/value.py", "bob.py")
        folder.chmod(0o755)
        (folder / "ada.py").chmod(0)
        (folder / "closed").chmod(0)
        with nobody():
            entries = told(folder)
        (folder / "closed").chmod(0o700)
    assert not entries.pop(("bob", "1.3")).reason
    assert len(entries) == 2 and all("Permission denied" in one.reason for one in entries.values())


def test_empty_folders_are_entries_and_our_own_are_passed_over(tmp_path):
    put(
        tmp_path, "ada.py", "grades/results/aa/value.py", "__pycache__/ada.py", ".git/value.py", "__MACOSX/ada/value.py"
    )
    (tmp_path / "bob").mkdir()
    put(tmp_path, "section/eve/readme.txt", "section/fay/a/b/c.txt")
    entries = {one.student: one.reason for one in found(tmp_path, beside=tmp_path / "grades")}
    assert entries == {"ada": "", "bob": NOTHING, "section": NOTHING}


def test_folders_beyond_counting_end(tmp_path):
    deep = tmp_path
    for _ in range(40):
        deep = deep / "a"
    put(deep, "value.py")
    (entry,) = found(tmp_path)
    assert "folders deep" in entry.reason


def test_names_are_text_without_tricks_and_stay_different(tmp_path):
    names = [
        "line\nbreak", "line\\nbreak", "tab\there", "\x1b[31mred", "right‮left", "=cmd|' -C calc'!A0", "<script>", "Zoë", "a,b\"c",
        os.fsdecode(b"latin-\xe9"), "latin-\\xe9",
    ]  # fmt: skip
    for name in names:
        put(tmp_path, f"{name}.py")
    entries = found(tmp_path)
    assert len({one.student for one in entries}) == len(names)
    for one in entries:
        assert one.student.isprintable() and one.path.isprintable()
        one.student.encode()
    assert {"Zoë", "=cmd|' -C calc'!A0", "<script>", "line\\nbreak", "line\\\\nbreak"} <= {
        one.student for one in entries
    }


def test_a_name_is_shown_as_it_is_where_it_is_harmless():
    assert shown("Ada Lovelace-2 (é)") == "Ada Lovelace-2 (é)"


def test_the_order_is_that_of_names(tmp_path):
    put(tmp_path, "c.py", "a/value.py", "b.py")
    assert [one.student for one in found(tmp_path)] == ["a", "b", "c"]
