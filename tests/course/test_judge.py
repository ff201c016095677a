"""Every verdict arises where it should, a seed draws the same again, and nothing run is never a pass."""

import json

import numpy as np
import pytest

from groundup.course.holes.library import Submission, module_name, reference_text
from groundup.course.judging.batches import draw_batch
from groundup.course.judging.verdicts import Verdict
from groundup.course.lessons.draw import SeededDraw
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, load
from groundup.course.lessons.probes import load_probes
from groundup.course.showing.verdict_parts import first_failure

from .test_lesson import PAGE, written

CHECKS = """
import numpy as np
from groundup.course import checkpoint

SCALE = 2.0

def scaled(x):
    return SCALE * x

@checkpoint("the double", atol=1e-9, seconds=0.5, count=20)
def double(lib, x):
    return {"double": lib.grad.value.double(x), "half": scaled(0.25)}

@double.cases
def _(draw):
    return dict(x=draw.normal(draw.integer(1, 6), 3))

@double.oracle
def _(x):
    import torch
    return {"double": (2 * torch.tensor(x)).numpy(), "half": 0.5}

@checkpoint("hidden labels", stretch=True, count=0)
def guess(lib, x):
    return lib.grad.value.guess(x)

@guess.edges
def _():
    return [dict(x=np.ones(2), _labels=np.array([1.0, 2.0]))]

@guess.accepts
def _(got, x, labels):
    return True if np.allclose(got, labels) else "not the labels"
"""
FAULTS = """
[[fault]]
name = "never used here"
find = "positive = self.data > 0"
put = "positive = self.data >= 0"
says = "s"
"""
RIGHT = "import numpy as np\ndef double(x):\n    return 2 * x\ndef guess(x):\n    return np.array([1.0, 2.0])\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    page = PAGE.replace("allows: []", "allows: [numpy]")
    return load(written(tmp_path_factory.mktemp("lesson"), page, checks_py=CHECKS, faults_toml=FAULTS))


def judged(judge, tiny, source, **options):
    data = source if isinstance(source, bytes) else source.encode()
    return judge.check(tiny, Submission({"grad/value.py": data}, **options), seed=5)


def body(line):
    return RIGHT.replace("return 2 * x", line)


def test_a_right_solution_passes_every_checkpoint(judge, tiny):
    verdict = judged(judge, tiny, RIGHT)
    assert verdict.passed and verdict.stretched
    assert [c.cases for c in verdict.checkpoints] == [20, 1]


@pytest.mark.parametrize(
    ("source", "verdict", "word"),
    [
        (body("return 3 * x"), "wrong-value", "factor"),
        (body("return (2 * x).ravel()"), "wrong-shape", "shape"),
        (body("return (2 * x).astype(np.float32)"), "wrong-dtype", "float32"),
        (body("return x / 0 * 0"), "not-finite", "nan"),
        (body("x *= 2; return x"), "mutated-input", "`x`"),
        (body("raise NotImplementedError('yours to write: double')"), "missing", "Yours to write: double"),
        (body("return x.nonsense"), "raised", "nonsense"),
        (body("raise KeyError(3)"), "raised", "KeyError"),
        (body("return [None, object()]"), "wrong-shape", "list"),
        ("import numpy as np\n" + body("\n    while True: pass"), "timeout", "0.5 s"),
        (body("return np.ones((10**6, 10**6))"), "memory", "memory"),
        (body("return np.broadcast_to(1.0, (10**5, 10**5))"), "memory", "memory"),
        (body("import os; os._exit(3)"), "crashed", "exit status 3"),
        (body("return __import__('sklearn')"), "forbidden-import", "sklearn"),
        ("import scipy\n" + RIGHT, "forbidden-import", "scipy"),
        ("from groundup.grad.value import Value\n" + RIGHT, "forbidden-import", "reference"),
        ("def f(:\n", "import-error", "SyntaxError"),
        ("1 / 0\n", "import-error", "ZeroDivisionError"),
        (b"\xff\xfe\x00x", "import-error", "null byte"),
        (b"x = '\xe9'\n", "import-error", "UTF-8"),
        (b"#" * (2 << 20), "import-error", "2048 KiB"),
    ],
)
def test_each_verdict_arises(judge, tiny, source, verdict, word):
    first = judged(judge, tiny, source).checkpoints[0]
    assert first.verdict is Verdict(verdict), first
    assert word in first.says


