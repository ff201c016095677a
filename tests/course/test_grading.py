"""A class through `groundup grade`: the verdicts are the judge's own, and neither a kill, an order, a neighbour nor a split changes them."""

import contextlib
import csv
import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundup.course.grading.class_run import make_ready
from groundup.course.grading.gathering import Handed
from groundup.course.grading.grading import JUDGING, Terms, lesson_hash, unit_of
from groundup.course.holes.library import Submission, reference_text
from groundup.course.holes.stub import derive
from groundup.course.judging.judge import Judge
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, load
from groundup.course.workspace.workspace import WorkspaceError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from ..thorough import some
from .test_judge import CHECKS, FAULTS, RIGHT
from .test_lesson import PAGE, written

LESSON, BUILT, MODULE, NAME = "1.1", "drills/arrays.py", "drills.arrays", "arrays.py"  # its oracle needs no torch
TABLES = ("results.jsonl", "results.csv", "checkpoints.csv", "faults.csv", "pairs.csv", "report.html")
PATIENCE = 120.0  # seconds
HOSTILE = {
    "bomb.py": "hoard = [0] * 10**12\n",
    "exit.py": "import sys\nsys.exit(0)\n",
    "gone.py": "import os\nos._exit(0)\n",
    "fork.py": "import os\nos.fork()\n",
    "half.py": "def broken(:\n",
    "loud.py": "print('=x' * 10**6)\n",
    "liar.py": "import builtins\nbuiltins.print = builtins.len = lambda *a: 0\n",
}


@pytest.fixture(scope="module")
def source():
    return reference_text(MODULE)


@pytest.fixture(scope="module")
def faulty(source):
    return [fault.apply(source) for fault in load_faults(find(LESSON), {BUILT: source})][::6]


@pytest.fixture(scope="module")
def texts(source, faulty):
    """A class: right ones, the starter, faulty ones, hostile ones, the same text twice."""
    found = {"right.py": source, "starter.py": derive(source), "copy/arrays.py": source, "again.py": faulty[0]}
    found |= {f"faulty {i}.py": text for i, text in enumerate(faulty)}
    return found | {name: source + text for name, text in HOSTILE.items()}


def hand_in(folder, texts):
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def grade(cwd, *words, **options):
    command = [sys.executable, "-m", "groundup", "grade", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, **options)


def graded(cwd, *words):
    done = grade(cwd, *words, "--lesson", LESSON, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lines(out):
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def verdicts(out):
    """Student -> what was found, without what time has a part in."""
    found = {}
    for line in lines(out):
        checkpoints = line["verdict"]["checkpoints"] if line["verdict"] else []
        found[line["student"]] = (
            line["status"],
            line["content"],
            [(c["name"], c["verdict"], c["fault"], c["says"]) for c in checkpoints],
        )
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory, texts):
    """The class, graded in one go."""
    folder = tmp_path_factory.mktemp("whole")
    hand_in(folder / "class", texts)
    told = graded(folder, "class", "--seed", 7)
    return folder, told


def test_the_verdicts_are_the_judges(whole, texts, judge):
    folder, told = whole
    rows = {line["student"]: line for line in lines(folder / "grades")}
    assert len(rows) == len(texts) == told["handed"]
    for name, text in texts.items():
        row = rows[name.removesuffix("/arrays.py").removesuffix(".py")]
        verdict = judge.check(find(LESSON), Submission({BUILT: text.encode()}), 7, search=False, hurried=False)
        assert row["status"] == ("passed" if verdict.passed else "failed")
        assert [(c["verdict"], c["fault"]) for c in row["verdict"]["checkpoints"]] == [
            (c.verdict.value, c.fault) for c in verdict.checkpoints
        ]
    assert {rows[name]["status"] for name in ("right", "copy", "loud")} == {"passed"}
    assert {rows[name.removesuffix(".py")]["status"] for name in HOSTILE if name != "loud.py"} == {"failed"}


def test_the_same_text_is_judged_once(whole, texts):
    _, told = whole
    assert told["distinct"] == told["judged"] == len(set(texts.values())) == len(texts) - 2


