"""The practice projects, one or two checkpoints each.

They are stretch checkpoints: they answer a gap, and whoever has none may leave them.
"""

import contextlib
import itertools
import json
import math
import os
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from groundup.course import checkpoint


@checkpoint("Python: practice project, a dictionary that a crash cannot spoil", stretch=True, count=8)
def journal_project(lib, steps):
    module = lib.drills.journal
    path = os.path.join(tempfile.mkdtemp(dir="."), "kept.journal")
    journal, seen = module.Journal(path), []
    for what, *rest in steps:
        if what == "crash":  # in the middle of a line, or after the whole of a wrong one
            journal.close()
            with open(path, "ab") as file:
                file.write(rest[0].encode())
        try:
            journal = changed_by(module, journal, path, what, rest)
        except (KeyError, TypeError, module.Damaged) as problem:
            seen.append([type(problem).__name__, getattr(problem, "line", 0)])
            if isinstance(problem, module.Damaged):
                return seen
        file_lines = [json.loads(line) for line in Path(path).read_bytes().decode().splitlines()]
        seen.append({"entries": [[key, journal[key]] for key in journal], "length": len(journal), "lines": file_lines})
    journal.close()
    journal.close()
    return [*seen, "a" in journal, sorted(os.listdir(os.path.dirname(path)))]


def changed_by(module, journal, path, what, rest):
    """The journal after one step; after a reopening or a crash it is a new one."""
    if what == "set":
        journal[rest[0]] = rest[1]
    elif what == "set a set":
        journal[rest[0]] = {1}
    elif what == "delete":
        del journal[rest[0]]
    elif what == "compact":
        journal.compact()
    elif what in ("reopen", "crash"):
        journal.close()
        return module.Journal(path)
    elif what == "with":
        with contextlib.suppress(RuntimeError), journal as same:
            same[rest[0]] = same is journal
            raise RuntimeError("in the block")
        return module.Journal(path)
    return journal


@journal_project.cases
def _(draw):
    pool = [
        *(["set", key, value] for key in ("a", "b", "ü") for value in (1, [2.5, None], "x\ny")),
        *(["delete", key] for key in ("a", "b")),
        *(["compact"], ["reopen"], ["reopen"], ["with", "c"]),
        *(["crash", text] for text in ('["set", "a", ', '["set", "b", 2]', "[")),
    ]
    wrong = [["set", 3, 1], ["set a set", "a"], ["delete", "never"], ["crash", '["set", "a"]\n'], ["crash", "\n"]]
    steps = [draw.choice(pool) for _ in range(draw.integer(1, 7))]
    return dict(steps=steps + ([draw.choice(wrong)] if draw.boolean(0.4) else []))


@journal_project.edges
def _():
    return [
        dict(steps=[["set", "a", 1], ["set", "b", 2], ["delete", "a"], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["crash", '["set", "b", 2]'], ["set", "c", 3], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["set", "a", 2], ["set", "b", 3], ["delete", "a"], ["set", "a", 4], ["compact"], ["reopen"]]),
        dict(steps=[["set", "a", 1], ["crash", '{"set": 1, "a": 2, "b": 3}\n']]),
        dict(steps=[["set", "a", 1], ["crash", '["delete", "b"]\n']]),
        dict(steps=[["delete", "a"], ["with", "c"], ["set", 1, 2], ["set a set", "a"], ["set", "a", 1]]),
    ]  # fmt: skip


@journal_project.oracle
def _(steps):
    entries, lines, seen = {}, [], []
    for what, *rest in steps:
        wrong = None
        if what in ("set", "with"):
            value = rest[1] if what == "set" else True
            if isinstance(rest[0], str):
                entries[rest[0]] = value
                lines.append(["set", rest[0], value])
            else:
                wrong = "TypeError"
        elif what == "set a set":
            wrong = "TypeError"
        elif what == "delete":
            wrong = None if rest[0] in entries else "KeyError"
            if wrong is None:
                del entries[rest[0]]
                lines.append(["delete", rest[0]])
        elif what == "compact":
            lines = [["set", key, value] for key, value in entries.items()]
        elif what == "crash" and rest[0].endswith("\n"):
            return [*seen, ["Damaged", len(lines) + 1]]
        if wrong:
            seen.append([wrong, 0])
        seen.append({"entries": [[k, v] for k, v in entries.items()], "length": len(entries), "lines": list(lines)})
    return [*seen, "a" in entries, ["kept.journal"]]


