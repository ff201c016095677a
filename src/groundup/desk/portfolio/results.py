"""Runs that have come to their end, with their curves, samples and pictures; and studies, where a recipe has several seeds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...course.workspace.workspace import Workspace
from ...lab.claims import Kept
from ...lab.compare import Group, Test, compared, difference, grouped, summaries
from ...lab.formats import Row
from ...lab.recipe import Recipe, RecipeError, flat, held_by, load
from ...lab.record import Records, records_in
from ...lab.statistics import Summary
from ..laboratory import run_words as words
from ..laboratory.artifacts import Artifact, artifacts_of, read_artifact, text_of
from ..laboratory.curves import bands, logged
from ..paging import Refused
from ..reading.plates import print_of

POINTS = 2_000  # of a curve that a page draws
MOST_SERIES = 6  # groups of a study that are told apart by colour and dash
LARGEST = 4 << 20  # bytes of a picture that is copied
SAMPLE = 4_000  # characters of a text that a page shows
SAMPLES = (".txt", ".md", ".log")  # texts that a person reads
USUAL = ("loss", "train_loss", "val_loss")


@dataclass(frozen=True)
class Curve:
    """What a run has logged of one metric, by step."""

    metric: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """Over seeds the mean of one metric, and the lowest and the highest seed."""

    group: str
    steps: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A picture that a run has kept, as it goes into the site."""

    name: str
    sha: str
    suffix: str
    data: bytes


@dataclass(frozen=True)
class Done:
    """A finished run."""

    row: Row
    recipe: Recipe | None
    day: date
    claims: tuple[Kept, ...]
    curves: tuple[Curve, ...]
    pictures: tuple[Picture, ...]
    samples: tuple[tuple[str, str], ...]  # name, and the beginning of the text
    command: str

    @property
    def keeps_all(self) -> bool:
        """Whether it has claims to keep, and keeps them."""
        return bool(self.claims) and all(claim.kept for claim in self.claims)


@dataclass(frozen=True)
class Study:
    """Configurations of one recipe, each under several seeds, against the first."""

    recipe: str
    title: str
    groups: tuple[Group, ...]
    left_out: int  # groups beyond MOST_SERIES
    differs: Mapping[str, list[Any]]
    summaries: tuple[Mapping[str, Summary], ...]  # one for each group
    says: tuple[str, ...]  # a sentence for each test
    bands: Mapping[str, tuple[Band, ...]]  # by metric

    @property
    def seeds(self) -> int:
        """The most seeds that a group has."""
        return max(len(group.rows) for group in self.groups)


def runs_and_studies(workspace: Workspace, zone: tzinfo) -> tuple[list[Done], list[Study]]:
    """The finished runs, the newest first, and the studies that can be made of them. Dry runs say nothing and are left out."""
    folder = workspace.root / "runs"
    if not (folder / "runs.db").is_file():
        return [], []
    with records_in(folder) as kept:
        rows = [row for row in kept.runs() if row.status == "finished" and not row.config.get("dry")]
        recipes = {name: _recipe(name) for name in dict.fromkeys(row.recipe for row in rows)}
        done = [_done(kept, row, recipes[row.recipe], zone) for row in rows]
        return done, list(_studies(kept, rows, recipes))


def _recipe(name: str) -> Recipe | None:
    try:
        return load(name)
    except RecipeError:
        return None


def _done(kept: Records, row: Row, recipe: Recipe | None, zone: tzinfo) -> Done:
    files = artifacts_of(kept, row)
    return Done(
        row=row,
        recipe=recipe,
        day=datetime.fromtimestamp(row.begun, zone).date(),
        claims=tuple(held_by(row)),
        curves=_curves(kept, row),
        pictures=tuple(_pictures(kept, row, files)),
        samples=tuple(_samples(kept, row, files)),
        command=_command(row, recipe),
    )


def _curves(kept: Records, row: Row) -> tuple[Curve, ...]:
    """Every metric that has more than a point, the losses first."""
    metrics = logged(kept, row.id, whole=POINTS)["metrics"]
    names = sorted(metrics, key=lambda name: USUAL.index(name) if name in USUAL else len(USUAL))
    found = ((name, metrics[name]["steps"], metrics[name]["values"]) for name in names)
    return tuple(
        Curve(name, tuple(map(float, steps)), tuple(map(float, values)))  # what is no number is a word: "nan"
        for name, steps, values in found
        if len(set(steps)) > 1
    )


