"""Every command: its help, what it says to a mistake, and what it leaves behind."""

import contextlib
import functools
import inspect
import io
import json
import math
import os
import pty
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys

import pytest

from groundup.cli import run as command
from groundup.cli.app import HEADINGS
from groundup.cli.commands import app
from groundup.course.checking.client import stop
from groundup.course.holes.library import reference_text
from groundup.course.holes.stub import derive
from groundup.course.judging.verdicts import Verdict
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, find_all
from groundup.course.lessons.page import hints
from groundup.course.progress.store import Store

from ..conftest import ROOT

BUILT = "mine/grad/value.py"
HEAVY = ("torch", "sklearn", "scipy", "matplotlib", "numpy")


def run_in(folder, runtime, *arguments, **options):
    """The real command, in a process of its own."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "HOME": str(folder), "NO_COLOR": "1"}
    options = {"capture_output": True, "text": True, "timeout": 120, "env": environment, "cwd": folder, **options}
    return subprocess.run([sys.executable, "-m", "groundup", *map(str, arguments)], **options)


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """The real command in one workspace with one warm judge, for the tests of this file that only look and check."""
    above = tmp_path_factory.mktemp("w")
    (above / "run").mkdir(mode=0o700)
    root = above / "workspace"

    def run(*arguments, **options):
        return run_in(root if root.exists() else above, above / "run", *arguments, **options)

    run.root, run.built = root, root / BUILT
    assert run("start", "workspace", "--yes").returncode == 0
    assert run("open", "1.3").returncode == 0
    yield run
    run("judge", "--stop")


@pytest.fixture
def inside(tmp_path, monkeypatch, capsys):
    """Commands in this process, in a workspace of the test's own: what they return, print, and print as errors."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = command(list(arguments))
        out, err = capsys.readouterr()
        return status, out, err

    run.root = tmp_path / "workspace"
    assert run("start", "--yes")[0] == 0
    yield run
    for config in tmp_path.rglob("groundup.toml"):
        stop(config.parent)  # the judge that a check may have started


def one_line(text):
    return text.endswith("\n") and text.count("\n") == 1 and text.strip() != ""


def commands(here=app, path=()):
    """Every command, as the words one types."""
    for name in here:
        if not name.startswith("-"):
            yield (*path, name)
            yield from commands(here[name], (*path, name))


# Help, and mistakes in what was typed


ALL = [(), *commands()]


def at(words):
    """The command that these words name."""
    return functools.reduce(lambda here, word: here[word], words, app)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_with_an_example(words, capsys):
    assert command([*words, "--help"]) == 0
    out, err = capsys.readouterr()
    assert "Example: groundup" in out and err == ""
    example = re.search(r"Example: (groundup.*)", at(words).help)
    typed = shlex.split(example[1])[1:]
    assert typed[: len(words)] == list(words)  # the example is of this command
    called, bound, _ = app.parse_args(typed, exit_on_error=False, print_error=False)
    assert called is not None and bound.arguments.keys() <= inspect.signature(called).parameters.keys()


@pytest.mark.parametrize("words", [words for words in ALL if at(words).default_command], ids=" ".join)
def test_every_parameter_is_a_sentence_and_names_the_page_that_has_its_json(words):
    for argument in at(words).assemble_argument_collection():
        said = argument.parameter.help
        assert said and said.endswith("."), argument.name
        if argument.name == "--json":
            (page,) = re.findall(r"docs/\w+\.md", said)
            assert f"groundup {' '.join(words)}" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [60, 80])
def test_the_commands_stand_under_headings_in_the_order_of_the_year(tmp_path, columns):
    out = run_in(tmp_path, tmp_path, "--help", env={**os.environ, "COLUMNS": str(columns)}).stdout
    assert all(len(line) <= columns for line in out.splitlines())
    assert re.findall(r"^╭─ (\w.*?) ─", out, re.MULTILINE) == list(HEADINGS)
    names = re.findall(r"^│ ([a-z]+) ", out, re.MULTILINE)
    assert names[0] == "start" and sorted(names) == sorted(name for name in app if not name.startswith("-"))
    assert columns < 80 or out.count("\n│") == len(names) + len(("--help", "--version")), "a line for each"


