"""Copies are found behind new names, moved comments and moved methods; what two people wrote by themselves is not taken for one."""

import ast
import itertools
import random
import re
from pathlib import Path

import numpy as np
import pytest

from groundup.course.grading.duplicates import ALIKE, LARGE, REFERENCE, Own, near_duplicates
from groundup.course.grading.grading import content_hash
from groundup.course.grading.tokens import likeness, names_in, runs_of
from groundup.course.holes.library import reference_text
from groundup.course.holes.stub import derive
from groundup.course.lessons.lesson import find, find_all

SOLUTIONS = Path(__file__).parents[1] / "solutions"
LOCALS = ("uses", "found", "arriving", "ready", "share", "lift", "pull", "parent")


@pytest.fixture(scope="module")
def second():
    return (SOLUTIONS / "1.3" / "second.py").read_text()


def own(student, text):
    return Own(student, content_hash({"grad/value.py": text.encode()}), text)


def pairs(engine, **texts):
    return near_duplicates(engine, [own(name, text) for name, text in texts.items()])


def students(found):
    return {frozenset((pair.first, pair.second)) for pair in found}


def renamed(text, suffix):
    for name in LOCALS:
        text = re.sub(rf"(?<![.\w]){name}\b", f"{name}_{suffix}", text)
    return text.replace(".parents", f".above_{suffix}").replace("parents=", f"above_{suffix}=")


def recommented(text):
    """Every comment gone, others in other places, other layout."""
    lines = ast.unparse(ast.parse(text)).splitlines()
    return "\n\n".join(f"{line}  # {i}: {'so ' * (i % 5)}" for i, line in enumerate(lines))


def reordered(text):
    """The methods in another order."""
    tree = ast.parse(text)
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    random.Random(1).shuffle(owner.body)
    return ast.unparse(tree)


@pytest.mark.parametrize(
    "changed",
    [lambda text: renamed(text, "mine"), recommented, reordered, lambda t: reordered(recommented(renamed(t, "x")))],
)
def test_a_copy_is_found_behind_its_changes(engine, second, changed):
    copy = changed(second)
    assert copy != second
    (pair,) = pairs(engine, ada=second, bob=copy)
    assert {pair.first, pair.second} == {"ada", "bob"} and pair.likeness >= ALIKE and not pair.same_text


def test_a_copy_with_a_tenth_of_its_lines_rewritten_is_found(engine, second):
    rng = random.Random(3)
    lines = [
        f"{re.match(r' *', line)[0]}note_{i} = [{i} + k for k in range(3)]\n{line}"
        if rng.random() < 0.1 and " = " in line
        else line
        for i, line in enumerate(second.splitlines())
    ]
    (pair,) = pairs(engine, ada=second, bob="\n".join(lines))
    assert pair.likeness >= ALIKE


def test_the_same_text_is_said_to_be(engine, second):
    (pair,) = pairs(engine, ada=second, bob=second)
    assert pair.likeness == 1.0 and pair.same_text


def test_the_references_own_solution_is_known(engine, second):
    reference = reference_text("grad.value")
    found = pairs(engine, ada=second, bob=reference.replace("order", "sequence"))
    assert students(found) == {frozenset((REFERENCE, "bob"))} and found[0].of_reference


def test_what_the_lesson_gave_does_not_count(engine):
    stub = derive(reference_text("grad.value"))
    little = stub.replace('raise NotImplementedError("yours to write: Value.exp")', "return Value(math.exp(self.data))")
    assert pairs(engine, ada=stub, bob=stub + "\n", eve=little, dan=little + "# mine\n") == []


def test_solutions_of_different_authors_are_no_pair():
    """A third of the lessons' second solutions and adapters, and the reference: the same task, written apart."""
    compared = 0
    for lesson in find_all()[::3]:
        built = lesson.builds[0]
        reference = reference_text(built.removesuffix(".py").replace("/", "."))
        others = [
            p
            for p in (SOLUTIONS / lesson.section_id).rglob("*.py")
            if p.stem in ("second", "adapter", Path(built).stem)
        ]
        stub = derive(reference)
        known = names_in(stub)
        given = runs_of(stub, known)
        runs = [np.setdiff1d(runs_of(text, known), given) for text in (reference, *(p.read_text() for p in others))]
        for a, b in itertools.combinations(runs, 2):
            assert likeness(a, b) < ALIKE / 2, lesson.section_id
            compared += 1
    assert compared > 15


def test_families_hold_together_what_is_alike_at_one_remove(engine, second):
    reference = reference_text("grad.value")
    texts = {f"s{i}": renamed(second, i) for i in range(5)} | {f"r{i}": f"# {i}\n{reference}" for i in range(3)}
    found = pairs(engine, **texts)
    assert {pair.family for pair in found} == {1, 2}
    by_family = {n: {s for pair in found if pair.family == n for s in (pair.first, pair.second)} for n in (1, 2)}
    assert by_family == {1: {"s0", "s1", "s2", "s3", "s4"}, 2: {REFERENCE, "r0", "r1", "r2"}}  # the larger one first
    assert len(found) == 10 + 6  # all with all, in a small family


def test_the_order_of_the_class_does_not_matter(engine, second):
    texts = [own(f"s{i}", renamed(second, i)) for i in range(5)] + [own("x", recommented(second)), own("y", "x = 1")]
    there = near_duplicates(engine, texts)
    assert near_duplicates(engine, texts[::-1]) == there


def test_a_large_family_is_not_paired_all_with_all_and_nobody_is_left_out(engine, second):
    count = 5 * LARGE
    lines = second.splitlines()
    edited = {}
    for i in range(count):  # each with a line of its own, so that no two have the same runs
        at = 20 + i % 40
        indent = re.match(r" *", lines[at])[0]
        edited[f"s{i:03}"] = "\n".join(
            [*lines[:at], f"{indent}extra = {'abs(' * (i // 40 + 1)}1{')' * (i // 40 + 1)}", *lines[at:]]
        )
    found = pairs(engine, **edited)
    assert {s for pair in found for s in (pair.first, pair.second)} == set(edited)
    assert {pair.family for pair in found} == {1} and len(found) < count * (count - 1) / 4


def test_what_does_not_parse_is_compared_as_well(engine, second):
    broken = second.replace("def backward(self):", "def backward(self:")
    (pair,) = pairs(engine, ada=second, bob=broken)
    assert pair.likeness > 0.9


def test_anything_at_all_can_be_read():
    rng = random.Random(0)
    for length in (0, 1, 7, 300, 3000):
        text = "".join(rng.choice("\"'\\\n\t #abc019é(){}=\0\ud800") for _ in range(length))
        assert len(runs_of(text, frozenset())) <= length
    hostile = [
        '"""' * 50_000,
        "'" * 100_000,
        '"\\\n' * 50_000,
        " " * 250_000,
        "\\" * 100_000,
        'r"' * 60_000,
        "(" * 100_000,
    ]
    for text in hostile:
        runs_of(text, frozenset())
    assert likeness(runs_of("", frozenset()), runs_of("", frozenset())) == 0.0


def test_runs_are_the_same_on_every_machine():
    assert find("1.3")  # a hash that changed with the process would make shards disagree
    assert [int(run) for run in runs_of("a = b + 1 if c else d[2]", frozenset("ab"))][:2] == [
        int(run) for run in runs_of("a=b+9 if x else y[7]  # c", frozenset("ab"))
    ][:2]
