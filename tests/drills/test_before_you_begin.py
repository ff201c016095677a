"""Lesson 1.0 against what it speaks of: git, Python's imports, pdb, venv; its projects against mistakes; its files as a whole."""

import ast
import importlib
import inspect
import itertools
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from groundup.course.holes.library import ROOT, Submission
from groundup.course.lessons.draw import SeededDraw
from groundup.course.lessons.lesson import find
from groundup.course.lessons.probes import demands
from groundup.drills import analysis, journal, tools

LESSON = find("1.0")
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
ITEMS = [  # of Python and what is around it: the words that a checkpoint for each has in its name
    *("class", "inheritance", "comprehensions", "generators", "decorators", "context managers", "files", "exceptions"),
    *("os", "math", "collections", "itertools", "imports and packages", "assertions", "pdb", "branches", "conflict", "merge"),
    *("virtual environment", "first analysis"),
]  # fmt: skip


def checks(part):
    """The module that a file of the lesson's checks is."""
    path = next(path for path in LESSON.checks if part in path.name)
    module = types.ModuleType(path.stem)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return module


def git(*words, cwd, given=None):
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["git", *words], cwd=cwd, input=given, text=True, capture_output=True, env={**environment, **IDENTITY}
    )
    return done.stdout


# ------------------------------------------------------------------------------------------------- the lesson as a whole


def test_every_item_has_a_checkpoint():
    names = [name for name, stretch in demands(LESSON) if not stretch]
    for item in ITEMS:
        assert any(re.search(rf"\b{item}\b", name) for name in names if name.startswith("Python:")), item


@pytest.mark.parametrize("path", LESSON.builds)
def test_all_that_is_public_is_documented_and_asked_for(path):
    module = importlib.import_module(f"groundup.{path.removesuffix('.py').replace('/', '.')}")
    asked = "\n".join(path.read_text(encoding="utf-8") for path in LESSON.checks)
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if own and not name.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value)):
            assert inspect.getdoc(value), name
            assert re.search(rf"\b{name}\b", asked), name
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 310


def test_the_faults_reach_every_file_that_is_required():
    table = (LESSON.folder / "faults.toml").read_text(encoding="utf-8")
    projects = {"drills/journal.py", "drills/elimination.py", "drills/symbolic.py", "drills/chances.py"}
    for path in set(LESSON.builds) - projects:
        assert table.count(f'file = "{path}"') >= 5, path


# ------------------------------------------------------------------------------------------------------ the projects