@pytest.mark.parametrize(
    "words, meant",
    [
        (["chekc"], "groundup check"),
        (["chk", "1.3"], "groundup check"),
        (["check", "1.33"], "1.3"),
        (["data", "get", "mnits"], "mnist"),
        (["data", "gte", "mnist"], "groundup data get"),
        (["author", "chek"], "groundup author check"),
        (["check", "1.3", "--sede", "3"], "--seed"),
        (["judge", "--sotp"], "--stop"),
        (["run", "two-mons"], "two-moons"),
        (["start", "--track", "cores", "elsewhere"], "core"),
        (["open"], "a lesson's id"),
        (["sweep"], "RECIPE"),
        (["sync"], "--to"),
        (["plan", "monday"], "groundup plan takes no 'monday'"),
    ],
    ids=" ".join,
)
def test_a_typing_mistake_gets_a_suggestion_on_one_line(inside, words, meant):
    status, out, err = inside(*words)
    assert (status, out) == (2, "") and one_line(err) and meant.lower() in err.lower()


@pytest.mark.parametrize(
    "words",
    [
        ["check", "1.3", "--seed", "x"],
        ["check", "1.3", "--seed", "-1"],
        ["check", "1.3", "--seed", "9" * 5000],
        ["check", "1.3", "1.4"],
        ["check", "1.3", "--any-imports"],
        ["check", "--file", "a.py"],
        ["check", "1.3", "--file", "absent.py"],
        ["open"],
        ["open", "zzz"],
        ["data", "get"],
        ["start", "elsewhere", "--hours", "0"],
        ["start", "elsewhere", "--hours", "nan"],
        ["author", "check", "absent"],
        ["hint"],
        ["zzzzzz"],
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_what_cannot_be_used_is_said_in_one_line_with_status_2(inside, words):
    status, out, err = inside(*words)
    assert (status, out) == (2, "") and one_line(err) and len(err) < 300


def test_a_typing_mistake_in_a_process_of_its_own(warm):
    for words in (["chekc"], ["check", "1.33"], ["check", "1.3", "--sede", "3"]):
        done = warm(*words)
        assert (done.returncode, done.stdout) == (2, "") and one_line(done.stderr)


def test_no_command_needs_a_folder_that_exists_to_say_that_it_does_not(tmp_path):
    gone = tmp_path / "gone"
    script = f"import os, sys; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from groundup.cli import run; sys.exit(run(sys.argv[1:]))"
    for words in ([], ["check"], ["doctor"]):
        gone.mkdir()
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "") and one_line(done.stderr) and "deleted" in done.stderr


# The JSON of a verdict


VERDICTS = {verdict.value for verdict in Verdict}


def documented():
    """The names in the first columns of the tables of docs/json.md."""
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    return {
        name for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }


def refuse_constant(name):
    raise AssertionError(f"{name} is not JSON")


def is_value(value):
    """Numbers, texts, lists, and the three forms that are ours."""
    if isinstance(value, dict):
        if set(value) == {"shape", "dtype", "values"}:
            count = min(math.prod(value["shape"]), 400)
            return len(value["values"]) == count and isinstance(value["dtype"], str) and is_value(value["values"])
        return all(isinstance(key, str) and is_value(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_value, value))
    return value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_text(value):
    return isinstance(value, str)


def is_flag(value):
    return isinstance(value, bool)


def or_null(kind):
    return lambda value: value is None or kind(value)


def list_of(kind):
    return lambda value: isinstance(value, list) and all(map(kind, value))


OBJECT = {
    "schema": lambda value: value == 1,
    "lesson": is_text,
    "passed": is_flag,
    "seed": is_count,
    "elapsed_ms": lambda value: isinstance(value, (int, float)) and value >= 0,
    "checkpoints": list_of(lambda value: isinstance(value, dict)),
    "mine": list_of(is_text),
    "reference": list_of(is_text),
    "printed": lambda value: is_text(value) and len(value) <= 4000,
}
CHECKPOINT = {
    "name": is_text,
    "stretch": is_flag,
    "passed": is_flag,
    "verdict": is_text,
    "case": or_null(lambda value: isinstance(value, dict) and is_value(value)),
    "shown": or_null(is_text),
    "expected": is_value,
    "got": is_value,
    "index": or_null(list_of(is_count)),
    "path": is_text,
    "tolerance": or_null(lambda value: len(value) == 2 and all(isinstance(x, (int, float)) and x >= 0 for x in value)),
    "raised": is_text,
    "trace": list_of(lambda frame: [type(part) for part in frame] == [str, int, str]),
    "fault": or_null(is_text),
    "says": is_text,
    "file": or_null(is_text),
    "line": or_null(is_count),
    "cases": is_count,
    "failed": is_count,
}


def conforming(line):
    """One line of output as a verdict, held against the tables of docs/json.md."""
    verdict = json.loads(line, parse_constant=refuse_constant)
    assert set(verdict) == set(OBJECT)
    for name, good in OBJECT.items():
        assert good(verdict[name]), (name, verdict[name])
    for c in verdict["checkpoints"]:
        assert set(c) == set(CHECKPOINT)
        for name, good in CHECKPOINT.items():
            assert good(c[name]), (name, c[name])
        assert c["verdict"] in VERDICTS
        assert c["passed"] == (c["verdict"] == "passed") and c["failed"] <= c["cases"]
        assert c["says"] or c["passed"]
    needed = [c["passed"] for c in verdict["checkpoints"] if not c["stretch"]]
    assert verdict["passed"] == (bool(needed) and all(needed))
    return verdict


def test_the_documentation_names_what_the_verdict_holds():
    assert documented() == set(OBJECT) | set(CHECKPOINT) | VERDICTS


SUBMISSIONS = {
    "passed": (lambda source: source, 0),
    "wrong-value": (lambda source: source.replace("operand.grad += slope", "operand.grad = slope"), 1),
    "missing": (derive, 1),
    "raised": (lambda source: source.replace("y = math.exp(", "raise ValueError('\\ud800 \\x1b[2J'); y = math.exp("), 1),
    "import-error": (lambda source: source + "\ndef f(:\n", 1),
    "forbidden-import": (lambda source: "import torch\n" + source, 1),
}  # fmt: skip


@pytest.mark.parametrize("verdict", SUBMISSIONS)
def test_json_is_one_object_of_the_documented_form(warm, value_source, verdict):
    change, status = SUBMISSIONS[verdict]
    warm.built.write_text(change(value_source), encoding="utf-8")
    done = warm("check", "1.3", "--json", "--seed", 81)
    assert (done.returncode, done.stderr) == (status, "") and one_line(done.stdout)
    shown = conforming(done.stdout)
    assert shown["lesson"] == "1.3" and shown["seed"] == 81 and shown["passed"] == (status == 0)
    assert verdict in {c["verdict"] for c in shown["checkpoints"]}
    assert done.stdout.isascii()  # so that no locale can spoil it


def test_json_of_arrays_is_strict_and_of_the_documented_form(tmp_path):
    """Every fault of every lesson whose values are arrays, one object a line."""
    lesson = find("1.1")
    (built,) = lesson.builds
    reference = reference_text(built.removesuffix(".py").replace("/", "."))
    paths = []
    for i, fault in enumerate(load_faults(lesson, {built: reference})):
        paths.append(tmp_path / f"{i}.py")
        paths[-1].write_text(fault.apply(reference), encoding="utf-8")
    files = [word for path in paths for word in ("--file", path)]
    done = run_in(tmp_path, tmp_path, "check", "1.1", "--json", *files)
    assert done.returncode == 1 and done.stderr == ""
    verdicts = [conforming(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(paths) and not any(verdict["passed"] for verdict in verdicts)
    assert len({verdict["seed"] for verdict in verdicts}) == 1  # the same cases for all
    assert '"shape"' in done.stdout


def test_a_verdict_is_the_same_under_the_same_seed(warm, value_source):
    """Of the checkpoint that fails first; those after it may be cut short, and how far a case is shrunk is a matter of time."""
    warm.built.write_text(value_source.replace("operand.grad += slope", "operand.grad = slope"), encoding="utf-8")
    told = [json.loads(warm("check", "1.3", "--json", "--seed", 7).stdout)["checkpoints"] for _ in range(2)]
    first, second = (next(c for c in each if not c["passed"]) for each in told)
    for name in ("name", "verdict", "fault", "line", "cases", "failed"):
        assert first[name] == second[name]


# Files that are not what a check needs


@pytest.mark.parametrize(
    "content, line, says",
    [
        ("x = 1\n\ndef f(:\n", 3, "SyntaxError"),
        ("if True:\nx = 1\n", 2, "IndentationError"),
        ("x = (\n", 1, "SyntaxError"),
        ("print('a\r\nb')\r\n", 1, "SyntaxError"),
        ("x = 1\n  \ty = 2\n", 2, "IndentationError"),
    ],
)
def test_a_file_that_does_not_parse_gets_its_line_marked_and_nothing_else(warm, content, line, says):
    warm.built.write_text(content, encoding="utf-8", newline="")
    done = warm("check", "1.3")
    head, marked, *rest = done.stdout.splitlines()
    assert done.returncode == 1 and done.stderr == ""
    assert head.split() == ["✗", "does", "not", "parse", f"{BUILT}:{line}"]
    marks = re.fullmatch(r"  ▸ (\d+)  (.*)", marked)
    assert int(marks[1]) == line and marks[2] == re.split(r"\r?\n", content)[line - 1].expandtabs(4)
    assert len(rest) == 1 and says in rest[0]


@pytest.mark.parametrize("content", [b"x = 1\0", b"\xff\xfe\0", b"# coding: zip\n", b"x = '\xe9'\n", b"(" * 5000])
def test_a_file_that_is_no_source_is_a_verdict(warm, content):
    warm.built.write_bytes(content)
    done = warm("check", "1.3", "--json")
    assert done.returncode == 1 and done.stderr == ""
    assert {c["verdict"] for c in conforming(done.stdout)["checkpoints"]} == {"import-error"}


def test_a_folder_where_the_file_belongs_is_not_usable(inside):
    assert inside("open", "1.3")[0] == 0
    built = inside.root / BUILT
    built.unlink()
    built.mkdir()
    for words in (["open", "1.3"], ["check", "1.3"], ["reset", "1.3", "--yes"]):
        status, out, err = inside(*words)
        assert (status, out) == (2, "") and one_line(err) and str(built) in err


def test_files_are_judged_with_no_workspace_at_all(tmp_path, value_source):
    good, bad, odd = (tmp_path / name for name in ("good.py", "with a space.py", "odd.py"))
    good.write_text(value_source)
    bad.write_text(value_source.replace("operand.grad += slope", "operand.grad = slope"))
    odd.write_text("import scipy\n" + value_source)
    several = run_in(tmp_path, tmp_path, "check", "1.3", "--file", good, "--file", bad, "--file", odd)
    assert several.returncode == 1
    for said in ("built", "gradient overwritten", "without `scipy`", str(bad)):
        assert said in several.stdout
    allowed = run_in(tmp_path, tmp_path, "check", "1.3", "--any-imports", "--json", "--file", odd)
    assert allowed.returncode == 0 and conforming(allowed.stdout)["passed"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in (good, bad, odd))


def test_a_file_that_cannot_be_read_leaves_standard_output_empty(inside, tmp_path, value_source):
    """Also where others before it could have been judged."""
    (tmp_path / "good.py").write_text(value_source)
    for wrong in (tmp_path / "absent.py", tmp_path):
        status, out, err = inside("check", "1.3", "--json", "--file", str(tmp_path / "good.py"), "--file", str(wrong))
        assert (status, out) == (2, "") and one_line(err) and str(wrong) in err


# The workspace and its configuration


def test_a_workspace_is_made_once_and_never_over_something(inside, tmp_path):
    before = {path: path.read_bytes() for path in inside.root.rglob("*") if path.is_file() and ".git" not in path.parts}
    (tmp_path / "file").write_text("mine")
    (tmp_path / "other" / "mine").mkdir(parents=True)
    (tmp_path / "other" / "mine" / "work.py").write_text("mine")
    for folder in ("workspace", "file", "other", "workspace/inner", "file/inner"):
        status, out, err = inside("start", folder, "--yes")
        assert (status, out) == (2, "") and one_line(err)
    assert {p: p.read_bytes() for p in before} == before
    assert os.listdir(tmp_path / "other") == ["mine"] and os.listdir(tmp_path / "other" / "mine") == ["work.py"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_start_that_was_cut_short_can_be_made_again(inside, tmp_path):
    for left in ("groundup.toml", ".groundup/progress.db"):
        (inside.root / left).unlink()
    assert inside("start", "workspace", "--yes")[0] == 0
    assert inside()[0] == 0


def test_a_folder_with_files_of_its_own_becomes_a_workspace_beside_them(inside, tmp_path):
    folder = tmp_path / "has things"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    assert inside("start", "has things", "--yes", "--track", "core", "--hours", "6.5")[0] == 0
    assert (folder / "README.md").read_text() == "mine"
    assert 'track = "core"' in (folder / "groundup.toml").read_text()


def test_a_clone_without_a_store_gets_one(inside, tmp_path):
    """Git carries the workspace, not the store."""
    subprocess.run(["git", "clone", "-q", inside.root, tmp_path / "clone"], check=True, capture_output=True)
    os.chdir(tmp_path / "clone")
    assert inside()[0] == 0 and inside("open", "1.3")[0] == 0
    assert Store(tmp_path / "clone/.groundup/progress.db", readonly=True).standing("1.3").opened


BROKEN = {
    'format = 1\ntrack =\n': (2, "TOML"),
    'format = 1\ntrack = "core\n': (2, "TOML"),
    'format = "1"\n': (1, "whole number"),
    'track = "core"\n': (1, "whole number"),
    'format = 0\n': (1, "whole number"),
    'format = true\n': (1, "whole number"),
    'format = 1\n# a track\ntrack = "fast"\n': (3, "everything, core, engineer, lm, nlp"),
    'format = 1\ntrack = ["core"]\n': (2, "everything, core, engineer, lm, nlp"),
    'format = 1\n\nhours_per_week = "ten"\n': (3, "hours"),
    'format = 1\nhours_per_week = nan\n': (2, "hours"),
    'format = 1\nhours_per_week = 169\n': (2, "hours"),
    'format = 1\nbegin = "late"\n': (2, "beginning, placement, or a lesson's id"),
    'format = 1\npace = 3\n': (2, "only format, track, hours_per_week, begin and course"),
    'format = 1\n"a(b" = 3\n': (2, "only format, track, hours_per_week, begin and course"),
    'format = 1\n[groundup]\npace = 3\n': (2, "only format, track, hours_per_week, begin and course"),
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_groundup_toml_is_named_with_its_line_and_what_was_expected(inside, text):
    line, expected = BROKEN[text]
    path = inside.root / "groundup.toml"
    path.write_text(text)
    for words in ([], ["next"], ["open", "1.3"]):
        status, out, err = inside(*words)
        assert (status, out) == (2, "") and one_line(err)
        assert f"{path}:{line}:" in err and expected in err
    assert path.read_text() == text


def test_a_broken_groundup_toml_is_said_by_check_too(inside):
    (inside.root / "groundup.toml").write_bytes(b"\xff")
    status, out, err = inside("check", "1.3")
    assert (status, out) == (2, "") and one_line(err) and "groundup.toml" in err
    assert inside("judge", "--stop")[0] == 2


def test_a_workspace_of_a_newer_groundup_is_refused_with_how_to_upgrade(inside):
    (inside.root / "groundup.toml").write_text("format = 99\nunheard_of = 1\n")
    status, out, err = inside()
    assert (status, out) == (2, "") and one_line(err) and "pip install -U groundup" in err


def test_a_store_of_a_newer_groundup_is_refused_with_how_to_upgrade(inside):
    with contextlib.closing(sqlite3.connect(inside.root / ".groundup/progress.db")) as db:
        db.execute("PRAGMA user_version = 99")
    for words in ([], ["open", "1.3"], ["hint", "1.3"]):
        status, out, err = inside(*words)
        assert (status, out) == (2, "") and one_line(err) and "pip install -U groundup" in err


def test_the_map_without_a_workspace_says_how_to_make_one(tmp_path):
    done = run_in(tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (2, "") and one_line(done.stderr) and "groundup start" in done.stderr


# Opening, hints, the reference, starting again


def test_opening_twice_never_overwrites(inside):
    assert inside("open", "1.3")[0] == 0
    built = inside.root / BUILT
    stub = built.read_bytes()
    assert inside("open", "1.3")[0] == 0 and built.read_bytes() == stub
    for content in (b"# mine\r\n" + stub, stub + b"\n\ndef helper(:\n", b"\xff", b"x = 1\0"):
        built.write_bytes(content)
        assert inside("open", "1.3")[0] == 0
        assert built.read_bytes() == content


def test_what_the_contract_has_more_is_added_at_the_end(inside):
    inside("open", "1.3")
    built = inside.root / BUILT
    built.write_bytes(b"# mine\n")
    status, out, _ = inside("open", "1.3")
    assert status == 0 and "added" in out and "Value.backward" in out
    assert built.read_bytes().startswith(b"# mine\n") and b"def backward" in built.read_bytes()


def test_a_signature_that_was_changed_is_kept_and_the_contract_written_beside(inside):
    inside("open", "1.3")
    built = inside.root / BUILT
    changed = built.read_bytes().replace(b"def backward(self)", b"def backward(self, seed=1.0)")
    built.write_bytes(changed)
    status, out, _ = inside("open", "1.3")
    assert status == 0 and "differs Value.backward" in out
    assert built.read_bytes() == changed
    assert b"def backward(self)" in (built.parent / "value.contract.py").read_bytes()


def test_a_link_in_the_workspace_stays_a_link(inside, tmp_path):
    inside("open", "1.3")
    built, elsewhere = inside.root / BUILT, tmp_path / "value.py"
    shutil.move(built, elsewhere)
    built.symlink_to(elsewhere)
    elsewhere.write_bytes(b"# mine\n")
    assert inside("open", "1.3")[0] == 0
    assert built.is_symlink() and b"def backward" in elsewhere.read_bytes()


def test_reset_and_its_undo_give_back_every_byte(inside):
    inside("open", "1.3")
    built = inside.root / BUILT
    stub, mine = built.read_bytes(), bytes(range(256)) + b"\r\n"
    built.write_bytes(mine)
    status, out, err = inside("reset", "1.3")
    assert (status, out) == (1, "") and "--yes" in err and built.read_bytes() == mine
    assert inside("reset", "1.3", "--yes")[0] == 0 and built.read_bytes() == stub
    assert inside("reset", "1.3", "--undo")[0] == 0 and built.read_bytes() == mine
    assert inside("reset", "1.3", "--undo")[0] == 0 and built.read_bytes() == stub  # kept in its turn
    assert inside("reset", "1.3", "--undo")[0] == 0 and built.read_bytes() == mine
    built.unlink()
    assert inside("reset", "1.3", "--undo")[0] == 0 and built.read_bytes() in (stub, mine)
    assert inside("reset", "1.4", "--undo")[0] == 2


def test_the_ladder_of_hints_ends_in_the_reference(inside):
    inside("open", "1.3")
    ladder = hints(find("1.3"))
    for number in range(1, len(ladder) + 1):
        status, out, _ = inside("hint")
        assert status == 0 and f"hint {number} of {len(ladder)}" in out and "groundup solution" not in out
    for _ in range(2):
        status, out, _ = inside("hint")
        assert status == 0 and "groundup solution 1.3" in out
    with Store(inside.root / ".groundup/progress.db", readonly=True) as store:
        assert [event.payload["hint"] for event in store.events(kind="hinted")][: len(ladder)] == list(
            range(1, len(ladder) + 1)
        )


def test_the_solution_asks_shows_the_reference_and_is_recorded(inside, value_source):
    def looked():
        with Store(inside.root / ".groundup/progress.db", readonly=True) as store:
            return store.standing("1.3").looked

    status, out, err = inside("solution", "1.3")
    assert (status, out) == (1, "") and "--yes" in err and not looked()
    status, out, _ = inside("solution", "1.3", "--yes")
    assert (status, out) == (0, value_source) and looked()


@pytest.mark.parametrize("answer, shown", [("y\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_the_question_before_the_solution_is_taken_at_a_terminal(tmp_path, value_source, answer, shown):
    assert run_in(tmp_path, tmp_path, "start", "--yes").returncode == 0
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, answer.encode())
        done = run_in(tmp_path, tmp_path, "solution", "1.3", stdin=terminal)
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert (value_source in done.stdout) == shown and (done.returncode == 0) == shown
    assert "Traceback" not in done.stderr


def test_a_bug_is_handed_out_unnamed_and_named_when_it_is_mended(inside):
    status, out, _ = inside("bug", "1.2")
    assert status == 0 and "one mistake" in out
    lesson = find("1.2")
    (built,) = lesson.builds
    reference = reference_text(built.removesuffix(".py").replace("/", "."))
    faults = load_faults(lesson, {built: reference})
    with Store(inside.root / ".groundup/progress.db", readonly=True) as store:
        (event,) = store.events(kind="bug")
    (fault,) = [fault for fault in faults if fault.name == event.payload["fault"]]
    path = inside.root / event.payload["path"]
    assert path.read_text() == fault.apply(reference) and fault.name not in out

    status, out, _ = inside("bug", "1.2")
    assert status == 1 and "✗" in out
    assert fault.name not in out and fault.says not in " ".join(out.split())

    path.write_text(reference)
    status, out, _ = inside("bug", "1.2")
    assert status == 0 and "Found" in out and fault.name in out
    inside("bug", "1.2")
    with Store(inside.root / ".groundup/progress.db", readonly=True) as store:
        assert [event.kind for event in store.events(lesson="1.2")] == ["bug", "found", "bug"]
        assert store.events(kind="bug")[-1].payload["fault"] != fault.name


# What a command may cost, and where its output may go


@pytest.mark.parametrize(
    "words",
    [["--version"], ["check", "1.3"], [], ["hint", "1.3"], ["plan"], ["shelf"], ["log"], ["recall"], ["arena"]],
    ids=" ".join,
)
def test_quick_commands_import_nothing_large(warm, words):
    warm("check", "1.3")  # so that a judge is there
    script = (
        "import sys; from groundup.cli import run; run(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(warm.root.parent / "run")}
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=warm.root, env=environment)
    assert done.stdout and done.stderr.strip() == "[]"


def test_a_page_is_shown_whole_when_it_is_piped(warm):
    page = warm("show", "1.3")
    assert page.returncode == 0 and "\x1b" not in page.stdout
    for _, title in find("1.3").headings:
        assert title in page.stdout


@pytest.mark.parametrize("words", [["show", "1.3"], ["--version"], ["--help"], []], ids=" ".join)
def test_a_reader_that_goes_away_is_no_error(warm, words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = warm(*words, stdout=writing, stderr=subprocess.PIPE, capture_output=False)
    finally:
        os.close(writing)
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("words", [["--version"], ["map"], ["check", "1.3"]], ids=" ".join)
def test_a_disk_that_is_full_is_one_line(warm, words):
    with open("/dev/full", "w") as full:
        done = warm(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 2 and one_line(done.stderr) and "space" in done.stderr


def test_help_is_a_word_too(capsys):
    assert command(["help", "check"]) == 0
    said = capsys.readouterr()
    assert command(["check", "--help"]) == 0
    assert said == capsys.readouterr()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_gets_its_verdict(warm, value_source, encoding):
    warm.built.write_text(derive(value_source))
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "XDG_RUNTIME_DIR": str(warm.root.parent / "run")}
    for words in (["check", "1.3"], [], ["show", "1.3"]):
        done = warm(*words, env=environment, text=False)
        assert done.returncode in (0, 1) and done.stderr == b"" and b"1.3" in done.stdout


def test_the_doctor_finds_what_is_needed(warm):
    done = warm("doctor")
    assert done.returncode == 0 and done.stderr == ""
    assert "Python" in done.stdout and "sandbox" in done.stdout and "✗" not in done.stdout


def test_learning_without_a_terminal_shows_the_map_and_the_next_step_and_ends(tmp_path):
    first = find_all()[0]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "groundup.cli.learning"], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0 and done.stderr == ""
        assert first.title in done.stdout and f"groundup open {first.section_id}" in done.stdout
        assert (tmp_path / "workspace/groundup.toml").is_file()
