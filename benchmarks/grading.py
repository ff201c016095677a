"""A class of lesson 1.3 through `groundup grade`: submissions a second, on the processors there are.

The class is made up: six in ten are right (the reference and a second solution), one in ten is the starter as it was handed
out, one in a hundred is hostile, and the rest have the lesson's faults, each as often as the others. Every text is its own: names
of locals, comments and blank lines differ, so that no result serves twice.

    python benchmarks/grading.py [N]

The clock on the wall is what the goal is about (10,000 in five minutes on two cores, at rest); processor time, of all processes
together, is what a busy machine leaves as it is.
"""

import ctypes
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from groundup.course.holes.library import reference_text
from groundup.course.holes.stub import derive
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find

GOAL = 10_000 / 300  # submissions a second
SUBREAPER = (
    36  # PR_SET_CHILD_SUBREAPER, prctl(2): processes that lose their parent become ours, and their time is counted
)
SECOND = Path(__file__).parents[1] / "tests" / "solutions" / "1.3" / "second.py"
OWN_NAMES = (
    "order",
    "seen",
    "stack",
    "operand",
    "slope",
    "_as_value",
    "_result",
    "lift",
    "found",
    "arriving",
    "uses",
    "share",
)
HOSTILE = {
    "loop": "    def backward(self):\n        while True:\n            pass\n",
    "loop at import": "while True:\n    pass\n",
    "memory": "    def backward(self):\n        hoard = []\n        while True:\n            hoard.append(bytearray(1 << 24))\n",
    "memory at import": "hoard = [0] * 10**12\n",
    "exit": "import sys\nsys.exit(0)\n",
    "exit at once": "    def backward(self):\n        import os\n        os._exit(0)\n",
    "fork": "    def backward(self):\n        import os\n        while True:\n            os.fork()\n",
    "flood": "    def backward(self):\n        for _ in range(10**5):\n            print('x' * 100)\n",
    "no end of recursion": "    def backward(self):\n        self.backward()\n",
    "half a file": "def broken(:\n",
}


def main(count):
    """The table of a run."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = hand_in(Path(folder, "class"), count)
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        before, begun = used(), time.perf_counter()
        told = grade(folder, "class", "--lesson", "1.3", "--seed", "1", "--json")
        wall, processor = time.perf_counter() - begun, used() - before
        again = time.perf_counter()
        second = grade(folder, "class", "--lesson", "1.3", "--json")
        again = time.perf_counter() - again
    right = kinds["right"]
    assert told["handed"] == told["judged"] == told["distinct"] == count and told["ended"] == 0, told
    assert told["passed"] == right and second["judged"] == 0, (told["passed"], right, second["judged"])
    print(f"{count} submissions of 1.3, {dict(kinds)}")
    print(
        f"{'wall':>12} {wall:8.1f} s   {count / wall:6.1f} a second, goal {GOAL:.1f}: {wall * GOAL / count:.2f} of the time there is"
    )
    print(
        f"{'processors':>12} {processor:8.1f} s   {1e3 * processor / count:6.1f} ms each, {processor / wall:.2f} of them at work"
    )
    print(f"{'again':>12} {again:8.1f} s   nothing judged, tables and report written")
    print(
        f"{'found':>12} {told['passed']} passed, {len(told['faults'])} faults, {told['pairs']} pairs in {told['families']} families"
    )


def hand_in(folder, count):
    """Writes the class; how many of each kind there are."""
    folder.mkdir()
    rng, lesson = random.Random(1), find("1.3")
    reference = reference_text("grad.value")
    faulty = [fault.apply(reference) for fault in load_faults(lesson, {"grad/value.py": reference})]
    right, hostile, kinds = [reference, SECOND.read_text(encoding="utf-8")], list(HOSTILE.values()), Counter()
    for i in range(count):
        share = rng.random()
        if i % 100 == 99:
            kind, text = "hostile", spoilt(reference, hostile[i // 100 % len(hostile)])
        elif share < 0.6:
            kind, text = "right", right[i % 2]
        elif share < 0.7:
            kind, text = "starter", derive(reference)
        else:
            kind, text = "faulty", faulty[i % len(faulty)]
        kinds[kind] += 1
        Path(folder, f"student-{i:05}.py").write_text(own_hand(text, rng, i), encoding="utf-8")
    return kinds


def spoilt(text, what):
    """A method goes into the class in place of the right one, anything else to the end of the file."""
    return (
        re.sub(r"    def backward\(self\)", lambda found: f"{what}\n    def unused(self)", text, count=1)
        if what.startswith(" ")
        else text + what
    )


def own_hand(text, rng, i):
    """The same program as another would have typed it."""
    for name in OWN_NAMES:
        if rng.random() < 0.5:
            text = re.sub(rf"(?<![.\w]){name}\b", f"{name}_{rng.choice('abcdef')}", text)
    lines = [line + "  # so" * (rng.random() < 0.05 and line.endswith(")")) for line in text.splitlines()]
    return "\n".join([f"# student {i}", *lines, ""])


def grade(folder, *arguments):
    """`groundup grade`, whose orphans are waited for too."""
    command = [sys.executable, "-m", "groundup", "grade", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return json.loads(done.stdout)


def used():
    """Processor seconds of all children there have been."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