MISTAKES = {
    "journal": [
        ("self._file.flush()", "pass"),
        ("            if not line.endswith(b\"\\n\"):\n                break\n", ""),
        ("self._file.truncate(whole)", "pass"),
        ("raise Damaged(number) from None", "break"),
        ("        del self._entries[key]\n        self._written", "        self._entries.pop(key, None)\n        self._written"),
        ("self._entries[key] = self._written([\"set\", key, value])[2]", "self._entries[key] = value"),
        ("os.replace(beside, self.path)", "pass"),
        ("enumerate(self._file, 1)", "enumerate(self._file)"),
        ("        if not isinstance(change, list):\n            raise TypeError(f\"a change is a list, not {change!r}\")\n", ""),
    ],
    "elimination": [
        ("best = row + int(np.argmax(np.abs(R[row:, column])))", "best = row"),
        ("if abs(R[best, column]) <= tolerance:", "if R[best, column] == 0:"),
        ("others = np.arange(len(R)) != row", "others = np.arange(len(R)) > row"),
        ("R[row] /= R[row, column]", "pass"),
        ("if n in pivots:", "if False:"),
        ("N[pivots] = -R", "N[pivots] = R"),
        ("if pivots != list(range(n)):", "if False:"),
        ("    R[[row, best]] = R[[best, row]]\n", "    R[row] = R[best]\n"),
    ],
    "symbolic": [
        ("(\"*\", (\"cos\", a), da)", "(\"cos\", a)"),
        ("(\"*\", (\"*\", -1, (\"sin\", a)), da)", "(\"*\", (\"sin\", a), da)"),
        ("(\"^\", a, n - 1)", "(\"^\", a, n)"),
        ("(\"+\", (\"*\", da, b), (\"*\", a, db))", "(\"*\", da, db)"),
        ("(\"-\", (\"*\", da, b), (\"*\", a, db))", "(\"-\", (\"*\", a, db), (\"*\", da, b))"),
        ("return (\"/\", da, a)", "return (\"/\", 1, a)"),
        ("return 1 if expression == name else 0", "return 1 if isinstance(expression, str) else 0"),
        ("    inside = [simplified(part) for part in inside]\n", ""),
        ("if sign == \"/\" and a == 0:", "if sign == \"/\" and b == 0:"),
        ("(sign in (\"+\", \"-\") and b == 0)", "(sign == \"+\" and b == 0)"),
        ("(sign == \"+\" and a == 0)", "(sign in (\"+\", \"-\") and a == 0)"),
    ],
    "chances": [
        ("return {outcome: p / whole for outcome, p in distribution.items() if event(outcome)}", "return {outcome: p for outcome, p in distribution.items() if event(outcome)}"),
        ("found[how(a, b)] += p * q", "found[how(a, b)] = p * q"),
        ("for _ in range(n - 1):", "for _ in range(n):"),
        ("p * (outcome - middle) ** 2", "p * outcome**2"),
        ("weights = dict(prior)", "weights = {h: Fraction(1) for h in prior}"),
        ("Fraction(1, len(outcomes))", "1 / len(outcomes)"),
        (", p=np.array([float(distribution[outcome]) for outcome in outcomes])", ""),
        ("    if not whole:\n", "    if whole < 0:\n"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("project", "find_", "put"), [(name, *mistake) for name, mistakes in MISTAKES.items() for mistake in mistakes]
)
def test_a_mistake_in_a_project_is_rejected(project, find_, put, judge):
    """Projects are stretch checkpoints, where no fault of the lesson can be; so their mistakes stand here."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in LESSON.builds}
    path = f"drills/{project}.py"
    assert texts[path].count(find_) == 1
    texts[path] = texts[path].replace(find_, put)
    ast.parse(texts[path])
    only = {p.key for p in judge.ready(LESSON, 2, 1).probes if f"drills.{project}" in p.modules}
    submission = Submission({path: text.encode() for path, text in texts.items()}, unnamed=True)
    verdict = judge.check(LESSON, submission, seed=2, search=False, hurried=False, only=frozenset(only))
    assert len(verdict.checkpoints) == len(only) >= 1
    assert any(not c.passed for c in verdict.checkpoints)


@pytest.mark.parametrize("compacted", [False, True])
def test_a_journal_cut_off_at_any_byte_opens_with_what_was_whole(tmp_path, compacted):
    path = tmp_path / "journal"
    states = [{}]
    with journal.Journal(path) as kept:
        for key, value in (("a", 1), ("ü", ["x\n", None]), ("a", {"b": 2.5})):
            kept[key] = value
            states.append({k: kept[k] for k in kept})
        del kept["ü"]
        states.append({k: kept[k] for k in kept})
        if compacted:
            kept.compact()
            states = [{}, states[-1]]
    data = path.read_bytes()
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        with journal.Journal(path) as cut:
            assert {k: cut[k] for k in cut} == states[data[:length].count(b"\n")]
        assert path.read_bytes() == data[: data.rfind(b"\n", 0, length) + 1]


# --------------------------------------------------------------------------------------------- git, as git itself has it


@pytest.mark.parametrize("seed", range(25))
def test_a_merge_of_lines_is_what_git_makes_of_it(seed, tmp_path):
    draw = SeededDraw(seed)
    base = [f"line {i}" for i in range(draw.integer(1, 7))]
    versions = [
        base,
        *(
            [draw.choice([line, line, f"{line} both", f"{line} {side}"]) for line in base]
            for side in ("ours", "theirs")
        ),
    ]
    for name, lines in zip(("base", "ours", "theirs"), versions):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    printed = git("merge-file", "-p", "--diff3", "ours", "base", "theirs", cwd=tmp_path)
    without_base = re.sub(r"(?ms)^\|\|\|\|\|\|\| base\n.*?(?=^=======$)", "", printed).splitlines()
    merged, conflicts = tools.merge_lines(*versions)
    assert merged == without_base
    assert conflicts == sum(line.startswith("<<<<<<<") for line in merged)


@pytest.mark.parametrize("seed", range(4))
def test_branches_are_as_far_apart_as_git_says(seed, tmp_path):
    draw, made = SeededDraw(seed), checks("around_the_code")
    case = made.history(draw.integer(2, 5), [made.branch_of(draw, name) for name in "ab"], seed % 2 == 0)
    git("init", "-q", cwd=tmp_path)
    tree = git("mktree", cwd=tmp_path, given="").strip()
    made = {}
    for commit, parents in case["parents"].items():  # parents come before their children
        words = itertools.chain.from_iterable(("-p", made[parent]) for parent in parents)
        made[commit] = git("commit-tree", tree, *words, "-m", commit, cwd=tmp_path).strip()
    ours, theirs = made[case["ours"]], made[case["theirs"]]
    counts = git("rev-list", "--left-right", "--count", f"{ours}...{theirs}", cwd=tmp_path).split()
    assert list(tools.ahead_behind(case["parents"], case["ours"], case["theirs"])) == [int(count) for count in counts]
    assert made[case["_base"]] == git("merge-base", ours, theirs, cwd=tmp_path).strip()


def transcript(first):
    """The commands and the answers of the page's block that begins with such a command."""
    block = next(b for b in re.findall(r"^```text\n(.*?)^```", LESSON.prose, re.M | re.S) if b.startswith(f"$ {first}"))
    return block.splitlines()


def test_the_page_shows_what_git_prints(tmp_path):
    lines = transcript("git init")
    script = "\n".join(line[2:] for line in lines if line.startswith("$ "))
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C", **IDENTITY}
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, text=True, capture_output=True)
    told = [line for line in lines if not line.startswith("$ ")]
    assert [line.rstrip() for line in done.stdout.splitlines()] == told


def test_the_page_shows_what_pdb_prints(tmp_path):
    program = next(b for b in re.findall(r"^```python\n(.*?)^```", LESSON.prose, re.M | re.S) if "def mean" in b)
    (tmp_path / "mean.py").write_text(program, encoding="utf-8")
    lines = transcript("python -m pdb")[1:]
    typed = "".join(line.removeprefix("(Pdb) ") + "\n" for line in lines if line.startswith("(Pdb) "))
    command = [sys.executable, "-m", "pdb", "mean.py"]
    done = subprocess.run(
        command, cwd=tmp_path, input=typed, text=True, capture_output=True, env={"HOME": str(tmp_path)}
    )
    printed = done.stdout.replace(f"{tmp_path.resolve()}{os.sep}", "").replace("(Pdb) ", "").splitlines()
    assert printed == [line for line in lines if not line.startswith("(Pdb) ")]


# ------------------------------------------------------------------------------------- imports, environments, programs


@pytest.mark.parametrize("seed", range(10))
def test_modules_run_in_the_order_that_python_runs_them_in(seed, tmp_path, monkeypatch):
    draw = SeededDraw(seed)
    names = [f"order_{seed}_{i}" for i in range(5)]
    graph = {name: [other for other in names if draw.boolean(0.4)] for name in names}
    for name, others in graph.items():
        body = "".join(f"import {other}\n" for other in others) + f"import sys\nsys.modules['order_{seed}'].ended.append({name!r})\n"  # fmt: skip
        (tmp_path / f"{name}.py").write_text(body, encoding="utf-8")
    record = types.ModuleType(f"order_{seed}")
    record.ended = []
    monkeypatch.setitem(sys.modules, f"order_{seed}", record)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(names[0])
    for name in names:
        sys.modules.pop(name, None)
    assert tools.execution_order(graph, names[0]) == record.ended


def test_an_environment_that_venv_makes_is_read_as_what_it_is(tmp_path):
    for words, isolated in (((), True), (("--system-site-packages",), False)):
        folder = tmp_path / f"isolated-{isolated}"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", *words, str(folder)], check=True)
        found = tools.environment(str(folder))
        assert (found["version"], found["isolated"]) == (sys.version_info[:2], isolated)
        assert (Path(found["home"]) / f"python{sys.version_info[0]}").exists()
        path = os.pathsep.join([str(folder / "bin"), str(tmp_path)])
        assert tools.found_first("python", path) == f"{folder}/bin/python"


def test_the_analysis_runs_as_a_script(tmp_path):
    (tmp_path / "in.csv").write_text(analysis.EXAMPLE, encoding="utf-8")
    command = [sys.executable, str(ROOT / "drills" / "analysis.py"), "in.csv", "out"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kept       6" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["temperature"]["Hill"]["mean"] == 0.0


def test_drawn_files_are_messy_in_every_way():
    """A case that never has a duplicate would let every mistake about duplicates pass."""
    reasons, texts, made = set(), "", checks("first_analysis")
    for seed in range(300):
        draw = SeededDraw(seed)
        rows, _, rejected = made.messy(draw)
        reasons |= {reason for _, reason in rejected}
        texts += made.file_of(draw, rows)[0]
    assert reasons == {"fields", "date", "station", "number", "range", "duplicate"}
    for sign in ("\ufeff", "\r\n", ";", '"', "°C", "-999", "60,0"):
        assert sign in texts
