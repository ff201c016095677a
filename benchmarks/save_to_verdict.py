"""From save to verdict, as a learner has it: a file is saved, `groundup watch` prints the verdict.

For lessons 1.2 to 1.6, warm: the reference, the starter, and the lesson's faults are saved in turn. Beside it the same
checks under a cold pytest, as a whole process. Then the commands as whole processes, and two hundred submissions by
`check --file` in one process.

    python benchmarks/save_to_verdict.py [LESSON ...]
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from groundup.course.holes.library import module_name, reference_text
from groundup.course.holes.stub import derive
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find

REST = 0.4  # seconds between saves: the judge draws the next cases meanwhile, as it does while a learner types
PYTEST = """
from pathlib import Path

import pytest

from groundup.course.lessons.blocks import library_of
from groundup.course.judging.compare import difference
from groundup.course.judging.batches import draw_batch, visible
from groundup.course.lessons.lesson import find
from groundup.course.overlay import Library
from groundup.course.lessons.probes import load_probes

PROBES = load_probes(find("{lesson}"))


@pytest.mark.parametrize("place", range(len(PROBES)))
def test_checkpoint(place):
    checkpoint = PROBES[place].checkpoint
    batch = draw_batch(checkpoint, place, 1, 1)
    with library_of(Path("{workspace}")):
        for case, truth in zip(batch.cases, batch.truths):
            got = checkpoint.probe(Library("mine"), **visible(case))
            if checkpoint.accept is not None:
                assert checkpoint.accept(got, **{{k.lstrip("_"): v for k, v in case.items()}}) is True
            else:
                assert difference(truth, got, checkpoint.atol, checkpoint.rtol) is None
"""


def main(lessons):
    """Every table."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder, "workspace")
        groundup("start", str(workspace), "--yes")
        try:
            print(f"{'save to verdict, ms':32} {'n':>4} {'p50':>6} {'p95':>6} {'max':>6}   {'pytest, cold: ratio':>20}")
            everything = []
            for name in lessons:
                everything += saves(workspace, name)
            line("all", everything)
            processes(workspace)
        finally:
            groundup("judge", "--stop", cwd=workspace)
        two_hundred(Path(folder))


def groundup(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "groundup", *arguments], cwd=cwd, capture_output=True, text=True)


def save(path, text):
    """As an editor does: written beside, renamed."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text)
    os.replace(beside, path)


def saves(workspace, name):
    """Saves a lesson's submissions under a watch, and times each verdict. The pass and the failures apart."""
    lesson = find(name)
    texts = {path: reference_text(module_name(path)) for path in lesson.builds}
    groundup("open", name, cwd=workspace)
    watch = subprocess.Popen(
        [sys.executable, "-u", "-m", "groundup", "watch", name],
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    first = lesson.builds[0]
    wrong = [(path, derive(text)) for path, text in texts.items()]
    wrong += [(fault.file, fault.apply(texts[fault.file])) for fault in load_faults(lesson, texts)]
    try:
        until_verdict(watch)
        passes = [timed(watch, workspace, texts, first, texts[first], i) for i in range(30)]
        fails = [timed(watch, workspace, texts, path, text, i) for i, (path, text) in enumerate(wrong)]
    finally:
        watch.terminate()
        watch.wait()
    for path, text in texts.items():
        save(workspace / "mine" / path, text)
    cold = [cold_pytest(workspace, name) for _ in range(3)]
    line(f"{name} passing", passes, statistics.median(cold) / statistics.median(passes))
    line(f"{name} failing", fails)
    return passes + fails


def timed(watch, workspace, texts, path, text, i):
    """Milliseconds from one save to its verdict; a comment makes every save a new one."""
    time.sleep(REST)
    begun = time.perf_counter()
    save(workspace / "mine" / path, f"{text}\n# {i} {random.random()}\n")
    until_verdict(watch)
    return (time.perf_counter() - begun) * 1e3


def until_verdict(watch):
    for text in watch.stdout:
        if " · seed " in text:
            return
    raise SystemExit("the watch ended")


def cold_pytest(workspace, name):
    """Milliseconds of the same checks as a pytest process that has just been started."""
    test = workspace.parent / "test_the_same.py"
    test.write_text(PYTEST.format(lesson=name, workspace=workspace))
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout[-2000:])
    return (time.perf_counter() - begun) * 1e3


def line(label, times, ratio=None):
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    tail = f"{ratio:20.0f}" if ratio else ""
    print(
        f"{label:32} {len(ordered):4} {statistics.median(ordered):6.0f} {p95:6.0f} {ordered[-1]:6.0f}   {tail}",
        flush=True,
    )


def processes(workspace):
    """The commands as whole processes, with the judge warm."""
    script = [str(Path(sys.executable).with_name("groundup"))]
    print(f"\n{'whole processes, ms':32} {'n':>4} {'p50':>6} {'p95':>6} {'max':>6}")
    for label, arguments, status in (
        ("groundup check 1.3", ["check", "1.3"], 0),
        ("groundup --version", ["--version"], 0),
    ):
        times = []
        for turn in range(21):
            time.sleep(REST)
            begun = time.perf_counter()
            done = subprocess.run([*script, *arguments], cwd=workspace, capture_output=True)
            if done.returncode != status:
                raise SystemExit(done.stdout.decode() + done.stderr.decode())
            if turn:
                times.append((time.perf_counter() - begun) * 1e3)
        line(label, times)


def two_hundred(folder):
    """Half right, half wrong, each a file of its own."""
    lesson, source = find("1.3"), reference_text("grad.value")
    faults = load_faults(lesson, {"grad/value.py": source})
    paths = []
    for i in range(200):
        paths.append(folder / f"learner_{i}.py")
        paths[-1].write_text((source if i % 2 else faults[i // 2 % len(faults)].apply(source)) + f"\n# {i}\n")
    begun = time.perf_counter()
    done = groundup("check", "1.3", "--json", *(word for path in paths for word in ("--file", str(path))))
    seconds = time.perf_counter() - begun
    right = sum('"passed": true, "seed"' in text for text in done.stdout.splitlines())
    print(
        f"\n200 submissions of 1.3 by --file, one process: {seconds:.1f} s, {len(done.stdout.splitlines())} verdicts, {right} passed"
    )


if __name__ == "__main__":
    main(sys.argv[1:] or ["1.2", "1.3", "1.4", "1.5", "1.6"])