def test_a_function_without_return_is_told_so(judge, tiny):
    assert "without `return`" in judged(judge, tiny, body("2 * x")).checkpoints[0].says
    inside = (
        judged(judge, tiny, body("return [None]")).checkpoints[0].says
    )  # what is inside may be None for other reasons
    assert "without `return`" not in inside


def test_a_file_that_is_not_there_is_missing(judge, tiny):
    verdict = judge.check(tiny, Submission({}), seed=1)
    assert [c.verdict for c in verdict.checkpoints] == [Verdict.MISSING] * 2 and not verdict.passed


HOLE = """
@checkpoint("a hole", count=1)
def hole(lib, x):
    return lib.grad.value.hole(x)

@hole.cases
def _(draw):
    return dict(x=draw.integer(0, 9))

@hole.oracle
def _(x):
    return x

"""


def test_what_is_wrong_comes_before_what_is_not_written(judge, tmp_path):
    checks = CHECKS.replace('@checkpoint("the double"', HOLE + '@checkpoint("the double"')
    lesson = load(
        written(tmp_path, PAGE.replace("allows: []", "allows: [numpy]"), checks_py=checks, faults_toml=FAULTS)
    )
    source = body("return 3 * x") + "\ndef hole(x):\n    raise NotImplementedError('yours to write: hole')\n"
    verdict = judged(judge, lesson, source)
    missing, wrong, _ = verdict.checkpoints
    assert (missing.verdict, wrong.verdict) == (Verdict.MISSING, Verdict.WRONG_VALUE)
    assert wrong.case["x"].shape == (1, 3)  # it is what is read, and so has been shrunk
    assert first_failure(verdict.as_json())["name"] == "the double"


def test_one_of_several_files_that_is_not_there_is_named(judge):
    verdict = judge.check(find("1.0"), Submission({"drills/python.py": b""}), seed=1)
    assert {c.verdict for c in verdict.checkpoints} == {Verdict.MISSING}
    assert verdict.checkpoints[0].says.startswith("there is no mine/drills/tools.py yet: `groundup open 1.0`")


def test_a_wrong_value_names_its_file_where_there_are_several(judge):
    lesson = find("1.0")
    texts = {path: (reference_text(module_name(path)) or "").encode() for path in lesson.builds}
    wrong = texts["drills/calculus.py"].replace(b"-b / (2 * a)", b"b")
    verdict = judge.check(
        lesson, Submission({**texts, "drills/calculus.py": wrong}), seed=1, only=frozenset({"lowest_points"})
    )
    assert [(c.verdict, c.file, c.line) for c in verdict.checkpoints] == [
        (Verdict.WRONG_VALUE, "mine/drills/calculus.py", None)
    ]


def test_a_stretch_checkpoint_is_shown_and_not_needed(judge, tiny):
    verdict = judged(judge, tiny, RIGHT.replace("[1.0, 2.0]", "[1.0, 3.0]"))
    assert verdict.passed and not verdict.stretched
    assert verdict.checkpoints[1].says == "not the labels"


def test_what_stays_in_the_judge_is_not_shown(judge, tiny):
    verdict = judged(judge, tiny, RIGHT.replace("[1.0, 2.0]", "[1.0, 3.0]"))
    assert set(verdict.checkpoints[1].case) == {"x"}


def test_the_smallest_failing_case_is_found(judge, tiny, monkeypatch):
    monkeypatch.setattr(
        "groundup.course.judging.hearing.SHRINK_SECONDS", 20.0
    )  # as long as it takes, on a busy machine too
    first = judged(judge, tiny, body("return 2 * x if x[0, 0] < 0.4 else 3 * x")).checkpoints[0]
    assert first.case["x"].shape == (1, 3)
    assert np.array_equal(first.case["x"], np.round(first.case["x"], 1))
    assert 0 < first.failed < first.cases


def test_the_line_is_the_learners_own(judge, tiny):
    first = judged(judge, tiny, body("return np.linalg.inv(x) @ x")).checkpoints[0]
    assert (first.file, first.line) == ("mine/grad/value.py", 3)


def test_what_the_code_prints_is_shown_and_capped(judge, tiny):
    verdict = judged(judge, tiny, RIGHT + "print('hello')\nprint('x' * 100_000)\n")
    assert verdict.passed and verdict.printed.startswith("hello") and len(verdict.printed) <= 4000


def test_a_seed_draws_the_same_cases_again(judge, tiny):
    checkpoint = load_probes(tiny)[0].checkpoint
    one, two, other = (draw_batch(checkpoint, 0, seed, 1) for seed in (5, 5, 6))
    assert all(np.array_equal(a["x"], b["x"]) for a, b in zip(one.cases, two.cases))
    assert not np.array_equal(one.cases[0]["x"], other.cases[0]["x"])
    assert judged(judge, tiny, body("return 3 * x")).seed == 5


