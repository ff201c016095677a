"""Explorables: each computes for every value of its controls, in the sandbox, and its numbers are right."""

import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

from groundup.course.holes.library import reference_text
from groundup.course.holes.stub import derive
from groundup.course.lessons.lesson import find
from groundup.course.workspace.workspace import make_workspace
from groundup.desk.explore import backward, find_all, for_lesson
from groundup.desk.explore.computing import Computing, NotComputed
from groundup.desk.explore.contour import contour
from groundup.desk.explore.explorable import BadValue, Choice, Slider, Steps, Text

CLUSTER = reference_text("classic.cluster")


@pytest.fixture(scope="module")
def computing(tmp_path_factory):
    """What computes, over a workspace in which nothing has been built."""
    made = Computing(make_workspace(tmp_path_factory.mktemp("explore") / "ws").root)
    yield made
    made.close()


@pytest.fixture
def learner(tmp_path):
    """A workspace, what computes over it, and a function that writes a file of the learner's."""
    root = make_workspace(tmp_path / "ws").root
    made = Computing(root)

    def write(path, text):
        (root / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "mine" / path).write_text(text, encoding="utf-8")

    yield made, write
    made.close()


def drawn_values(explorable, generator):
    """A value of every control, drawn as a hand might set it."""
    values = dict(explorable.defaults)
    for control in explorable.controls:
        if isinstance(control, Slider):
            values[control.name] = control.read(str(control.at(int(generator.integers(0, 101)))))
        elif isinstance(control, Steps):
            values[control.name] = int(generator.integers(control.low, control.high + 1))
        elif isinstance(control, Choice):
            values[control.name] = str(generator.choice(control.options))
    return values


def found(computing, name, **values):
    explorable = find_all()[name]
    return computing.found(explorable, {**explorable.defaults, **values})


def assert_clean(drawn, explorable):
    """The picture is well formed, has a name, and nothing in it that runs or that the policy blocks."""
    tree = ElementTree.fromstring(f"<figure>{drawn.svg}</figure>")
    kinds = {element.tag for element in tree.iter()}
    assert not kinds & {"script", "style", "foreignObject", "iframe", "a"}, kinds
    for element in tree.iter():
        assert not {name for name in element.attrib if name == "style" or name.startswith("on")}, element.attrib
    pictures = [svg for svg in tree.iter("svg") if svg.get("role") == "img"]
    assert (pictures or "table" in kinds) and all(svg.get("aria-label") for svg in pictures)
    assert "nan" not in drawn.says.lower().split() and drawn.says.endswith((".", ")"))
    assert len({len(row) for row in drawn.table}) == 1 and len(drawn.table) > 1
    steps = [control for control in explorable.controls if isinstance(control, Steps)]
    assert drawn.last is None or (steps and steps[0].low <= drawn.last <= steps[0].high)


@pytest.mark.parametrize("name", sorted(find_all()))
def test_every_explorable_draws_for_its_defaults_and_for_what_a_hand_may_set(computing, name):
    explorable = find_all()[name].at(computing.root)
    generator = np.random.default_rng(len(name))
    for values in [explorable.defaults, *(drawn_values(explorable, generator) for _ in range(3))]:
        assert_clean(computing.drawn(explorable, values), explorable)


def test_every_explorable_belongs_to_a_lesson_that_builds_its_files():
    for name, explorable in find_all().items():
        lesson = find(explorable.lesson)
        assert explorable in for_lesson(lesson.section_id)
        assert name == explorable.name and re.fullmatch(r"[a-z0-9-]+", name)
        assert explorable.proves.endswith(".") and explorable.title


# ------------------------------------------------------------------------------------------------------------- controls


def test_a_slider_reads_any_number_into_its_range_and_nothing_else():
    generator = np.random.default_rng(0)
    for slider in (Slider("x", 0.01, 10.0, 1.0, log=True), Slider("x", -3.0, 3.0, 0.0), Slider("k", 2, 6, 3, step=1)):
        for value in [*generator.uniform(-100, 100, 40), float("inf"), -float("inf")]:
            assert slider.low <= slider.read(repr(float(value))) <= slider.high
        for text in ("", "one", "nan", "0x10", "1e", "<b>", "1 2", "\0"):
            with pytest.raises(BadValue, match="a number from"):
                slider.read(text)
        for position in range(101):
            assert slider.position(slider.at(position)) == pytest.approx(position, abs=1)
    assert type(Slider("k", 2, 6, 3, step=1).read("4.4")) is int