@checkpoint(
    "Linear algebra: practice project, everything about a system of equations", stretch=True, atol=1e-7, count=25
)
def elimination_project(lib, A, b):
    module = lib.drills.elimination
    R, pivots = module.reduced(A)
    found = {"reduced": R, "pivots": pivots, "rank": module.rank(A), "null_space": module.null_space(A)}
    for name, do in (("solve", lambda: module.solve(A, b)), ("inverse", lambda: module.inverse(A))):
        if name == "solve" or len(A) == A.shape[1]:
            try:
                found[name] = do()
            except ValueError:
                found[name] = "ValueError"
    return found


@elimination_project.cases
def _(draw):
    m, n = draw.integer(1, 4), draw.integer(1, 4)
    A = draw.integers(-3, 3, m, n).astype(float)
    if draw.boolean():
        A[-1] = A[0] * draw.choice([2.0, -1.0, 0.0, 0.1])
    b = A @ draw.integers(-2, 2, n) if draw.boolean() else draw.integers(-3, 3, m).astype(float)
    return dict(A=A, b=b.astype(float))


@elimination_project.edges
def _():
    return [
        dict(A=np.array([[1.0, 2.0], [3.0, 4.0]]), b=np.array([5.0, 11.0])),
        dict(A=np.array([[0.0, 1.0], [1.0, 0.0]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 7.0]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[0.1, 0.2], [0.3, 0.6]]), b=np.array([1.0, 2.0])),
        dict(A=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]), b=np.array([1.0, 0.0, 2.0])),
        dict(A=np.zeros((2, 2)), b=np.zeros(2)),
        dict(A=np.array([[1e-20, 1.0], [1.0, 1.0]]), b=np.array([1.0, 2.0])),
    ]


@elimination_project.oracle
def _(A, b):
    m, n = A.shape
    R, pivots = exactly_reduced(A)
    whole, all_pivots = exactly_reduced(np.column_stack([A, b]))
    free = [j for j in range(n) if j not in pivots]
    N = np.zeros((n, len(free)))
    for k, j in enumerate(free):
        N[j, k] = 1.0
        N[pivots, k] = -R[: len(pivots), j]
    found = {"reduced": R, "pivots": pivots, "rank": len(pivots), "null_space": N, "solve": "ValueError"}
    if n not in all_pivots:
        found["solve"] = np.zeros(n)
        found["solve"][pivots] = whole[: len(pivots), n]
    if m == n:
        found["inverse"] = (
            exactly_reduced(np.column_stack([A, np.eye(n)]))[0][:, n:] if len(pivots) == n else "ValueError"
        )
    return found


def exactly_reduced(A):
    """The reduced form in fractions; decimal entries are taken for what they were written as."""
    rows = [[Fraction(repr(float(x))).limit_denominator(10**6) for x in row] for row in A]
    pivots = []
    for j in range(A.shape[1]):
        top = len(pivots)
        found = next((i for i in range(top, len(rows)) if rows[i][j] != 0), None)
        if found is None:
            continue
        rows[top], rows[found] = rows[found], rows[top]
        rows[top] = [x / rows[top][j] for x in rows[top]]
        for i, row in enumerate(rows):
            if i != top:
                rows[i] = [x - row[j] * y for x, y in zip(row, rows[top])]
        pivots.append(j)
    return np.array(rows, dtype=float).reshape(A.shape), pivots


