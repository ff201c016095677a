"""`groundup grade --executor ray` on a real cluster: two nodes on this machine, a token, and a node that is lost half way.

Not collected by the suite, for it starts some ten processes and takes a minute: `make peers` runs it, and so does
`python -m pytest tests/course/cluster_grading.py`.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time

import pytest

from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find
from groundup.course.packs.opening import look
from groundup.course.packs.writing import example

from .test_grading import BUILT, HOSTILE, LESSON, MODULE, hand_in, verdicts

PATIENCE = 240.0  # seconds
STORE = 80 << 20  # bytes of a node's object store


@pytest.fixture(scope="module")
def token():
    """The cluster's, in the environment of this process and all it starts."""
    before = dict(os.environ)
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), RAY_USAGE_STATS_ENABLED="0")
    yield os.environ["RAY_AUTH_TOKEN"]
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def cluster(token):
    """Two nodes of one processor each; gone afterwards, whatever happens."""
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": STORE}
    nodes = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    try:
        nodes.add_node(**options)
        yield nodes
    finally:
        nodes.shutdown()


@pytest.fixture(scope="module")
def texts():
    source = reference_text(MODULE)
    faulty = [fault.apply(source) for fault in load_faults(find(LESSON), {BUILT: source})][::5]
    found = {"right.py": source} | {f"faulty {i}.py": text for i, text in enumerate(faulty)}
    return found | {name: source + text for name, text in HOSTILE.items()}


def begin(cwd, *words, **environment):
    lesson = () if "--course" in words else ("--lesson", LESSON)
    command = [sys.executable, "-m", "groundup", "grade", "class", *lesson, "--seed", "7", "--json", *words]
    return subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process):
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return json.loads(out)


def test_two_nodes_say_what_one_machine_says(cluster, texts, tmp_path):
    hand_in(tmp_path / "class", texts)
    told = end(begin(tmp_path, "--out", "far", "--executor", "ray", "--address", cluster.address))
    near = end(begin(tmp_path, "--out", "near"))
    assert told["nodes"] == 2 and told["judged"] == near["judged"] == len(texts) and told["ended"] == 0
    assert verdicts(tmp_path / "far") == verdicts(tmp_path / "near")
    again = end(begin(tmp_path, "--out", "far", "--executor", "ray", "--address", cluster.address))
    assert again["judged"] == 0 and again["nodes"] is None  # nothing to judge, so no cluster is asked
    wrong = begin(
        tmp_path,
        "--out",
        "none",
        "--executor",
        "ray",
        "--address",
        cluster.address,
        RAY_AUTH_TOKEN=secrets.token_hex(32),
    )
    out, err = wrong.communicate(timeout=PATIENCE)
    assert wrong.returncode == 2 and out == "" and "RAY_AUTH_TOKEN" in err


def test_a_node_that_is_lost_takes_no_submission_with_it(cluster, texts, tmp_path):
    hand_in(tmp_path / "class", {f"{i} {name}": f"{text}\n# {i}\n" for i in range(3) for name, text in texts.items()})
    process = begin(tmp_path, "--executor", "ray", "--address", cluster.address)
    limit = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("grades/results/*/*.json")) and time.monotonic() < limit:
        time.sleep(0.02)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    told = end(process)
    assert told["judged"] == told["handed"] == 3 * len(texts) and told["ended"] == 0
    assert told["passed"] == 3 * 2  # the reference, and the one that prints


def test_a_pack_goes_with_the_work(cluster, tmp_path, monkeypatch):
    pack, nowhere = tmp_path / "pack", tmp_path / "configuration"
    shutil.copytree(example(), pack)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere))  # what the nodes' processes have is older, and trusts nothing
    source = (pack / "series/averages.py").read_text(encoding="utf-8")
    hand_in(
        tmp_path / "class", {"right/averages.py": source, "empty/averages.py": "", "half/averages.py": source[:-300]}
    )
    asked = ("--course", str(pack), "--trust", look(pack).digest)
    told = end(begin(tmp_path, "--out", "far", "--executor", "ray", "--address", cluster.address, *asked))
    near = end(begin(tmp_path, "--out", "near", *asked))
    assert told["judged"] == near["judged"] == 3 and told["ended"] == 0 and told["passed"] == 1
    assert verdicts(tmp_path / "far") == verdicts(tmp_path / "near")


def test_without_a_cluster_it_starts_one_of_its_own(token, texts, tmp_path):
    hand_in(tmp_path / "class", {name: texts[name] for name in ("right.py", "exit.py")})
    told = end(begin(tmp_path, "--executor", "ray", "--workers", "1"))
    assert told["nodes"] == 1 and told["passed"] == 1 and told["failed"] == 1