def test_steps_choices_and_texts_say_what_they_take():
    assert Steps("step", 0, 9).read("12") == 9 and Steps("step", 0, 9).read("-1") == 0
    with pytest.raises(BadValue, match="whole number from 0 to 9"):
        Steps("step", 0, 9).read("1.5")
    with pytest.raises(BadValue, match="a, b"):
        Choice("which", ("a", "b")).read("c")
    text = Text("text", "", cap=5, check=backward.parse)
    for wrong, says in (("a*a*a*a", "at most 5"), ("a\x07b", "cannot be printed"), ("a @ b", "not understood")):
        with pytest.raises(BadValue, match=says):
            text.read(wrong)


def test_a_query_with_a_bad_value_gives_one_sentence_and_the_default():
    ravine = find_all()["ravine"]
    values, wrong = ravine.read({"rate": "fast", "momentum": "0.5", "step": "7", "other": "x"})
    assert values == {**ravine.defaults, "momentum": 0.5, "step": 7} and wrong.startswith("rate is a number from 0.001")
    assert ravine.read({"rate.at": "100"})[0]["rate"] == 1.0


# ------------------------------------------------------------------------------------- numbers, against somebody else's


def random_expression(generator, depth):
    """A text of the grammar, and what it uses."""
    if depth == 0 or generator.random() < 0.15:
        return str(generator.choice(["a", "b", "2", "0.5"]))
    one, two = random_expression(generator, depth - 1), random_expression(generator, depth - 1)
    kinds = (f"({one} + {two})", f"({one} - {two})", f"({one} * {two})", f"{one} / ({two} * {two} + 1)", f"-{one}")
    return str(generator.choice([*kinds, f"tanh({one})", f"relu({one})", f"exp(tanh({one}))", f"log(({one})**2 + 1)"]))


def on_numbers_too(function):
    """A function of torch's that takes plain numbers as well."""
    return lambda x: function(torch.as_tensor(x, dtype=torch.float64))


def test_the_way_back_gives_the_gradients_of_torch(computing):
    generator = np.random.default_rng(3)
    functions = {name: on_numbers_too(getattr(torch, name)) for name in ("tanh", "exp", "log", "relu")}
    checked = 0
    while checked < 25:
        text = f"v = a*b + {random_expression(generator, 2)}; v * {random_expression(generator, 2)} + v"
        given = {"a": round(float(generator.uniform(-3, 3)), 1), "b": round(float(generator.uniform(-3, 3)), 1)}
        try:
            nodes = backward.parse(text)
        except ValueError as problem:
            assert "at most" in str(problem)
            continue
        checked += 1
        leaves = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in given.items()}
        first, second = text.split(";")
        names = {**functions, **leaves}
        names["v"] = eval(first.removeprefix("v ="), {}, names)
        result = eval(second, {}, names)
        result.backward()
        here = found(computing, "backward", expression=text, **given)
        assert here["values"][-1] == pytest.approx(result.item(), rel=1e-12, abs=1e-12)
        for i, (kind, _, name) in enumerate(nodes):
            if kind == "given":
                assert here["grads"][i] == pytest.approx(leaves[name].grad.item(), rel=1e-9, abs=1e-9), text
        drawn = find_all()["backward"].draw({"expression": text, **given, "step": 24}, here)
        assert "differ" not in drawn.says, drawn.says


def test_the_grammar_refuses_what_is_not_an_expression():
    hostile = (
        "__import__('os')", "a.b", "a if b else a", "a**b", "x = ", "a +", "(a", "a b", "tanh a", "a = 3; a*a", "lambda: a",
        "c * 2", "[a]", "a;;b*b", "tanh = a; tanh", "a" , "", " ", "a*" * 40 + "a", "(" * 119, "*a", "a ** - b",
    )  # fmt: skip
    for text in hostile:
        with pytest.raises(ValueError):
            backward.parse(text)
    assert len(backward.parse("v = a*a; w = v + v; w*v")) == 4