@checkpoint("Calculus: practice project, derivatives by a program", stretch=True, atol=1e-8, count=25)
def derivatives_project(lib, expression, at):
    module = lib.drills.symbolic
    by_x = module.derivative(expression, "x")
    return {
        "value": module.evaluate(expression, at),
        "by x": module.evaluate(by_x, at),
        "by x twice": module.evaluate(module.derivative(by_x, "x"), at),
        "gradient": {name: module.evaluate(e, at) for name, e in module.gradient(expression, ["x", "y"]).items()},
    }


def drawn_expression(draw, depth):
    """An expression with x and y that has a value, and derivatives, for every x and y between 0 and 2."""
    if depth == 0 or draw.boolean(0.2):
        return draw.choice(["x", "y", 2, 0.5, 1, "x"])
    sign = draw.choice(["+", "*", "-", "/", "^", "sin", "cos", "exp", "log"])
    a = drawn_expression(draw, depth - 1)
    if sign in ("sin", "cos"):
        return (sign, a)
    if sign == "exp":
        return (sign, ("sin", a))
    if sign == "log":
        return (sign, ("+", ("*", a, a), 1))
    if sign == "^":
        return (sign, a, draw.choice([2, 1, 3, 0]))
    b = drawn_expression(draw, depth - 1)
    return (sign, a, ("+", ("*", b, b), 1)) if sign == "/" else (sign, a, b)


@derivatives_project.cases
def _(draw):
    at = {"x": draw.uniform(0.5, 1.5), "y": draw.uniform(0.5, 1.5)}
    return dict(expression=drawn_expression(draw, 3), at=at)


@derivatives_project.edges
def _():
    at = {"x": 2.0, "y": 3.0}
    forms = ["x", 3, ("+", ("*", 3, ("^", "x", 2)), 1), ("/", "x", "y"), ("exp", ("*", 2, "x")), ("log", "x"), ("^", ("+", "x", "y"), -1), ("cos", ("*", "x", "y")), ("-", "y", ("^", "x", 0.5))]  # fmt: skip
    return [dict(expression=form, at=at) for form in forms]


@derivatives_project.oracle
def _(expression, at):
    by = {name: jet(expression, {**dict.fromkeys(at, (0.0, 0.0)), name: (1.0, 0.0)}, at) for name in at}
    value, first, second = by["x"]
    return {"value": value, "by x": first, "by x twice": second, "gradient": {name: by[name][1] for name in ("x", "y")}}


def jet(expression, moves, at):
    """The value of an expression along a line, and its first and second derivative: series cut off after the third term."""
    if isinstance(expression, str):
        return (at[expression], *moves[expression])
    if not isinstance(expression, tuple):
        return (float(expression), 0.0, 0.0)
    sign, inside, *rest = expression
    a, da, dda = jet(inside, moves, at)
    if sign in ("+", "-", "*", "/"):
        b, db, ddb = jet(rest[0], moves, at)
        if sign in ("+", "-"):
            s = 1 if sign == "+" else -1
            return a + s * b, da + s * db, dda + s * ddb
        if sign == "/":
            b, db, ddb = 1 / b, -db / b**2, 2 * db**2 / b**3 - ddb / b**2
        return a * b, da * b + a * db, dda * b + 2 * da * db + a * ddb
    if sign == "^":
        n = rest[0]
        f, d, dd = a**n, n * a ** (n - 1) if n else 0.0, n * (n - 1) * a ** (n - 2) if n not in (0, 1) else 0.0
    else:
        sin, cos = math.sin(a), math.cos(a)
        f, d, dd = {
            "exp": lambda: (math.exp(a),) * 3,
            "log": lambda: (math.log(a), 1 / a, -1 / a**2),
            "sin": lambda: (sin, cos, -sin),
            "cos": lambda: (cos, -sin, -cos),
        }[sign]()
    return f, d * da, dd * da**2 + d * dda


@checkpoint("Calculus: practice project, expressions made short", stretch=True, count=25)
def simplifying_project(lib, expression):
    return lib.drills.symbolic.simplified(expression)


