"""What a lesson demands: a probe, its cases, and where the truth comes from.

A checkpoint is written in a lesson's `checks.py` or `checks/`. Its probe runs in the sandbox on the learner's library and returns
values; its cases, its oracle and everything else here run in the judge, which alone knows what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Case = dict[str, Any]


class Checkpoint:
    """One measurable demand of a lesson.

    name: the demand as a sentence the learner reads.
    atol, rtol: |got - expected| <= atol + rtol |expected|, elementwise; rtol is atol unless given.
    stretch: asked for and shown, but not needed to pass.
    count: how many cases are generated beside the edge cases.
    seconds: the wall-clock time the whole batch may take in the sandbox.
    long: it trains for many seconds. It is drawn and run once everything before it has passed, in a child of its own, and
        a failure is neither shrunk nor named.
    """

    def __init__(
        self,
        probe: Callable[..., Any],
        name: str,
        atol: float,
        rtol: float | None,
        stretch: bool,
        count: int,
        seconds: float,
        long: bool,
    ) -> None:
        self.probe = probe
        self.name = name
        self.atol = atol
        self.rtol = atol if rtol is None else rtol
        self.stretch = stretch
        self.count = count
        self.seconds = seconds
        self.long = long
        self.draw_case: Callable[[Any], Case] | None = None
        self.edge_cases: Callable[[], list[Case]] = list
        self.truth: Callable[..., Any] | None = None
        self.accept: Callable[..., bool | str | None] | None = None
        self.render: Callable[..., str] | None = None

    def cases(self, draw_case: Callable[[Any], Case]) -> Callable[[Any], Case]:
        """Registers how one case is drawn: `draw` in, keyword arguments of the probe out.

        An argument whose name begins with an underscore stays in the judge: labels that the learner's code never sees.
        """
        self.draw_case = draw_case
        return draw_case

    def edges(self, edge_cases: Callable[[], list[Case]]) -> Callable[[], list[Case]]:
        """Registers the cases written out by hand: empty, one row, ties, huge and tiny values."""
        self.edge_cases = edge_cases
        return edge_cases

    def oracle(self, truth: Callable[..., Any]) -> Callable[..., Any]:
        """Registers the truth: the case's arguments in, the values that the probe ought to return out."""
        self.truth = truth
        return truth

    def accepts(self, accept: Callable[..., bool | str | None]) -> Callable[..., bool | str | None]:
        """Registers a predicate instead of an oracle: `got` and the case's arguments in; True, or why not, out."""
        self.accept = accept
        return accept

    def shown(self, render: Callable[..., str]) -> Callable[..., str]:
        """Registers how a case reads to a person, where its bare arguments would not do."""
        self.render = render
        return render


def checkpoint(
    name: str,
    *,
    atol: float = 1e-9,
    rtol: float | None = None,
    stretch: bool = False,
    count: int = 30,
    seconds: float = 2.0,
    long: bool = False,
) -> Callable[[Callable[..., Any]], Checkpoint]:
    """Marks a function as the probe of a checkpoint; see Checkpoint for the arguments."""

    def mark(probe: Callable[..., Any]) -> Checkpoint:
        return Checkpoint(probe, name, atol, rtol, stretch, count, seconds, long)

    return mark
