"""Packs: what is a pack and what is refused, which hash it has, who trusts it, and that its lessons are lessons."""

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from groundup.course import courses
from groundup.course.authoring.author import check_lesson
from groundup.course.holes.library import Submission, reference_text
from groundup.course.judging.verdicts import Verdict
from groundup.course.lessons.lesson import LessonError, find, find_all
from groundup.course.overlay import over_reference
from groundup.course.packs import contents, opening, trust, wheels
from groundup.course.packs.carrying import Carried, carried, put_down
from groundup.course.packs.contents import CourseError
from groundup.course.packs.opening import look, of_workspace, size
from groundup.course.packs.trust import Untrusted
from groundup.course.packs.writing import new_lesson, new_pack
from groundup.course.tracks import EVERYTHING, TrackError, lessons_of, load, names
from groundup.course.workspace.workspace import Config, find_workspace, make_workspace, read_config

EXAMPLE = Path(__file__).parents[2] / "examples" / "tiny-pack"
FILES = sorted(str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*") if path.is_file())
LESSON = "lessons/01-series/01-moving-averages"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Nobody has trusted anything, nothing is unpacked, and the course is groundup's own before and after."""
    for name in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.delenv(trust.WRITING, raising=False)
    with courses.learning(None):
        yield tmp_path


@pytest.fixture
def pack(tmp_path):
    """A copy of the example."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "pack"))


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def wheel_of(folder, path, top="tiny_pack", more=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{top}/{file.relative_to(folder)}")
        for name, data in more:
            archive.writestr(name, data)
    return path


# What it is, and its hash


def test_the_example_says_what_it_is():
    course = look(EXAMPLE)
    assert (course.name, course.package, course.lessons) == ("tiny-pack", EXAMPLE / "series", EXAMPLE / "lessons")
    assert size(course)[:2] == (1, len(FILES)) and len(course.digest) == 64
    assert look(EXAMPLE / ".." / "tiny-pack").digest == course.digest


@pytest.mark.parametrize("name", FILES)
def test_the_hash_is_another_when_a_file_is(pack, name):
    before = look(pack).digest
    assert before == look(EXAMPLE).digest
    with open(pack / name, "a") as file:
        file.write("\n")
    assert contents.digest(pack) != before


def test_the_hash_is_another_when_a_file_comes_goes_or_moves(pack):
    seen = [contents.digest(pack)]
    (pack / "notes.txt").touch()
    seen.append(contents.digest(pack))
    (pack / "notes.txt").rename(pack / "series" / "notes.txt")
    seen.append(contents.digest(pack))
    (pack / ".hidden").touch()
    seen.append(contents.digest(pack))
    assert len(set(seen)) == 4
    (pack / ".hidden").unlink(), (pack / "series" / "notes.txt").unlink()
    assert contents.digest(pack) == seen[0]
    (pack / ".git").mkdir()
    (pack / ".git" / "HEAD").touch()
    assert contents.digest(pack) == seen[0]


def test_a_change_that_hides_behind_size_and_time_is_seen(pack, monkeypatch):
    monkeypatch.setattr(contents, "SETTLED", -1.0)  # the hash is kept at once
    path = pack / "series" / "averages.py"
    before, times = contents.digest(pack), path.stat()
    assert contents.digest(pack) == before
    edit(path, "math.log(0.5)", "math.log(0.7)")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size and path.stat().st_mtime_ns == times.st_mtime_ns
    assert contents.digest(pack) != before


# What is refused


@pytest.mark.parametrize(
    "old, new, line, said",
    [
        ("format = 1", "format = ", 2, "TOML"),
        ("format = 1", "format = true", 2, "a whole number"),
        ("format = 1", "format = 9", 2, "newer"),
        ("format = 1", "format = 1\nspeed = 3", 3, "speed"),
        ('name = "tiny-pack"', 'name = "Tiny Pack"', 3, "letters"),
        ('title = "Moving averages, a course of one lesson"', "", 1, "title is missing"),
        ('title = "Moving averages, a course of one lesson"', 'title = "\\u001b[2J"', 4, "text on one line"),
        ('authors = ["The authors of groundup"]', "authors = []", 5, "list"),
        ('package = "series" ', 'package = "../series" ', 7, "folder beside"),
        ('package = "series" ', 'package = "/tmp" ', 7, "folder beside"),
        ('package = "series" ', 'package = "groundup" ', 7, "taken"),
        ('package = "series" ', 'package = "mine" ', 7, "taken"),
        ('package = "series" ', 'package = "json" ', 7, "Python does not have"),
        ('package = "series" ', 'package = "absent" ', 7, "folder beside"),
        ('lessons = "lessons"', 'lessons = ".."', 8, "inside the pack"),
        ('lessons = "lessons"', 'lessons = "series/lessons"', 8, "outside the reference"),
        ('lessons = "lessons"', 'lessons = "lessons/../../.."', 8, "inside the pack"),
        ('groundup = "0.1.0"', 'groundup = "99.0"', 9, "at most"),
        ('groundup = "0.1.0"', 'groundup = "new"', 9, "oldest version"),
    ],
)
def test_a_mistake_in_course_toml_has_a_line(pack, old, new, line, said):
    edit(pack / "course.toml", old, new)
    with pytest.raises(CourseError) as raised:
        look(pack)
    assert str(raised.value).startswith(f"{pack / 'course.toml'}:{line}: ") and said in str(raised.value)
    assert "\x1b" not in str(raised.value) and "\n" not in str(raised.value)


def test_a_deep_or_binary_course_toml_is_a_sentence(pack):
    (pack / "course.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(CourseError, match="TOML"):
        look(pack)
    (pack / "course.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="UTF-8"):
        look(pack)


def test_links_devices_and_what_is_too_large_are_refused(pack, monkeypatch):
    def refused(path, said):
        with pytest.raises(CourseError, match=said):
            look(pack)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    (pack / "series" / "more.py").symlink_to("/etc/passwd")
    refused(pack / "series" / "more.py", "link")
    (pack / "more").symlink_to("/")
    refused(pack / "more", "link")
    os.mkfifo(pack / "pipe")
    refused(pack / "pipe", "device")
    with open(pack / "large", "wb") as file:
        file.truncate(contents.LARGEST + 1)
    refused(pack / "large", "larger")
    (pack / Path(*"abcdefghijklmnop")).mkdir(parents=True)
    refused(pack / "a", "deep")
    (pack / "a\nb").touch()
    refused(pack / "a\nb", "cannot be printed")
    monkeypatch.setattr(contents, "MOST_FILES", len(FILES))
    look(pack)
    (pack / "one-more").touch()
    refused(pack / "one-more", "smaller")
    look(pack)


def test_what_is_not_there_or_no_pack_is_a_sentence(tmp_path):
    for path, said in ((tmp_path / "absent", "no course"), (tmp_path, "course.toml")):
        with pytest.raises(CourseError, match=said):
            look(path)


# Wheels


def test_a_wheel_is_unpacked_once_and_has_the_hash_of_its_folder(pack, tmp_path):
    wheel = wheel_of(
        pack, tmp_path / "tiny_pack-1.0-py3-none-any.whl", more=[("tiny_pack-1.0.dist-info/METADATA", "x")]
    )
    course = look(wheel)
    assert course.digest == look(pack).digest and course.given == wheel
    assert course.folder.is_relative_to(wheels.store()) and look(wheel).folder == course.folder
    assert [path.name for path in wheels.store().iterdir()] == [course.folder.parent.name]
    trust.trust(course)
    edit(course.package / "averages.py", "math.log(0.5)", "math.log(0.7)")  # where it was unpacked
    with pytest.raises(Untrusted):
        of_workspace(tmp_path, str(wheel))


HOSTILE = {
    "up": "../evil.py",
    "up from inside": "tiny_pack/../../evil.py",
    "absolute": "{outside}/evil.py",
    "drive": "C:/evil.py",
    "backslash": "tiny_pack\\..\\..\\evil.py",
    "here": "tiny_pack/./evil.py",
    "empty part": "tiny_pack//evil.py",
    "escape": "tiny_pack/\x1b[2J.py",
    "beside": "evil/__init__.py",
    "beside, a file": "evil.py",
    "another case": "tiny_pack/Course.TOML",
    "twice": "tiny_pack/course.toml",
    "a file as a folder": "tiny_pack/course.toml/evil.py",
    "deep": "tiny_pack/" + "a/" * 40 + "evil.py",
    "git": "tiny_pack/.git/config",
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_path_in_a_zip_leaves_nothing_behind(pack, tmp_path, name):
    wheel = wheel_of(pack, tmp_path / "evil.whl", more=[(name.format(outside=tmp_path), "raise SystemExit")])
    before = sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "data"))
    with pytest.raises(CourseError, match=r"evil\.whl"):
        look(wheel)
    assert sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "data")) == before
    assert list(wheels.store().iterdir()) == []


def test_links_bombs_and_lies_in_a_zip_are_refused(pack, tmp_path, monkeypatch):
    def refused(wheel, said):
        with pytest.raises(CourseError, match=said):
            look(wheel)
        assert list(wheels.store().iterdir()) == []

    link = zipfile.ZipInfo("tiny_pack/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(wheel_of(pack, tmp_path / "link.whl", more=[(link, "/etc/passwd")]), "no links")
    refused(wheel_of(pack, tmp_path / "bomb.whl", more=[("tiny_pack/zeros", bytes(contents.LARGEST + 1))]), "larger")
    refused(wheel_of(pack / "series", tmp_path / "none.whl"), "course.toml")

    monkeypatch.setattr(wheels, "LARGEST", 60_000)  # and a bomb that says it is small
    lie = wheel_of(pack, tmp_path / "lie.whl", more=[("tiny_pack/zeros", bytes(70_000))])
    data = lie.read_bytes()
    assert data.count((70_000).to_bytes(4, "little")) == 2
    lie.write_bytes(data.replace((70_000).to_bytes(4, "little"), (60_000).to_bytes(4, "little")))
    refused(lie, "lie.whl:1: is not a zip that can be unpacked|lie.whl:1: unpacks to more")

    good = wheel_of(pack, tmp_path / "good.whl").read_bytes()
    for i, part in enumerate((b"", b"PK", good[: len(good) // 2], good[:-30], bytes(1000))):
        (tmp_path / f"part{i}.whl").write_bytes(part)
        with pytest.raises(CourseError, match=f"part{i}.whl"):
            look(tmp_path / f"part{i}.whl")


# Trust


def test_trust_is_by_hash_and_ends_when_anything_changes(pack, tmp_path):
    with pytest.raises(Untrusted, match="not been trusted yet") as raised:
        of_workspace(tmp_path, "pack")
    trust.trust(look(pack))
    assert of_workspace(tmp_path, "pack").digest == of_workspace(Path("/"), str(pack)).digest
    assert stat.S_IMODE(trust.store().stat().st_mode) == 0o600
    assert stat.S_IMODE(trust.store().parent.stat().st_mode) == 0o700
    edit(pack / LESSON / "lesson.md", "Has business picked up?", "Has business picked up, then?")
    with pytest.raises(Untrusted, match="has changed since") as raised:
        of_workspace(tmp_path, "pack")
    assert f"--trust {look(pack).digest}" in str(raised.value)
    trust.trust(look(pack))
    of_workspace(tmp_path, "pack")
    edit(pack / LESSON / "lesson.md", "Has business picked up, then?", "Has business picked up?")
    of_workspace(tmp_path, "pack")  # as it was when it was trusted first


def test_what_others_could_have_written_is_not_believed(pack, tmp_path):
    trust.trust(look(pack))
    trust.store().chmod(0o666)
    with pytest.raises(CourseError, match="others may write"):
        of_workspace(tmp_path, "pack")
    trust.store().chmod(0o600)
    for text in ("", "[]", '{"courses": 3}', '{"courses": {"a": 1}}', "[" * 100_000):
        trust.store().write_text(text)
        with pytest.raises(CourseError, match="trust your packs again"):
            of_workspace(tmp_path, "pack")


def test_a_workspace_that_comes_with_a_pack_does_not_vouch_for_it(pack, tmp_path):
    """Such as one that somebody has cloned: the pack in it, and a file that says it is trusted."""
    with courses.learning(look(pack)):
        root = make_workspace(tmp_path / "ws", Config(course="../pack")).root
    (root / ".groundup" / "trusted.json").write_text(f'{{"format": 1, "courses": {{"{look(pack).digest}": {{}}}}}}')
    with pytest.raises(Untrusted):
        find_workspace(root)
    with pytest.raises(Untrusted):
        over_reference(root)


# Its lessons and its reference


@pytest.fixture
def workspace(pack, tmp_path):
    trust.trust(look(pack))
    courses.use(look(pack))
    return make_workspace(tmp_path / "ws", Config(course=str(pack)))


def test_a_workspace_has_the_lessons_and_the_reference_of_its_pack(workspace, pack):
    courses.use(None)
    assert find("1.1").title == "Arrays and broadcasting" and reference_text("averages") is None
    there = find_workspace(workspace.root)
    assert read_config(workspace.root / "groundup.toml").course == str(pack)
    assert [lesson.title for lesson in find_all()] == ["Moving averages"]
    assert reference_text("averages") is not None and reference_text("grad.value") is None
    assert names() == [EVERYTHING] and there.track.title.startswith("Moving averages")
    assert lessons_of(load(EVERYTHING)) == list(find_all())
    with pytest.raises(TrackError, match="there are everything"):
        load("core")
    [opened] = there.open_lesson(find("1.1"))
    assert "yours to write: half_life" in opened.path.read_text()


def test_the_lessons_are_read_again_when_the_pack_has_changed(workspace, pack):
    edit(pack / LESSON / "lesson.md", "title: Moving averages", "title: Means that move")
    with pytest.raises(Untrusted):
        find_workspace(workspace.root)
    trust.trust(look(pack))
    find_workspace(workspace.root)
    assert find("1.1").title == "Means that move"


def test_mine_falls_back_to_the_pack_and_to_nothing_else(workspace):
    say = "from mine.averages import half_life; print(half_life(0.5))"
    done = subprocess.run([sys.executable, "-c", say], cwd=workspace.root, capture_output=True, text=True)
    assert done.stdout == "1.0\n", done.stderr
    done = subprocess.run(
        [sys.executable, "-c", "import mine.grad"], cwd=workspace.root, capture_output=True, text=True
    )
    assert "No module named 'mine.grad'" in done.stderr


def test_the_example_keeps_every_rule_of_a_lesson(judge):
    with courses.learning(look(EXAMPLE)):
        report = check_lesson(EXAMPLE / LESSON, judge)
    assert report.problems == [] and report.unrun == []
    assert report.faults >= 6 and report.killed == report.named == report.faults


def test_a_pack_may_build_on_groundup_where_its_lesson_allows_it(pack, judge):
    path = pack / "series" / "averages.py"
    edit(path, "import numpy as np\n", "import numpy as np\n\nfrom groundup.classic.metrics import accuracy_score\n")
    source = path.read_bytes()
    for allows, wanted in (("[numpy, groundup]", Verdict.PASSED), ("[numpy]", Verdict.FORBIDDEN_IMPORT)):
        page = pack / LESSON / "lesson.md"
        page.write_text(page.read_text().replace("[numpy]", allows).replace("[numpy, groundup]", allows))
        with courses.learning(look(pack)):
            verdict = judge.check(find("1.1"), Submission({"averages.py": source}), seed=1)
        assert {c.verdict for c in verdict.checkpoints} == {wanted}, verdict.checkpoints[0].says


def test_what_author_new_writes_passes_before_a_word_is_changed(tmp_path, judge):
    written = new_pack(tmp_path / "My first course")
    assert {path.name for path in written} == {
        "course.toml",
        "__init__.py",
        "averages.py",
        *os.listdir(EXAMPLE / LESSON),
    }
    course = look(tmp_path / "My first course")
    assert course.name == "my-first-course"
    with pytest.raises(CourseError, match="not empty"):
        new_pack(course.folder)
    new_lesson(course)
    new_lesson(look(course.folder))
    again = look(course.folder)
    with courses.learning(again):
        lessons = find_all()
        assert [lesson.section_id for lesson in lessons] == ["1.1", "1.2", "1.3"]
        assert [lesson.builds for lesson in lessons] == [("averages.py",), ("averages_2.py",), ("averages_3.py",)]
        report = check_lesson(lessons[1].folder, judge)
    assert report.problems == [] and report.named == report.faults >= 6


@pytest.mark.parametrize("name", ["groundup", "mine", "json", "99", "Ünï cödé", "x" * 200, "--"])
def test_a_folder_of_any_name_becomes_a_pack(tmp_path, name):
    new_pack(tmp_path / name)
    assert size(look(tmp_path / name))[0] == 1


def test_the_pack_around_a_lesson_is_found_and_groundups_own_are_in_none(pack):
    assert opening.around(pack / LESSON).folder == pack
    assert opening.around(find("1.1").folder) is None


def test_who_writes_a_pack_is_not_asked_at_each_change(pack, tmp_path, monkeypatch):
    monkeypatch.setenv(trust.WRITING, str(pack))
    of_workspace(tmp_path, "pack")
    edit(pack / LESSON / "lesson.md", "title: Moving averages", "title: Means that move")
    of_workspace(tmp_path, "pack")
    shutil.copytree(pack, tmp_path / "other")
    with contextlib.suppress(Untrusted):
        of_workspace(tmp_path, "other")
        raise AssertionError("another pack was trusted with it")


@pytest.mark.parametrize(("old", "new"), [
    ("return np.lib.stride", "1 / 0\n    return np.lib.stride"),
    ("draw.integer(1, 40)", "draw.whole(1, 40)"),
])  # fmt: skip
def test_what_the_authors_own_code_raises_has_its_line(pack, judge, old, new):
    checks = pack / LESSON / "checks.py"
    text = checks.read_text()
    edit(checks, old, new)
    line = text[: text.index(old)].count("\n") + 1
    with courses.learning(look(pack)), pytest.raises(LessonError, match=rf"checks\.py:{line}: the cases of"):
        check_lesson(pack / LESSON, judge)


def test_a_pack_that_is_carried_is_the_one_that_was_trusted(pack, tmp_path):
    course = look(pack)
    taken = carried(course)
    there = put_down(taken, tmp_path / "there")
    assert there.digest == look(tmp_path / "there").digest == course.digest
    assert there.package == tmp_path / "there/series" and (there.lessons / "01-series").is_dir()
    with pytest.raises(CourseError, match="changed"):
        put_down(Carried(course, {**taken.files, "series/averages.py": b"x = 1\n"}), tmp_path / "other")


@pytest.mark.parametrize(("name", "data", "said"), [
    (f"{LESSON}/faults.toml", b"\xff\xfe", "faults.toml:1: is not text"),
    (f"{LESSON}/faults.toml", b"fault = 3\n", "each below a line"),
    (f"{LESSON}/faults.toml", b"\n\nfault = \n", "faults.toml:3: this is not TOML"),
    ("series/averages.py", b"\xff\xfe", "averages.py, and that is not text"),
    ("series/averages.py", b"def (:\n", "averages.py, and that does not parse"),
])  # fmt: skip
def test_a_broken_file_of_a_lesson_is_a_sentence(pack, judge, name, data, said):
    (pack / name).write_bytes(data)
    with courses.learning(look(pack)), pytest.raises(LessonError, match=re.escape(said)):
        check_lesson(pack / LESSON, judge)