@simplifying_project.cases
def _(draw):
    def some(depth):
        if depth == 0:
            return draw.choice([0, 1, "x", 2, "y", 1.0])
        sign = draw.choice(["+", "*", "-", "/", "^", "sin"])
        if sign == "sin":
            return (sign, some(depth - 1))
        return (sign, some(depth - 1), draw.choice([1, 0, 2]) if sign == "^" else some(depth - 1))

    return dict(expression=some(draw.integer(1, 3)))


@simplifying_project.edges
def _():
    forms = [("+", "x", 0), ("*", ("+", 1, 2), 4), ("*", ("*", "x", 0), "y"), ("^", ("+", "x", ("*", 0, "y")), 1), ("-", 0, "x"), ("/", 1, 0), "x", ("+", ("/", 0, "x"), ("^", "y", 0))]  # fmt: skip
    return [dict(expression=form) for form in forms]


@simplifying_project.accepts
def _(got, expression):
    left = rule_that_fits(got)
    if left is not None:
        return f"{left} is still in it, and a rule makes that shorter: {got}"
    for at in ({"x": 0.7, "y": 1.3}, {"x": 1.9, "y": 0.4}):
        try:
            value = jet(expression, dict.fromkeys(at, (0.0, 0.0)), at)[0]
        except ArithmeticError:
            continue  # a sum without a value may become one with a value: 0 * (1 / 0)
        if abs(jet(got, dict.fromkeys(at, (0.0, 0.0)), at)[0] - value) > 1e-9 * max(1.0, abs(value)):
            return f"with {at} its value was {value:.6g}, and it is another now: {got}"
    return True


def rule_that_fits(e):
    """A part of an expression that the rules shorten, or None."""
    if not isinstance(e, tuple):
        return None
    sign, a, *rest = e
    if (found := rule_that_fits(a)) or (rest and (found := rule_that_fits(rest[0]))):
        return found
    if not isinstance(a, (str, tuple)) and (not rest or not isinstance(rest[0], (str, tuple))):
        return None if sign == "/" and rest[0] == 0 else e
    b = rest[0] if rest else None
    ends_it = {"+": (0,), "-": (0,), "*": (0, 1), "/": (1,), "^": (0, 1)}.get(sign, ())
    begins_it = {"+": (0,), "*": (0, 1), "/": (0,)}.get(sign, ())
    fits = any(b is not None and not isinstance(b, (str, tuple)) and b == x for x in ends_it)
    return e if fits or any(not isinstance(a, (str, tuple)) and a == x for x in begins_it) else None


@checkpoint("Probability: practice project, a calculator for chances", stretch=True, count=15)
def chances_project(lib, weights, others, threshold, n, prior, seen):
    module = lib.drills.chances
    one, other = distribution(weights), distribution(others)

    def high(outcome):
        return outcome >= threshold

    def or_error(do):
        try:
            return fractions(do())
        except ValueError:
            return "ValueError"

    likelihood = {"one": one, "other": other}
    return {
        "evenly": fractions(module.evenly(range(1, n + 1))),
        "probability": fractions({"p": module.probability(one, high)}),
        "given": or_error(lambda: module.given(one, high)),
        "combined": fractions(module.combined(one, other, max)),
        "sum_of": fractions(module.sum_of(one, n)),
        "mean, variance": fractions({"mean": module.mean(one), "variance": module.variance(one)}),
        "posterior": or_error(lambda: module.posterior(distribution(prior), likelihood, seen)),
    }


def distribution(weights):
    """{outcome: a whole number} as fractions of the sum, outcomes of weight 0 left out."""
    whole = sum(weight for _, weight in weights)
    return {outcome: Fraction(weight, whole) for outcome, weight in weights if weight}


def fractions(found):
    """Outcomes in order, each with a numerator and a denominator: whole numbers cross, and nothing has been rounded."""
    return [[outcome, Fraction(p).numerator, Fraction(p).denominator] for outcome, p in sorted(found.items())]