def _pictures(kept: Records, row: Row, files: Iterable[Artifact]) -> Iterator[Picture]:
    for file in files:
        if not file.is_picture or file.size > LARGEST:
            continue
        suffix = Path(file.name).suffix.lower()
        with contextlib.suppress(Refused, OSError, ValueError):  # no longer what was recorded, or no picture at all
            data = read_artifact(kept, row, file)
            if suffix == ".svg":
                data = print_of(data.decode("utf-8")).encode()  # whoever opens it alone gets no scripts with it
            yield Picture(file.name, file.sha, suffix, data)


def _samples(kept: Records, row: Row, files: Iterable[Artifact]) -> Iterator[tuple[str, str]]:
    for file in files:
        if Path(file.name).suffix.lower() in SAMPLES and (text := text_of(kept, row, file)):
            yield file.name, text[:SAMPLE]


def _command(row: Row, recipe: Recipe | None) -> str:
    """What to type to have the same run again, as far as the recipe itself says what is usual."""
    own = dict(flat(recipe.values)) if recipe else {}
    parts = ["groundup", "run", words.quoted(row.recipe)]
    if row.seed != own.get("seed", 0):
        parts += ["--seed", str(row.seed)]
    other = [name for name, value in own.items() if row.config.get(name, value) != value]
    for name in dict.fromkeys([*other, *_typed(row)]):
        if name != "seed" and name in row.config:
            value = words.setting(abroad(row.config[name]))
            parts += ["--set", words.quoted(f"{name}={value}")]
    return " ".join([*parts, *["--mine"] * row.mine])


def _typed(row: Row) -> list[str]:
    """The names that were set on the command line: of what a recipe does not name, nothing else tells what is usual."""
    typed = row.environment.get("arguments")
    typed = [str(word) for word in typed] if isinstance(typed, list) else []
    return [after.partition("=")[0] for word, after in pairwise(typed) if word == "--set"]


def _studies(kept: Records, rows: Sequence[Row], recipes: Mapping[str, Recipe | None]) -> Iterator[Study]:
    for name, recipe in recipes.items():
        groups = grouped([row for row in reversed(rows) if row.recipe == name])
        if not any(len(group.rows) > 1 for group in groups):
            continue
        groups = sorted(groups, key=lambda group: (-len(group.rows), group.rows[0].id))
        shown = groups[:MOST_SERIES]
        tests = compared(shown)
        yield Study(
            recipe=name,
            title=recipe.title if recipe else name,
            groups=tuple(shown),
            left_out=len(groups) - len(shown),
            differs=_differs(shown),
            summaries=tuple(summaries(group) for group in shown),
            says=tuple(_says(tests, shown)),
            bands={metric: tuple(_bands(found)) for metric, found in bands(shown, kept).items()},
        )


def _differs(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """What the groups were set to differently: one that has fewer seeds than another does not differ by that."""
    found = difference([Group(group.name, group.rows[:1]) for group in groups])
    return {name: [abroad(value) for value in values] for name, values in found.items() if name != "seed"}


def abroad(value: Any) -> Any:
    """A value as others may read it: of a path its last part, for how one's disk is laid out is nobody's business."""
    if isinstance(value, (list, tuple)):
        return [abroad(each) for each in value]
    if isinstance(value, str):
        return Path(value).name or value if Path(value).is_absolute() else value.replace(str(Path.home()), "~")
    return value


def _says(tests: Sequence[Test], groups: Sequence[Group]) -> Iterator[str]:
    made = sum(test.p is not None for test in tests)
    for test in (test for test in tests if test.p is not None):  # one run on one side says nothing
        yield words.sentence(test, groups, "holm", made)


def _bands(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Band]:
    for group, about in found.items():
        steps, mean, low, high = (tuple(map(float, about[key])) for key in ("steps", "mean", "low", "high"))
        yield Band(group, steps, mean, low, high)
