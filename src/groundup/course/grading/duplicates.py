"""Pairs of submissions that are nearly the same, found without comparing every two.

What the lesson gave is taken away first, so that only a student's own runs of tokens count. Those whose runs are the same are
one group. Groups that may be alike fall into one bucket of a MinHash table (Broder, On the resemblance and containment of
documents, 1997; bands as in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4), and only within a bucket are
likenesses computed. What is alike, or alike to what is alike, is a family.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..holes.library import module_name, reference_text
from ..holes.stub import derive
from ..lessons.lesson import Lesson
from .tokens import Runs, likeness, names_in, runs_of

ALIKE = 0.6  # likeness from which two are a pair; solutions of different authors in the course's tests stay below 0.3
ENOUGH = 24  # own runs that a submission must have: less is too little to tell by
BANDS, ROWS = 32, 4  # of the table: a pair at 0.6 is missed once in eighty, one at 0.8 never
LARGE = 32  # members from which a family, or a bucket, is not compared all with all
HEADS = 8  # unrelated members of a large bucket that its others are compared with
REFERENCE = "the reference solution"


@dataclass(frozen=True)
class Own:
    """A student's own text in a lesson."""

    student: str
    content: str  # hash
    text: str


@dataclass(frozen=True)
class Pair:
    """Two who handed in nearly the same."""

    lesson: str
    first: str
    second: str
    likeness: float
    same_text: bool
    family: int  # from 1, the largest first

    @property
    def of_reference(self) -> bool:
        """Whether one of the two is the course's own solution."""
        return REFERENCE in (self.first, self.second)


@dataclass
class _Group:
    """Submissions with the same runs."""

    runs: Runs
    members: list[Own] = field(default_factory=list)


def near_duplicates(lesson: Lesson, handed: Sequence[Own]) -> list[Pair]:
    """Every pair that is alike, by family; in a family of more than LARGE each is paired with one other at least.

    The reference's own solution is among them, under the name REFERENCE.
    """
    reference = "\n".join(reference_text(module_name(path)) or "" for path in lesson.builds)
    groups = _groups(lesson, [Own(REFERENCE, "", reference), *handed])
    links: dict[tuple[int, int], float] = {}
    families = _Families(len(groups))
    for a, b in _candidates(groups, families):
        if (a, b) not in links:
            links[a, b] = likeness(groups[a].runs, groups[b].runs)
            if links[a, b] >= ALIKE:
                families.join(a, b)
    alike: dict[int, list[tuple[float, int, int]]] = defaultdict(list)  # by family, the most alike first
    for (a, b), how in sorted(links.items(), key=lambda link: (-link[1], link[0])):
        if how >= ALIKE:
            alike[families.head(a)].append((how, a, b))
    found: list[Pair] = []
    for number, family in enumerate(_by_size(groups, families), 1):
        found += _pairs(lesson.section_id, number, groups, family, alike[families.head(family[0])])
    return found


def _groups(lesson: Lesson, handed: Sequence[Own]) -> list[_Group]:
    """Those with enough of their own, by their runs; in an order that does not depend on that of `handed`."""
    stub = "\n".join(derive(reference_text(module_name(path)) or "") for path in lesson.builds)
    known = names_in(stub)
    given = runs_of(stub, known)
    runs: dict[str, Runs] = {}
    groups: dict[bytes, _Group] = {}
    for own in sorted(handed, key=lambda own: (own.student != REFERENCE, own.student)):
        if own.content not in runs:
            runs[own.content] = np.setdiff1d(runs_of(own.text, known), given, assume_unique=True)
        theirs = runs[own.content]
        if len(theirs) >= ENOUGH:
            groups.setdefault(theirs.tobytes(), _Group(theirs)).members.append(own)
    return list(groups.values())


def _candidates(groups: Sequence[_Group], families: _Families) -> Iterator[tuple[int, int]]:
    """Pairs of groups that share a bucket: all of a small bucket, and of a large one each with some until it is related."""
    if not groups:
        return
    signatures = np.stack([_signature(group.runs) for group in groups])  # (groups, BANDS, ROWS)
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for i, rows in enumerate(signatures[:, band]):
            buckets[rows.tobytes()].append(i)
        for bucket in buckets.values():
            if len(bucket) <= LARGE:
                yield from itertools.combinations(bucket, 2)
                continue
            heads: list[int] = []
            for i in bucket:
                for head in heads:
                    if not families.related(head, i):
                        yield head, i  # whoever asked has joined them if they are alike
                if len(heads) < HEADS and not any(families.related(head, i) for head in heads):
                    heads.append(i)


_random = np.random.default_rng(0)
FACTORS = _random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
TERMS = _random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)


def _signature(runs: Runs) -> Runs:
    """For each of many orders of all runs, the first of these: two sets agree in one as often as they are alike."""
    hashed = runs[:, None] * FACTORS + TERMS  # (runs, BANDS * ROWS)
    hashed ^= hashed >> np.uint64(32)
    least: Runs = (hashed * FACTORS).min(axis=0).reshape(BANDS, ROWS)
    return least


class _Families:
    """Which belong together, by links: a forest of disjoint sets."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def head(self, i: int) -> int:
        """The one that stands for the family of i: the first of it."""
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def related(self, a: int, b: int) -> bool:
        return self.head(a) == self.head(b)

    def join(self, a: int, b: int) -> None:
        first, second = sorted((self.head(a), self.head(b)))
        self._parent[second] = first


def _by_size(groups: Sequence[_Group], families: _Families) -> list[list[int]]:
    """The families of more than one submission, the largest first."""
    members: dict[int, list[int]] = defaultdict(list)
    for i in range(len(groups)):
        members[families.head(i)].append(i)
    several = [family for family in members.values() if sum(len(groups[i].members) for i in family) > 1]
    return sorted(several, key=lambda family: (-sum(len(groups[i].members) for i in family), family[0]))


def _pairs(
    lesson: str, number: int, groups: Sequence[_Group], family: Sequence[int], alike: Sequence[tuple[float, int, int]]
) -> Iterator[Pair]:
    """The pairs of a family: within its groups, then between them."""
    small = sum(len(groups[i].members) for i in family) <= LARGE

    def pair(a: Own, b: Own, how: float) -> Pair:
        return Pair(lesson, a.student, b.student, how, bool(a.content) and a.content == b.content, number)

    for i in family:
        members = groups[i].members
        twos = itertools.combinations(members, 2) if small else zip(itertools.repeat(members[0]), members[1:])
        yield from (pair(a, b, 1.0) for a, b in twos)
    for how, i, j in alike:
        each = (groups[k].members if small else groups[k].members[:1] for k in (i, j))
        yield from (pair(a, b, how) for a, b in itertools.product(*each))
