"""What an explorable is: controls, a probe that computes, a drawing of what was found, and the sentence that it proves.

    EXPLORABLE = Explorable(
        name="descent", title="Downhill", lesson="1.5", modules=("grad/fit.py",),
        proves="A rate beyond 2 / curvature climbs.",
        controls=(Slider("rate", 0.01, 1.0, 0.1, log=True), Steps("step", 0, 40)),
        compute=compute, draw=draw,
    )

`compute(lib, **values)` runs in the sandbox, as a checkpoint's probe does: it is cut out of its file with the imports,
helpers and constants that it uses, may use NumPy and `lib`, and gives a dictionary of numbers, texts, lists and arrays.
`draw(values, found)` runs in the desk. Both are pure: what they give is kept, by the values of the controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup

from ..drawing.plane import Plane
from ..drawing.svg import element

TEXT_CAP = 200  # characters of a text that is typed
POSITIONS = 100  # of a slider without steps


class BadValue(ValueError):
    """A value that a control cannot take, and what it takes, in one sentence."""


@dataclass(frozen=True)
class Slider:
    """A number in a range. `step`: how far apart its values lie (an int: it is a whole number); `log`: even in its logarithm."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    label: str = ""
    kind: ClassVar[str] = "slider"

    @property
    def whole(self) -> bool:
        return isinstance(self.step, int) and isinstance(self.low, int)

    @property
    def spacing(self) -> float:
        """Between two positions of the slider, in the value or, if `log`, in hundredths of the way."""
        return 1 if self.log else self.step or (self.high - self.low) / POSITIONS

    def read(self, text: str) -> float:
        """The number in a text, moved into the range. BadValue if there is none."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise BadValue(
                f"{self.label or self.name} is a number from {self.low:g} to {self.high:g}, not {text[:40]!r}"
            )
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else float(f"{value:.4g}")

    def at(self, position: float) -> float:
        """The value at a position from 0 to POSITIONS."""
        share = min(max(position / POSITIONS, 0.0), 1.0)
        if self.log:
            return float(f"{self.low * (self.high / self.low) ** share:.3g}")
        return float(f"{self.low + (self.high - self.low) * share:.4g}")

    def position(self, value: float) -> int:
        """The position of a value, from 0 to POSITIONS."""
        if self.log:
            return round(POSITIONS * math.log(value / self.low) / math.log(self.high / self.low))
        return round(POSITIONS * (value - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class Steps:
    """A whole number that is stepped through, and can be played."""

    name: str
    low: int
    high: int
    default: int | None = None
    label: str = ""
    kind: ClassVar[str] = "steps"

    def read(self, text: str) -> int:
        """The number in a text, moved into the range. BadValue if there is none."""
        try:
            value = int(text[:20])
        except ValueError:
            says = f"{self.label or self.name} is a whole number from {self.low} to {self.high}, not {text[:40]!r}"
            raise BadValue(says) from None
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """One of a few texts; the first one unless another is the default."""

    name: str
    options: tuple[str, ...]
    default: str | None = None
    label: str = ""
    kind: ClassVar[str] = "choice"

    def read(self, text: str) -> str:
        """The text itself. BadValue if it is not on offer."""
        if text not in self.options:
            raise BadValue(f"{self.label or self.name} is one of {', '.join(self.options)}, not {text[:40]!r}")
        return text


@dataclass(frozen=True)
class Text:
    """A text that is typed. `check` raises a ValueError whose message says what is wrong with it."""

    name: str
    default: str
    cap: int = TEXT_CAP
    check: Callable[[str], object] | None = None
    label: str = ""
    kind: ClassVar[str] = "text"

    def read(self, text: str) -> str:
        """The text itself. BadValue if it is too long, holds what cannot be printed, or does not pass `check`."""
        if len(text) > self.cap:
            raise BadValue(f"{self.label or self.name} has at most {self.cap} characters")
        if not all(letter.isprintable() or letter == "\n" for letter in text):
            raise BadValue(f"{self.label or self.name} holds a character that cannot be printed")
        try:
            if self.check is not None:
                self.check(text)
        except ValueError as problem:
            raise BadValue(str(problem)) from None
        return text


Control = Slider | Steps | Choice | Text
Values = Mapping[str, Any]
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Drawn:
    """A picture, the same as a table (the first row is its head), and the sentence that says what is seen, with its numbers.

    `last`: where Steps ends for these values, if that is before its `high`.
    """

    svg: Markup
    table: Rows
    says: str
    last: int | None = None


@dataclass(frozen=True)
class Explorable:
    """One picture that moves.

    `modules`: the library files it is about; when the learner has them, it runs on theirs.
    `given`: data that the desk reads and `compute` gets as further arguments, sent once: the sandbox has no files.
    `given_by`: controls whose values `given` is called with, by name; when they change it is called again.
    `within`: what of all this depends on the workspace, such as a choice among its runs: fields to put in their place.
    `allows`: what may be imported beside NumPy; None for what the lesson allows.
    """

    name: str
    title: str
    lesson: str
    proves: str
    controls: tuple[Control, ...]
    compute: Callable[..., dict[str, Any]]
    draw: Callable[[Values, Values], Drawn]
    modules: tuple[str, ...]
    given: Callable[..., dict[str, Any]] | None = None
    given_by: tuple[str, ...] = ()
    within: Callable[[Path], dict[str, Any]] | None = None
    allows: tuple[str, ...] | None = None
    seconds: float = 4.0  # for one answer
    defaults: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "defaults", {control.name: _default(control) for control in self.controls})

    def at(self, root: Path) -> Explorable:
        """This explorable in a workspace."""
        return self if self.within is None else replace(self, **self.within(root))

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
        """The values of the controls in a query, and what is wrong with the first that cannot be read: its default stands in.

        A slider may also be given by its position, as `rate.at`: without script a form has nothing else to send.
        """
        values, wrong = dict(self.defaults), None
        for control in self.controls:
            try:
                if control.name in query:
                    values[control.name] = control.read(query[control.name])
                elif isinstance(control, Slider) and f"{control.name}.at" in query:
                    position = Slider(control.name, 0, POSITIONS, 0).read(query[f"{control.name}.at"])
                    values[control.name] = control.read(str(control.at(position)))
            except BadValue as problem:
                wrong = wrong or str(problem)
        return values, wrong


def arrays(found: Values, *names: str) -> Any:
    """What was found under these names, as arrays of floats: one, or a list of them. ValueError for what is none."""
    read = [np.asarray(found[name], dtype=float) for name in names]
    return read if len(read) > 1 else read[0]


def scatter(plane: Plane, points: Any, class_: str, radius: float = 3.5) -> Plane:
    """Points (n, 2) in the marker of a class."""
    return plane.dots(points[:, 0], points[:, 1], class_, radius)


def panels(*pictures: Markup) -> Markup:
    """Pictures side by side, one below the other where there is no room."""
    return element("div", *pictures, class_="panels")


def _default(control: Control) -> Any:
    if isinstance(control, Steps):
        return control.low if control.default is None else control.default
    if isinstance(control, Choice):
        return control.options[0] if control.default is None else control.default
    return control.default
