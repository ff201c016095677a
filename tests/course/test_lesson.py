"""Reading lessons: what is malformed is one error that names file and line; what is asked for is found."""

import pytest

from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import LessonError, NoSuchLesson, check_together, find, find_all, load
from groundup.course.lessons.probes import demands, load_probes

PAGE = """---
title: A lesson
section_id: "1.3"
phase: 1
phase_title: Gradients
order: 3
minutes: 60
level: core
after: []
needs: []
builds: [grad/value.py]
allows: []
---

Why.

## The idea

```python run
print(1)
```
```output
1
```

```text
## not a heading
```

## Build it

## Exercises

## Go further

## Look back
"""


def written(folder, page=PAGE, **files):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lesson.md").write_text(page)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_a_page_is_read(tmp_path):
    lesson = load(written(tmp_path))
    assert (lesson.section_id, lesson.title, lesson.modules) == ("1.3", "A lesson", ("grad.value",))
    assert [(b.line, b.code, b.output) for b in lesson.blocks] == [(19, "print(1)", "1")]
    assert [title for _, title in lesson.headings] == ["The idea", "Build it", "Exercises", "Go further", "Look back"]


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("---\ntitle", "title", 1, "front matter"),
        ("allows: []\n---", "allows: []", 1, "closing"),
        ("title: A lesson", "title: [", 2, ""),
        ("title: A lesson\n", "", 1, "title"),
        ("title: A lesson", "title: 3", 2, "title"),
        ('section_id: "1.3"', "section_id: 1.3", 3, "quotes"),
        ('section_id: "1.3"', 'section_id: "one"', 3, "section_id"),
        ('section_id: "1.3"', 'section_id: "1.4"', 3, "phase.order"),
        ("minutes: 60", "minutes: an hour", 7, "minutes"),
        ("level: core", "level: hard", 8, "core, optional, advanced"),
        ("after: []", "after: 1.2", 9, "after"),
        ("builds: [grad/value.py]", "builds: [../value.py]", 11, "builds"),
        ("allows: []", "allows: []\ncolour: red", 13, "colour"),
        ("## Exercises\n", "", 14, "Exercises"),
        ("## The idea\n", "", 29, "idea"),
        ("## Go further\n\n## Look back", "## Look back\n\n## Go further", 34, "in this order"),
    ],
)
def test_a_malformed_page_is_one_error_with_file_and_line(tmp_path, old, new, line, word):
    assert old in PAGE
    folder = written(tmp_path, PAGE.replace(old, new))
    with pytest.raises(LessonError) as caught:
        load(folder)
    assert str(caught.value).startswith(f"{folder / 'lesson.md'}:{line}: ")
    assert word in str(caught.value) and "\n" not in str(caught.value)


HEAD = "from groundup.course import checkpoint\n\n"
WHOLE = (
    HEAD
    + '@checkpoint("a")\ndef a(lib, x):\n    return x\n\n@a.edges\ndef _():\n    return [dict(x=1)]\n\n@a.oracle\ndef _(x):\n    return x\n'
)


@pytest.mark.parametrize(
    ("checks", "line", "word"),
    [
        (HEAD, 1, "at least one"),
        (HEAD + "def broken(:\n", 3, ""),
        (HEAD + "1 / 0\n", 3, "ZeroDivisionError"),
        (WHOLE.replace("@a.edges", "@str"), 3, "nothing run is never a pass"),
        (WHOLE.replace("@a.oracle", "@str"), 3, "oracle"),
        (WHOLE + "\n@a.accepts\ndef _(got, x):\n    return True\n", 3, "one of the two"),
    ],
)
def test_malformed_checks_are_one_error_with_file_and_line(tmp_path, checks, line, word):
    lesson = load(written(tmp_path, checks_py=checks))
    with pytest.raises(LessonError) as caught:
        load_probes(lesson)
    assert caught.value.line == line and caught.value.path == tmp_path / "checks.py" and word in str(caught.value)


def checks_of(folder, **files):
    """A lesson whose checks are a folder of these files."""
    (written(folder) / "checks").mkdir()
    for name, text in files.items():
        (folder / "checks" / f"{name}.py").write_text(text)
    return load(folder)


def named(text, key, name="b"):
    return text.replace("a(lib", f"{key}(lib").replace("@a.", f"@{key}.").replace('"a"', f'"{name}"')


def test_checks_in_a_folder_are_read_in_the_order_of_their_names(tmp_path):
    helper = "ONE = 1\n\n\n"
    first = (
        named(WHOLE, "z", "last letter")
        .replace("return x", "return x + ONE")
        .replace("@checkpoint", helper + "@checkpoint")
    )
    lesson = checks_of(
        tmp_path, **{"2_more": WHOLE.replace("return x", "return x * ONE"), "1_some": first, ".#1_some": "(("}
    )
    (lesson.folder / "checks" / "notes.txt").write_text("no Python")
    probes = load_probes(lesson)
    assert [(probe.key, probe.checkpoint.name) for probe in probes] == [("z", "last letter"), ("a", "a")]
    assert demands(lesson) == [("last letter", False), ("a", False)]
    assert "ONE = 1" in probes[0].source and "ONE = 1" not in probes[1].source  # a probe has its own file and no other