def test_k_means_ends_where_scikit_learn_ends(computing):
    from sklearn.cluster import KMeans

    for seed, start in itertools.product((0, 5, 11), ("random", "k-means++")):
        here = found(computing, "k-means", k=4, start=start, seed=seed)
        theirs = KMeans(4, init=here["trail"][0], n_init=1, tol=0, algorithm="lloyd").fit(here["X"])
        assert here["inertias"][-1] == pytest.approx(theirs.inertia_, rel=1e-9)
        assert all(np.diff(here["inertias"][1:]) <= 1e-9)
        assert here["least"] <= here["inertias"][-1] * (1 + 1e-9) or start == "random"


def test_a_mixture_has_the_likelihood_of_scipy_and_never_a_lower_one(computing):
    from scipy.stats import multivariate_normal

    for seed in range(3):
        here = found(computing, "mixture", components=3, seed=seed, iteration=60)
        density = sum(
            weight * multivariate_normal(mean, covariance).pdf(here["X"])
            for weight, mean, covariance in zip(here["weights"], here["means"], here["covariances"])
        )
        assert np.mean(np.log(density)) == pytest.approx(here["likelihoods"][-1], abs=1e-9)
        assert all(np.diff(here["likelihoods"]) >= -1e-9)


def test_a_tree_counts_its_mistakes_as_its_rectangles_do(computing):
    from sklearn.tree import DecisionTreeClassifier

    for splits in (0, 1, 7, 60):
        here = found(computing, "tree", splits=splits, noise=0.2, leaf=3)
        X, y, boxes = here["X"], here["y"], here["regions"]
        at = min(splits, len(here["seen"]) - 1)
        inside = (X[:, None, 0] > boxes[:, 0]) & (X[:, None, 0] <= boxes[:, 1])
        inside &= (X[:, None, 1] > boxes[:, 2]) & (X[:, None, 1] <= boxes[:, 3])
        assert np.all(inside.sum(axis=1) == 1) and len(boxes) == at + 1
        assert np.mean((boxes[inside.argmax(axis=1), 4] > 0.5) != y) == pytest.approx(here["seen"][at])
        assert np.all(np.diff(here["seen"]) <= 1e-12)
        if at:
            theirs = DecisionTreeClassifier(max_leaf_nodes=at + 1, min_samples_leaf=3, random_state=0).fit(X, y)
            assert theirs.score(X, y) == pytest.approx(1 - here["seen"][at], abs=0.02)  # ties are broken otherwise


def test_the_street_is_that_of_scikit_learn(computing):
    from sklearn.svm import SVC

    for shape, kernel, C in (("clouds", "linear", 1.0), ("ring", "rbf", 10.0), ("moons", "poly", 0.5)):
        here = found(computing, "street", shape=shape, kernel=kernel, C=C, gamma=0.5)
        theirs = SVC(C=C, kernel=kernel, gamma=0.5, degree=3, coef0=1.0, tol=1e-6).fit(here["X"], here["y"])
        assert np.abs(theirs.decision_function(here["X"]) - here["values"]).max() < 1e-3
        assert here["apart"] < 1e-3 and len(here["support"]) < len(here["y"])
        if kernel == "linear":
            assert here["width"] == pytest.approx(2 / np.linalg.norm(theirs.coef_), rel=1e-4)


def test_a_face_is_rebuilt_as_by_the_singular_value_decomposition(computing):
    given = find_all()["eigenfaces"].given()
    X = given["pictures"].reshape(len(given["pictures"]), -1).astype(float)
    mean = X.mean(axis=0)
    U, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
    for kept in (0, 1, 20, 50):
        here = found(computing, "eigenfaces", kept=kept, which=7)
        rebuilt = mean + (U[7, :kept] * s[:kept]) @ Vt[:kept]
        assert np.abs(here["rebuilt"].ravel() - rebuilt).max() < 1e-6
        assert here["lost"] == pytest.approx(np.sum(s[kept:] ** 2) / np.sum(s**2), rel=1e-6)


def test_weights_with_a_price_are_those_of_scikit_learn(computing):
    from sklearn.linear_model import ElasticNet, Ridge

    from groundup.desk.explore.lasso_path import patients

    X, y = patients(0, 40)
    for alpha in (0.05, 0.3, 2.0):
        for price, ratio in (("the size", 1.0), ("half and half", 0.5)):
            theirs = ElasticNet(alpha=alpha, l1_ratio=ratio, max_iter=100_000, tol=1e-8).fit(X, y).coef_
            assert np.abs(found(computing, "lasso-path", alpha=alpha, price=price)["weights"] - theirs).max() < 0.02
        theirs = Ridge(alpha=alpha * len(y)).fit(X, y).coef_
        here = found(computing, "lasso-path", alpha=alpha, price="the square")["weights"]
        assert np.abs(here - theirs).max() < 0.02 and np.all(here != 0)