def test_all_that_is_written_agrees(whole):
    folder, told = whole
    out = folder / "grades"
    assert all((out / name).is_file() for name in TABLES)
    with open(out / "results.csv", newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    assert [(row["student"], row["status"]) for row in table] == [(x["student"], x["status"]) for x in lines(out)]
    assert told["passed"] + told["failed"] == told["handed"] and told["unusable"] == told["ended"] == 0
    for each in told["checkpoints"]:
        marks = [c for line in lines(out) for c in line["verdict"]["checkpoints"] if c["name"] == each["name"]]
        assert each["passed"] == sum(c["passed"] for c in marks)
        assert each["failed"] == sum(not c["passed"] and c["verdict"] != "skipped" for c in marks)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(f">{line['student']}</th>" in page for line in lines(out))
    with open(out / "pairs.csv", newline="", encoding="utf-8-sig") as file:
        copies = {frozenset((row["first"], row["second"])) for row in csv.DictReader(file) if row["same_text"] == "yes"}
    assert {frozenset(("right", "copy")), frozenset(("faulty 0", "again"))} <= copies


def test_a_second_run_judges_nothing_and_writes_the_same(whole):
    folder, _ = whole
    before = {name: (folder / "grades" / name).read_bytes() for name in TABLES}
    told = graded(folder, "class")
    assert told["judged"] == 0 and told["seed"] == 7
    assert {name: (folder / "grades" / name).read_bytes() for name in TABLES} == before


def test_only_what_is_new_or_spoilt_is_judged(whole, source, tmp_path):
    folder, told = whole
    shutil.copytree(folder / "grades", tmp_path / "grades")
    shutil.copytree(folder / "class", tmp_path / "class")
    (tmp_path / "class/late.py").write_text(source + "# late\n")
    (tmp_path / "class/half.py").unlink()
    results = sorted((tmp_path / "grades/results").rglob("*.json"))
    results[0].write_bytes(results[0].read_bytes()[:-10])
    results[1].write_bytes(b"")
    results[2].write_bytes(results[3].read_bytes())
    again = graded(tmp_path, "class")
    assert 3 <= again["judged"] <= 4 and again["handed"] == told["handed"]  # half.py may be one of the three


def test_neither_order_nor_number_of_workers_matters(whole, texts, tmp_path):
    folder, _ = whole
    names = list(texts)
    shuffled = random.Random(1).sample(names, len(names))
    hand_in(tmp_path / "class", {f"{i:02} {Path(name).name}": texts[name] for i, name in enumerate(shuffled)})
    graded(tmp_path, "class", "--seed", 7, "--workers", 1)
    ours = sorted(found for _, *found in ((k, *v) for k, v in verdicts(tmp_path / "grades").items()))
    assert ours == sorted(list(found) for found in verdicts(folder / "grades").values())


def test_shards_together_are_the_whole(whole, tmp_path):
    folder, told = whole
    shutil.copytree(folder / "class", tmp_path / "class")
    parts = [graded(tmp_path, "class", "--seed", 7, "--shard", f"{i}/3") for i in (3, 1, 2)]
    assert sum(part["judged"] for part in parts) == told["distinct"]
    assert not (tmp_path / "grades/results.jsonl").exists()
    merged = graded(tmp_path, "class")
    assert merged["judged"] == 0 and merged["seed"] == 7
    assert verdicts(tmp_path / "grades") == verdicts(folder / "grades")


def alive_in(folder):
    """Processes that work in a folder or below, without those that have ended."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            inside = os.readlink(f"/proc/{pid}/cwd").startswith(str(folder))
            if inside and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(pid))
    return found


STOPS = [(6, signal.SIGKILL), (1, signal.SIGKILL), (3, signal.SIGINT)]


@pytest.mark.parametrize("stop", some(STOPS, lambda stop: stop == STOPS[0]), ids=str)
def test_stopped_in_the_middle_it_goes_on_where_it_was(whole, source, tmp_path, stop):
    after, how = stop
    folder, told = whole
    shutil.copytree(folder / "class", tmp_path / "class")
    hand_in(
        tmp_path / "class", {"zz.py": source + "import time\ntime.sleep(2.5)\n"}
    )  # the last, still at work when it is stopped
    command = [sys.executable, "-m", "groundup", "grade", "class", "--lesson", LESSON, "--seed", "7"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + PATIENCE
    while len(list(tmp_path.glob("grades/results/*/*.json"))) < after and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(how)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == (-how if how == signal.SIGKILL else 130)
    assert how == signal.SIGKILL or "the same command goes on" in said
    kept = list(tmp_path.glob("grades/results/*/*.json"))
    assert after <= len(kept) <= told["distinct"]
    for path in kept:
        assert json.loads(path.read_bytes())["key"] == path.stem
    while alive_in(tmp_path) and time.monotonic() < limit:
        time.sleep(0.05)
    assert alive_in(tmp_path) == []
    again = graded(tmp_path, "class")
    assert again["judged"] == told["distinct"] + 1 - len(kept)
    found = verdicts(tmp_path / "grades")
    assert found.pop("zz")[0] == "passed" and found == verdicts(folder / "grades")


def test_what_was_ended_stands_until_it_is_asked_for_again(tmp_path, source):
    hand_in(tmp_path / "class", {"ada.py": source})
    told = graded(tmp_path, "class", "--timeout", "0.001")
    assert told["ended"] == 1 and told["passed"] == 0
    (line,) = lines(tmp_path / "grades")
    assert line["status"] == "ended" and "0.001 s" in line["reason"] and line["verdict"] is None
    assert graded(tmp_path, "class")["judged"] == 0
    assert graded(tmp_path, "class", "--retry")["passed"] == 1


def test_where_nothing_can_be_judged_it_says_so(tmp_path, source):
    hand_in(tmp_path / "class", {"ada.py": source, "bob.py": source + "# bob\n"})
    done = grade(tmp_path, "class", "--lesson", LESSON, "--timeout", "0.001")
    assert done.returncode == 2 and "no submission could be judged" in done.stderr and "doctor" in done.stderr


def test_an_endless_loop_is_paid_for_once(judge, engine, value_source):
    looping = re.sub(
        r"( +)def backward\(self\):", r"\1def backward(self):\n\1    while True: pass", value_source, count=1
    )
    verdict = judge.check(
        engine, Submission({"grad/value.py": looping.encode()}), 1, search=False, hurried=False, late=0.0
    )
    assert [c.verdict.value for c in verdict.checkpoints if not c.stretch][:2] == ["timeout", "skipped"]


def test_what_is_broken_is_a_row_and_what_is_named_like_a_formula_is_text(tmp_path, source):
    hand_in(tmp_path / "class", {"=cmd|' -C calc'!A0.py": source, '<b>x</b>,\n"y".py': "x = 1\n"})
    (tmp_path / "class" / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "class" / "empty").mkdir()
    (tmp_path / "class" / "vast.py").write_bytes(b"#" * (1 << 20))
    told = graded(tmp_path, "class")
    assert (told["handed"], told["passed"], told["failed"], told["unusable"]) == (5, 1, 1, 3)
    rows = {line["student"]: line for line in lines(tmp_path / "grades")}
    assert "symbolic link" in rows["link"]["reason"] and "256 KiB" in rows["vast"]["reason"] and rows["empty"]["reason"]
    table = (tmp_path / "grades/results.csv").read_text(encoding="utf-8")
    assert "\n'=cmd" in table and "\n=cmd" not in table
    page = (tmp_path / "grades/report.html").read_text(encoding="utf-8")
    assert "<b>" not in page and "&lt;b&gt;x&lt;/b&gt;,\\n&#34;y&#34;" in page


def test_workspaces_are_graded_lesson_by_lesson(tmp_path, source, value_source):
    for student, files in {
        "ada": {BUILT: source},
        "bob": {BUILT: derive(source), "drills/python.py": "x = 1\n"},
    }.items():
        hand_in(
            tmp_path / "class" / student,
            {f"mine/{path}": text for path, text in files.items()} | {"groundup.toml": "format = 1\n"},
        )
    done = grade(tmp_path, "class", "--json")
    assert done.returncode == 0, done.stderr
    assert [(x["student"], x["lesson"], x["status"]) for x in lines(tmp_path / "grades")] == [
        ("ada", "1.1", "passed"), ("bob", "1.0", "failed"), ("bob", "1.1", "failed"),
    ]  # fmt: skip


def test_a_slurm_array_grades_the_class(tmp_path, source, faulty):
    here = tmp_path / "a class of 'ours' & $HOME"
    hand_in(here / "handed in", {f"s{i}.py": text for i, text in enumerate([source, *faulty])})
    done = grade(here, "handed in", "--lesson", LESSON, "--slurm", "2", "--workers", "1", "--out", "the grades")
    assert done.returncode == 0, done.stderr
    script = tmp_path / "grade.sh"
    script.write_text(done.stdout)
    assert "#SBATCH --array=1-2" in done.stdout
    for task in ("2", "1"):
        ran = subprocess.run(
            ["bash", str(script)], cwd="/", env={**os.environ, "SLURM_ARRAY_TASK_ID": task}, capture_output=True, text=True, timeout=PATIENCE
        )  # fmt: skip
        assert ran.returncode == 0 and ran.stdout.startswith(f"shard {task}/2:"), ran.stderr
    (merge,) = re.findall(r"^#   (cd .*)$", done.stdout, re.MULTILINE)
    ran = subprocess.run(["bash", "-c", merge], cwd="/", capture_output=True, text=True, timeout=PATIENCE)
    assert ran.returncode == 0 and " 0 judged now" in ran.stdout, ran.stderr
    assert len(lines(here / "the grades")) == 1 + len(faulty)


def test_a_pack_is_graded_once_it_is_trusted(tmp_path):
    pack = Path(__file__).parents[2] / "examples" / "tiny-pack"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    hand_in(tmp_path / "class", {"ada.py": (pack / "series/averages.py").read_text(), "bob.py": "x = 1\n"})
    words = ("class", "--course", pack, "--lesson", "1.1", "--json")
    refused = grade(tmp_path, *words, env=environment)
    assert refused.returncode == 2 and not (tmp_path / "grades").exists()
    (digest,) = re.findall(r"--trust ([0-9a-f]{64})", refused.stderr)
    done = grade(tmp_path, *words, "--trust", digest, env=environment)
    assert done.returncode == 0, done.stderr
    assert {line["student"]: line["status"] for line in lines(tmp_path / "grades")} == {
        "ada": "passed",
        "bob": "failed",
    }
    assert f"--trust {digest}" in grade(tmp_path, *words, "--slurm", "2", env=environment).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["class", "nowhere/at/all", "--lesson", LESSON], ""),
        (["class", "--lesson", "99.9"], "no lesson '99.9'"),
        (["class", "--seed", "-1"], "seed"),
        (["class", "--workers", "0"], "workers"),
        (["class", "--timeout", "0"], "timeout"),
        (["class", "--shard", "3/2"], "shard"),
        (["class", "--shard", "all"], "shard"),
        (["class", "--executor", "magic"], "magic"),
        (["class", "--address", "auto"], "--executor ray"),
        (["class", "--slurm", "4", "--shard", "1/2"], "--slurm"),
        (["--slurm", "4"], "handed in"),
        (["class", "--out", "class/ada.py"], "cannot hold the grades"),
        (["nowhere", "--lesson", LESSON], "nowhere is not there"),
        (["class", "--trust", "0123"], "--course"),
        (["class", "--course", "class"], "course.toml"),
        (["class", "--out", "broken"], "another folder"),
        ([], "handed in"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, words, says):
    hand_in(tmp_path / "class", {"ada.py": "x = 1\n"})
    hand_in(tmp_path / "broken", {"grading.json": "[]"})
    done = grade(tmp_path, *words)
    if says == "":  # a place that is not there is a row: the others are graded
        assert done.returncode == 0 and "1 × unusable: It cannot be read" in done.stdout
        return
    assert not (tmp_path / "grades").exists() or "--out" in words
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1 and says in done.stderr


def test_a_machine_that_cannot_judge_fails_nobody(tmp_path):
    page = PAGE.replace("allows: []", "allows: [numpy]")
    oracle = CHECKS.replace("import torch\n", "import no_such_package as torch\n")
    lesson = load(written(tmp_path, page, checks_py=oracle, faults_toml=FAULTS))
    with Judge() as judge:
        with pytest.raises(WorkspaceError, match="no_such_package"):
            make_ready(judge, [lesson], Terms(1))
        with pytest.raises(WorkspaceError, match="nothing_like_it"):
            make_ready(judge, [dataclasses.replace(lesson, allows=("nothing_like_it",))], Terms(1))


def test_a_key_is_that_of_the_files_the_lesson_and_the_terms(tmp_path):
    def key(student="ada", files=None, alone=True, terms=None, checks=CHECKS):
        lesson = load(written(tmp_path / str(len(checks)), PAGE, checks_py=checks, faults_toml=FAULTS))
        handed = Handed(student, student, lesson.section_id, files or {"grad/value.py": RIGHT.encode()}, alone)
        return unit_of(handed, lesson, terms or Terms(1)).key

    same = key()
    assert key(student="bob") == key(alone=False) == same  # the lesson has one file, beside which nothing stands
    others = [
        key(files={"grad/value.py": b"x"}), key(files={"grad/other.py": RIGHT.encode()}), key(terms=Terms(2)), key(terms=Terms(1, 10)), key(checks=CHECKS + "\n# more\n"),
    ]  # fmt: skip
    assert len({same, *others}) == 1 + len(others)


def test_the_hash_of_the_judge_is_of_all_that_it_imports():
    code = "import sys, groundup.course.judging.judge, groundup.course.sandbox.inside as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    course = {name.split(".")[2] for name in loaded if name.startswith("groundup.course.")}
    assert course - {"packs"} == JUDGING  # of a pack the hash of all its files counts
    assert lesson_hash(find("1.3")) != lesson_hash(find("1.4"))


def test_the_container_is_nobody_and_copies_what_is_there():
    """It is built where there is a registry; here is what can be known without one."""
    root = Path(__file__).parents[2]
    text = (root / "containers/grading/Containerfile").read_text()
    steps = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    copied = [word for step in steps if step.startswith("COPY") and "--from" not in step for word in step.split()[1:-1]]
    assert copied and all((root / name).exists() for name in copied)
    build = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(build["force-include"]) <= set(copied)
    assert [step for step in steps if step.startswith("USER")][-1] == "USER 10001:10001"
    assert steps[-1] == 'ENTRYPOINT ["/opt/groundup/bin/groundup", "grade"]'
    (torch,) = re.findall(r"\btorch==\S+", text)
    assert torch in (root / "constraints.txt").read_text().split()
    for flag in (
        "--network none",
        "--read-only",
        "--cap-drop all",
        "no-new-privileges",
        "--pids-limit",
        "--memory ",
        ":ro",
    ):
        assert flag in text