def test_what_a_probe_binds_itself_is_not_cut_out_with_it(tmp_path):
    probe = """\
def twice(x):
    return 2 * x

def size(x):
    return ONE

ONE = 1

@checkpoint("a")
def a(lib, x):
    def inner(size=ONE):
        return [twice(size) for _, ONE in [(1, 2)]]
    return inner()
"""
    text = HEAD + probe + WHOLE.partition("    return x\n")[2]
    (found,) = load_probes(load(written(tmp_path, checks_py=text)))
    assert "def twice" in found.source and "\nONE = 1" in found.source
    assert "def size" not in found.source and "def _" not in found.source  # an oracle crosses least of all


@pytest.mark.parametrize(
    ("files", "where", "word"),
    [
        ({"1": WHOLE, "2": WHOLE}, "checks/2.py:4", "'a' is taken: 1.py:4"),
        ({"1": WHOLE, "2": named(WHOLE, "c", "a")}, "checks/2.py:4", "'a' is taken"),
        ({"1": WHOLE + "\n" + named(WHOLE, "a")}, "checks/1.py:18", "'a' is taken: 1.py:4"),
        ({"1": WHOLE, "2": HEAD + "1 / 0\n"}, "checks/2.py:3", "ZeroDivisionError"),
        ({"1": WHOLE, "2": "def broken(:\n"}, "checks/2.py:1", ""),
        ({"1": WHOLE, "2": named(WHOLE, "c").replace("@c.edges", "@str")}, "checks/2.py:3", "nothing run"),
        ({"1": HEAD, "2": HEAD}, "checks/1.py:1", "at least one"),
        ({}, "checks.py:1", "is not there, and checks/ has no Python file"),
    ],
)
def test_malformed_checks_in_a_folder_name_the_file(tmp_path, files, where, word):
    lesson = checks_of(tmp_path, **files)
    with pytest.raises(LessonError) as caught:
        load_probes(lesson)
    assert str(caught.value).startswith(f"{tmp_path / where}: ") and word in str(caught.value)


def test_a_lesson_has_a_file_or_a_folder_of_checks_and_not_both(tmp_path):
    lesson = checks_of(tmp_path, some=WHOLE)
    (tmp_path / "checks.py").write_text(named(WHOLE, "c"))
    for reads in (load_probes, demands):
        with pytest.raises(LessonError, match=r"checks\.py:1: is there, and checks/ too"):
            reads(lesson)


FAULT = '[[fault]]\nname = "n"\nfind = "a + b"\nput = "a - b"\nsays = "s"\n'


@pytest.mark.parametrize(
    ("toml", "line", "word"),
    [
        ("[[fault]\n", 1, ""),
        (FAULT.replace('says = "s"\n', ""), 1, "says"),
        (FAULT + 'extra = "x"\n', 1, "extra"),
        (FAULT.replace("a + b", "q + b"), 1, "0 times"),
        (FAULT.replace("a + b", "return"), 1, "2 times"),
        (FAULT.replace("a - b", "a -"), 1, "does not parse"),
        (FAULT.replace("a - b", "a + b"), 1, "differs"),
        (FAULT + "\n" + FAULT, 7, "two faults"),
        (FAULT + 'file = "grad/tensor.py"\n', 1, "grad/tensor.py"),
    ],
)
def test_malformed_faults_are_one_error_with_file_and_line(tmp_path, toml, line, word):
    lesson = load(written(tmp_path, faults_toml=toml))
    with pytest.raises(LessonError) as caught:
        load_faults(lesson, {"grad/value.py": "def f(a, b):\n    return a + b\n\ndef g():\n    return 1\n"})
    assert caught.value.line == line and word in str(caught.value)


def test_lessons_are_found_by_folder(tmp_path):
    for name, order in (("b/z", 1), ("a/y", 2)):
        written(tmp_path / name, PAGE.replace('"1.3"', f'"1.{order}"').replace("order: 3", f"order: {order}"))
    assert [lesson.section_id for lesson in find_all(tmp_path)] == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"1.2"', '"1.1"', "taken"),
        ("builds: [grad/other.py]", "builds: [grad/value.py]", "belongs to one lesson"),
        ("after: []", 'after: ["9.9"]', "9.9"),
    ],
)
def test_what_lessons_cannot_know_alone(tmp_path, old, new, word):
    first = PAGE.replace('"1.3"', '"1.1"').replace("order: 3", "order: 1")
    second = PAGE.replace('"1.3"', '"1.2"').replace("order: 3", "order: 2").replace("grad/value.py", "grad/other.py")
    second = second.replace(old, new)
    second = second.replace("order: 2", "order: 1") if new == '"1.1"' else second
    written(tmp_path / "p/one", first)
    written(tmp_path / "p/two", second)
    with pytest.raises(LessonError, match=word):
        check_together(find_all(tmp_path))


@pytest.mark.parametrize(("asked", "near"), [("1.33", "1.3"), ("autograd", "1.3"), ("13", "1.3")])
def test_an_unknown_lesson_names_the_nearest(asked, near):
    with pytest.raises(NoSuchLesson) as caught:
        find(asked)
    assert near in str(caught.value)


@pytest.mark.parametrize(
    "lesson", [lesson for lesson in find_all() if lesson.phase < 4], ids=lambda lesson: lesson.section_id
)
def test_what_a_lesson_demands_is_read_from_its_text_as_it_is_when_run(lesson):
    probes = load_probes(lesson)
    assert demands(lesson) == [(probe.checkpoint.name, probe.checkpoint.stretch) for probe in probes]
    assert not [probe.key for probe in probes if "def _(" in probe.source]  # oracles stay in the judge