def test_the_push_of_either_loss_is_that_of_autograd(computing):
    for loss, wrong in itertools.product(("cross-entropy", "squared error"), (0.0, 3.0, 8.0)):
        here = found(computing, "log-odds", loss=loss, wrong=wrong, step=0)
        X, y = torch.tensor(here["X"]), torch.tensor(here["y"], dtype=torch.float64)
        w = torch.tensor([-wrong, -0.7 * wrong], dtype=torch.float64, requires_grad=True)
        b = torch.zeros((), dtype=torch.float64, requires_grad=True)
        z = X @ w + b
        cost = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
        (cost if loss == "cross-entropy" else torch.mean((torch.sigmoid(z) - y) ** 2)).backward()
        assert here["costs"][0] == pytest.approx(cost.item(), rel=1e-9)
        assert here["pushes"][0] == pytest.approx(float(torch.cat([w.grad, b.grad[None]]).norm()), rel=1e-9)


def test_a_walk_down_the_ravine_is_that_of_torch(computing):
    for rate, momentum, curvature in ((0.0198, 0.0, 100.0), (0.03, 0.6, 50.0), (0.5, 0.9, 3.0)):
        here = found(computing, "ravine", rate=rate, momentum=momentum, curvature=curvature)
        w = torch.tensor(here["trail"][0].tolist(), dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.SGD([w], lr=rate, momentum=momentum)
        for there in here["trail"][1:]:
            optimiser.zero_grad()
            (0.5 * (w[0] ** 2 + curvature * w[1] ** 2)).backward()
            optimiser.step()
            assert there == pytest.approx(w.detach().numpy(), rel=1e-9, abs=1e-12)


def test_a_line_downhill_meets_the_edge_that_eigenvalues_give(computing):
    from groundup.desk.explore.line import AREA, RENT

    A = np.column_stack([AREA, np.ones(4)])
    edge = 2 / np.linalg.eigvalsh(2 * A.T @ A / 4).max()
    here = found(computing, "line", share=0.9)
    assert here["edge"] == pytest.approx(edge)
    w = np.zeros(2)
    for place, loss in zip(here["trail"], here["losses"]):
        assert place == pytest.approx(w) and loss == pytest.approx(np.mean((A @ w - RENT) ** 2))
        w = w - 0.9 * edge * 2 * A.T @ (A @ w - RENT) / 4
    assert found(computing, "line", share=1.05)["losses"][-1] > here["losses"][0]


def test_a_nudge_is_off_by_what_taylor_and_rounding_say(computing):
    here = found(computing, "nudge", h=0.01, function="sin", x=1.0)
    assert here["slope"] == pytest.approx((np.sin(1.01) - np.sin(0.99)) / 0.02, rel=1e-12)
    for step, slope in zip(here["steps"], here["slopes"]):
        assert abs(slope - np.cos(1.0)) <= 1.01 * (step**2 / 6 + 2.3e-16 / step)
    assert abs(here["own"] - np.cos(1.0)) < 1e-10
    assert found(computing, "nudge", h=1e-16, function="sin", x=2.0)["slope"] is None


def test_a_threshold_is_judged_as_by_scikit_learn(computing):
    from sklearn import metrics

    areas = []
    for ill, threshold, apart in ((0.02, 1.5, 2.0), (0.3, -1.0, 2.0), (0.5, 6.9, 2.0)):
        here = found(computing, "threshold", ill=ill, threshold=threshold, apart=apart)
        called = here["scores"] >= threshold
        assert here["accuracy"] == pytest.approx(metrics.accuracy_score(here["sick"], called))
        assert here["precision"] == pytest.approx(metrics.precision_score(here["sick"], called, zero_division=0))
        assert here["recall"] == pytest.approx(metrics.recall_score(here["sick"], called))
        assert here["auc"] == pytest.approx(metrics.roc_auc_score(here["sick"], here["scores"]))
        areas.append(here["auc"])
    assert np.ptp(areas) < 0.002  # the share of the ill does not move the curve


def test_a_contour_lies_where_the_function_is():
    at = np.linspace(-2, 2, 81)
    x, y = np.meshgrid(at, at)
    for level in (0.3, 1.0, 2.5):
        x0, y0, x1, y1 = contour(at, at, x**2 + y**2, level)
        assert np.abs(np.hypot(x0, y0) - np.sqrt(level)).max() < 0.01
        assert np.sum(np.hypot(x1 - x0, y1 - y0)) == pytest.approx(2 * np.pi * np.sqrt(level), rel=0.01)
    x0, *_ = contour(at, at, x * y, 0.001)  # a saddle
    assert np.isfinite(x0).all() and len(x0)


# -------------------------------------------------------------------------------------------------- the learner's library


def test_a_learners_faulty_library_shows_in_the_numbers(learner):
    computing, write = learner
    explorable = find_all()["k-means"]
    assert computing.built(explorable) == ["classic/cluster.py"]
    write(
        "classic/cluster.py",
        CLUSTER.replace(
            "    return _means(sums, weights, X, labels, centers, sample_weight)\n", "    return centers\n"
        ),
    )
    assert computing.built(explorable) == []
    right, wrong = (computing.drawn(explorable, {**explorable.defaults, "half": 40}, mine) for mine in (False, True))
    assert right.says != wrong.says and right.svg != wrong.svg
    write("classic/cluster.py", CLUSTER)
    assert computing.drawn(explorable, {**explorable.defaults, "half": 40}, True).says == right.says


def test_an_engine_that_keeps_the_last_share_is_found_out(learner):
    computing, write = learner
    explorable = find_all()["backward"]
    write(
        "grad/value.py",
        reference_text("grad.value").replace("operand.grad += slope * value.grad", "operand.grad = slope * value.grad"),
    )
    drawn = computing.drawn(explorable, {**explorable.defaults, "step": 3}, True)
    assert "the slope along a is 64 " in drawn.says and "The library's own gradients differ at" in drawn.says


def test_what_a_learners_file_does_wrong_is_one_sentence(learner):
    computing, write = learner
    explorable = find_all()["k-means"]
    before = "    sums, weights = _cluster_sums(X, labels, len(centers), sample_weight)\n"
    line = CLUSTER[: CLUSTER.index(before)].count("\n") + 1
    cases = {
        "raise ValueError('no such luck')": rf"mine/classic/cluster\.py, line {line}: ValueError: no such luck",
        "raise ValueError('<script>' * 500)": rf"line {line}: ValueError: <script>",
        "while True: pass": "no answer within",
        "import os; os._exit(3)": "ended the process",
        "return 'text'": "what your code gave|Error|form",
        "return np.zeros((2000, 2000))": "far more|what your code gave|Error",
        "open('/etc/passwd')": "PermissionError",
    }
    for code, says in cases.items():
        write("classic/cluster.py", CLUSTER.replace(before, f"    {code}\n{before}"))
        with pytest.raises(NotComputed, match=says) as caught:
            computing.drawn(explorable, {**explorable.defaults, "half": 3}, True)
        assert "\n" not in str(caught.value) and len(str(caught.value)) <= 400
    files = {
        "def lloyd(:\n": r"mine/classic/cluster\.py, line 1: SyntaxError",
        "import torch\n" + CLUSTER: "does without `torch`",
        "from groundup.classic.cluster import *\n": "the reference itself",
        derive(CLUSTER): "Yours to write",
        "x = 1\n": "has no attribute|not there",
    }
    for text, says in files.items():
        write("classic/cluster.py", text)
        with pytest.raises(NotComputed, match=says):
            computing.drawn(explorable, explorable.defaults, True)
    write("classic/cluster.py", CLUSTER)
    assert (
        computing.drawn(explorable, explorable.defaults, True).says
        == computing.drawn(explorable, explorable.defaults).says
    )


def test_a_picture_that_was_drawn_is_kept(computing):
    explorable = find_all()["line"]
    first = computing.drawn(explorable, explorable.defaults)
    assert computing.drawn(explorable, dict(explorable.defaults)) is first
    assert computing.drawn(explorable, {**explorable.defaults, "step": 9}) is not first