def test_an_oracle_that_is_not_installed_is_skipped_and_no_pass(judge, tmp_path):
    checks = CHECKS.replace("import torch", "import no_such_oracle").partition('@checkpoint("hidden')[0]
    lesson = load(
        written(tmp_path, PAGE.replace("allows: []", "allows: [numpy]"), checks_py=checks, faults_toml=FAULTS)
    )
    verdict = judged(judge, lesson, RIGHT)
    assert verdict.checkpoints[0].verdict is Verdict.SKIPPED and "no_such_oracle" in verdict.checkpoints[0].says
    assert not verdict.passed


def test_no_checkpoint_is_no_pass():
    from groundup.course.judging.verdicts import LessonVerdict

    assert not LessonVerdict("1.3", 0, 0.0, []).passed


def test_the_oracle_does_not_cross_into_the_sandbox(tiny):
    source = load_probes(tiny)[0].source
    assert "SCALE" in source and "scaled" in source
    assert "torch" not in source and "checkpoint" not in source and "_labels" not in source


def test_a_verdict_is_strict_json(judge, tiny):
    for source in (RIGHT, body("return x / 0 * 0"), body("return [None, object()]")):
        shown = judged(judge, tiny, source).as_json()
        assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_a_fault_places_the_mistake_in_the_learners_file(judge, engine, value_source):
    faults = load_faults(engine, {"grad/value.py": value_source})
    fault = next(f for f in faults if f.name.startswith("tanh"))
    source = "# a line more\n\n" + fault.apply(value_source)
    verdict = judge.check(engine, Submission({"grad/value.py": source.encode()}), seed=3)
    named = next(c for c in verdict.checkpoints if c.fault)
    assert named.fault == fault.name
    assert source.splitlines()[named.line - 1].strip() == "def tanh(self):"


def test_generated_cases_differ_from_one_another():
    drawn = [SeededDraw(1, 0, i).normal() for i in range(20)]
    assert len(set(drawn)) == 20


LONG = """
import os
from groundup.course import checkpoint

@checkpoint("the double", count=0)
def double(lib, x):
    return lib.grad.value.double(x)

@double.edges
def _():
    return [dict(x=2.0)]

@double.oracle
def _(x):
    return 2 * x

@checkpoint("slowly right", count=0, long=True, seconds=5)
def slow(lib, x):
    return lib.grad.value.guess(x)

@slow.edges
def _():
    if "DATA" in os.environ:
        from groundup.data.catalogue import DataError
        raise DataError("there is no such dataset here.")
    return [dict(x=3.0)]

@slow.accepts
def _(got, x):
    return got == x or "not what was given"
"""


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    page = PAGE.replace("allows: []", "allows: [numpy]")
    return load(written(tmp_path_factory.mktemp("lesson"), page, checks_py=LONG, faults_toml=FAULTS))


def source(double, guess):
    return Submission({"grad/value.py": f"def double(x): return {double}\ndef guess(x): return {guess}\n".encode()})


def test_a_long_checkpoint_runs_once_the_others_have_passed(judge, slow):
    right = judge.check(slow, source("2 * x", "x"))
    assert right.passed and [c.verdict for c in right.checkpoints] == [Verdict.PASSED] * 2
    wrong = judge.check(slow, source("3 * x", "x"))
    assert not wrong.passed and [c.verdict for c in wrong.checkpoints] == [Verdict.WRONG_VALUE, Verdict.SKIPPED]
    wrong = judge.check(slow, source("2 * x", "x + 1"))
    assert not wrong.passed and [c.verdict for c in wrong.checkpoints] == [Verdict.PASSED, Verdict.WRONG_VALUE]


def test_long_checkpoints_can_be_left_out(judge, slow):
    assert [c.name for c in judge.check(slow, source("2 * x", "x + 1"), long=False).checkpoints] == ["the double"]


def test_a_checkpoint_without_its_data_is_skipped_with_the_reason_and_is_no_pass(judge, slow, monkeypatch):
    monkeypatch.setenv("DATA", "gone")
    verdict = judge.check(slow, source("2 * x", "x"))
    assert not verdict.passed
    assert verdict.checkpoints[1].verdict is Verdict.SKIPPED and verdict.checkpoints[1].absent
    assert verdict.checkpoints[1].says == "Not run: there is no such dataset here."