@chances_project.cases
def _(draw):
    def some():
        return [[outcome, draw.integer(0, 3) + (outcome == 1)] for outcome in range(1, draw.integer(2, 5))]

    prior = [["one", draw.integer(0, 2) + 1], ["other", draw.integer(0, 2)]]
    seen = [draw.integer(1, 3) for _ in range(draw.integer(0, 3))]
    return dict(
        weights=some(), others=some(), threshold=draw.integer(1, 4), n=draw.integer(1, 3), prior=prior, seen=seen
    )


@chances_project.edges
def _():
    coin, die = [[0, 1], [1, 1]], [[k, 1] for k in range(1, 7)]
    even = [["one", 1], ["other", 1]]
    return [
        dict(weights=coin, others=[[1, 1]], threshold=1, n=2, prior=even, seen=[1]),
        dict(weights=coin, others=[[1, 1]], threshold=2, n=3, prior=even, seen=[0, 1]),
        dict(weights=die, others=die, threshold=5, n=2, prior=even, seen=[7]),
    ]


@chances_project.oracle
def _(weights, others, threshold, n, prior, seen):
    one, other = distribution(weights), distribution(others)

    def gathered(pairs):
        found = {}
        for outcome, p in pairs:
            found[outcome] = found.get(outcome, 0) + p
        return found

    share = sum(p for x, p in one.items() if x >= threshold)
    draws = list(itertools.product(one.items(), repeat=n))
    first = Fraction(sum(x * p for x, p in one.items()))
    beliefs = {
        h: p * math.prod([{"one": one, "other": other}[h].get(x, Fraction(0)) for x in seen])
        for h, p in distribution(prior).items()
    }
    total = sum(beliefs.values())
    return {
        "evenly": [[k, 1, n] for k in range(1, n + 1)],
        "probability": fractions({"p": share}),
        "given": fractions({x: p / share for x, p in one.items() if x >= threshold}) if share else "ValueError",
        "combined": fractions(gathered((max(a, b), p * q) for a, p in one.items() for b, q in other.items())),
        "sum_of": fractions(gathered((sum(x for x, _ in all_), math.prod(p for _, p in all_)) for all_ in draws)),
        "mean, variance": fractions({"mean": first, "variance": sum(p * x * x for x, p in one.items()) - first**2}),
        "posterior": fractions({h: p / total for h, p in beliefs.items() if p}) if total else "ValueError",
    }


@checkpoint("Probability: practice project, a simulation that agrees", stretch=True, count=10)
def simulation_project(lib, weights, n, seed):
    found = lib.drills.chances.simulated(distribution(weights), n, np.random.default_rng(seed))
    again = lib.drills.chances.simulated(distribution(weights), n, np.random.default_rng(seed))
    return {
        "shares": sorted([outcome, share] for outcome, share in found.items()),
        "same seed, same draws": found == again,
    }


@simulation_project.cases
def _(draw):
    weights = [[outcome, draw.integer(0, 4) + (outcome == 1)] for outcome in range(1, draw.integer(2, 5))]
    return dict(weights=weights, n=draw.choice([1000, 1, 400]), seed=draw.seed())


@simulation_project.edges
def _():
    return [dict(weights=[[3, 1]], n=10, seed=1)]


@simulation_project.accepts
def _(got, weights, n, seed):
    known = distribution(weights)
    for outcome, share in got["shares"]:
        if outcome not in known or not 0 < share <= 1:
            return f"the outcome {outcome} has the share {share}"
        if abs(share * n - round(share * n)) > 1e-6:
            return f"a share of {n} draws is a whole number divided by {n}, not {share}"
    if abs(sum(share for _, share in got["shares"]) - 1) > 1e-9:
        return "the shares do not sum to 1"
    shares = dict(map(tuple, got["shares"]))
    for outcome, p in known.items():
        p = float(p)
        if abs(shares.get(outcome, 0.0) - p) > 6 * math.sqrt(p * (1 - p) / n) + 1 / n:
            return f"{outcome} has the probability {p:.3f} and came in {shares.get(outcome, 0.0):.3f} of {n} draws"
    return got["same seed, same draws"] or "with the same generator in the same state the draws are to be the same"
