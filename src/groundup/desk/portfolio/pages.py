"""A portfolio as the files of a site: pages by the desk's templates, its style sheets and fonts, pictures, and the feed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...course.log.entries import Entry
from ...course.workspace.workspace import Workspace
from ..assets import contents
from ..laboratory import run_words as words
from ..laboratory.artifacts import PICTURES
from ..paging import environment
from ..reading.highlight import highlighted
from ..reading.plates import print_of
from ..reading.sentences import plain
from . import drawings, feed
from .benchmarks import Benchmark
from .built import Built
from .gathering import Portfolio
from .lender import lender
from .log_text import answered
from .packaging import Package
from .rendering import IMAGE, fit, prose
from .results import LARGEST, Done, Study, abroad
from .texts import POSTS, Post

STYLES = ("vendor/fonts/fonts.css", "desk.css", "prose.css", "drawing.css", "runs.css", "portfolio.css", "brick.svg")
CURVES = 6  # of a run that are drawn
WIDTHS = 24  # classes of width that the style sheet has for bricks
STRONG = 3  # pieces shown first where nobody has chosen


@dataclass(frozen=True)
class Featured:
    """A strong piece: where its page is, what it is, and a picture if there is one."""

    href: str
    title: str
    kind: str
    says: str
    svg: Markup | None = None


@dataclass(frozen=True)
class Brick:
    """A lesson in the wall."""

    id: str
    title: str
    state: str  # built, stretch or later
    width: int
    href: str


class Site:
    """Makes the files of one portfolio. problems: what was asked for and is not there, a sentence each."""

    def __init__(
        self,
        workspace: Workspace,
        portfolio: Portfolio,
        package: Package | None = None,
        benchmarks: Mapping[str, Benchmark] | None = None,
    ) -> None:
        self.workspace, self.portfolio = workspace, portfolio
        self.problems: list[str] = []
        self._package, self._benchmarks = package, dict(benchmarks or {})
        self._files: dict[str, bytes] = {}
        self._lessons = frozenset(built.id for built in portfolio.built)
        self._runs = {run.row.id: f"runs/{slug(run.row.recipe)}-{run.row.id}.html" for run in portfolio.runs}
        self._posts = _named("posts", [post.name for post in portfolio.posts])
        self._studies = _named("studies", [study.recipe for study in portfolio.studies])

    def files(self) -> dict[str, bytes]:
        """Every file of the site by its path."""
        self._files = {name.rpartition("/")[2] if "fonts/" not in name else name.removeprefix("vendor/"): data
                       for name, data in _assets().items()}  # fmt: skip
        self._files = {f"style/{name}": data for name, data in self._files.items()}
        for built in self.portfolio.built:
            self._lesson(built)
        for run in self.portfolio.runs:
            self._run(run)
        for study, path in zip(self.portfolio.studies, self._studies):
            self._page(path, "study.html", study=study, drawn=self._bands(study))
        entries = [self._post(post, path) for post, path in zip(self.portfolio.posts, self._posts)]
        about = self.portfolio.choices
        self._files[feed.NAME] = feed.atom(about.title, about.author, about.url, entries)
        if loose := [entry for entry in self.portfolio.log if entry.lesson not in self._lessons]:
            self._page("log.html", "log.html", entries=self._entries(loose, "", 3))
        if self._package is not None:
            self._files[self._package.path] = self._package.data
            titles = {lesson.section_id: lesson.title for lesson in self.portfolio.lessons}
            self._page("package.html", "package.html", titles=titles, course=lender().name)
        self._index()
        return self._files

    def _page(self, path: str, template: str, **values: Any) -> None:
        up = "../" * path.count("/")
        common = {"portfolio": self.portfolio, "about": self.portfolio.choices, "up": up, "here": path, "words": words,
                  "run_page": self._runs, "has_log": any(e.lesson not in self._lessons for e in self.portfolio.log),
                  "package": self._package}  # fmt: skip
        text = environment().get_template(f"portfolio/{template}").render({**common, **values})
        self._files[path] = fit(text).encode()

    def _prose(
        self, text: str, up: str, name: str = "", base: int = 2, pictures: Mapping[str, str] | None = None
    ) -> Markup:
        return prose(text, up, self._lessons, name, base, pictures)

    # A page each

    def _lesson(self, built: Built) -> None:
        entries = [entry for entry in self.portfolio.log if entry.lesson == built.id]
        code = [(file, highlighted(fit(file.text).strip("\n"))) for file in built.files]
        self._page(
            f"lessons/{built.id}.html", "lesson.html", built=built, code=code, lead=self._prose(_lead(built), "../", "idea", 3),
            says=plain(_lead(built).partition("\n\n")[0]), runs=self.portfolio.runs_on(built),
            entries=self._entries(entries, "../", 3), benchmark=self._benchmarks.get(built.id),
        )  # fmt: skip

    def _run(self, run: Done) -> None:
        pictures = [
            (picture.name, f"../{self._picture(picture.sha, picture.suffix, picture.data)}") for picture in run.pictures
        ]
        drawn = [drawings.curve(curve) for curve in run.curves[:CURVES]]
        lessons = [built for built in self.portfolio.built if run in self.portfolio.runs_on(built)]
        settings = [(name, words.number(abroad(value))) for name, value in run.row.config.items()]
        self._page(
            self._runs[run.row.id], "run.html", run=run, row=run.row, drawn=drawn, pictures=pictures, lessons=lessons,
            settings=settings, expect=self._prose(run.recipe.expect, "../") if run.recipe else "",
        )  # fmt: skip

    def _bands(self, study: Study) -> list[drawings.Drawn]:
        return [drawings.bands(metric, bands) for metric, bands in list(study.bands.items())[:CURVES]]

    def _post(self, post: Post, path: str) -> tuple[str, str, Any, str, str]:
        html = self._prose(post.text, "../", pictures=self._pictures_of(post))
        self._page(path, "post.html", post=post, html=html)
        base = self.portfolio.choices.url
        return (
            path,
            post.title,
            post.day,
            post.summary,
            html if not base else str(html).replace('="../', f'="{base.rstrip("/")}/'),
        )

    def _entries(self, entries: Iterable[Entry], up: str, base: int) -> list[tuple[Entry, str, Markup]]:
        found = []
        for i, entry in enumerate(entries, 1):
            text = re.sub(r"\A\s*# .*\n?", "", answered(entry.text))  # its title
            found.append((entry, fit(entry.title), self._prose(text, up, f"log{i}", base + 1)))
        return found

    # Pictures

    def _picture(self, sha: str, suffix: str, data: bytes) -> str:
        path = f"pictures/{sha[:32]}{suffix}"
        self._files[path] = data
        return path

    def _pictures_of(self, post: Post) -> dict[str, str]:
        """The pictures of a post that lie in `notes`, by what the post calls them, each with its address."""
        notes = (self.workspace.root / "notes").resolve()
        folder = self.workspace.root / POSTS
        found = {}
        for _, source in IMAGE.findall(post.text):
            path, suffix = (folder / source).resolve(), Path(source).suffix.lower()
            if suffix not in PICTURES or "://" in source:
                continue
            try:
                if not path.is_relative_to(notes) or path.stat().st_size > LARGEST:
                    raise ValueError("it lies outside notes/, or is too large")
                data = path.read_bytes()
                data = print_of(data.decode("utf-8")).encode() if suffix == ".svg" else data
            except (OSError, ValueError) as problem:
                self.problems.append(
                    f"{post.name}: the picture {source} is left out: {getattr(problem, 'strerror', None) or problem}"
                )
                continue
            found[source] = "../" + self._picture(_sha(data), suffix, data)
        return found

    # The index

    def _index(self) -> None:
        it = self.portfolio
        facts = [
            ("lessons built", len(it.built)), ("checkpoints passed", sum(built.passed for built in it.built)),
            ("lines of code", sum(file.lines for built in it.built for file in built.files)),
            ("runs", len(it.runs)), ("claims kept", sum(claim.kept for run in it.reproduced for claim in run.claims)),
        ]  # fmt: skip
        against = Counter(name for built in it.built for name in built.against)
        self._page(
            "index.html", "index.html", facts=[(name, value) for name, value in facts if value],
            html=self._prose(it.choices.about, "", "about", 2) if it.choices.about.strip() else "",
            featured=self._featured(), phases=self._wall(), against=[name for name, _ in against.most_common()],
            posts=list(zip(it.posts, self._posts)), studies=list(zip(it.studies, self._studies)),
        )  # fmt: skip

    def _wall(self) -> list[tuple[str, str, list[Brick]]]:
        """Each phase of which something is built, how much, and its bricks."""
        built = {each.id: each for each in self.portfolio.built}
        phases: dict[int, list[Any]] = {}
        for lesson in self.portfolio.lessons:
            phases.setdefault(lesson.phase, []).append(lesson)
        found = []
        for _, group in sorted(phases.items()):
            bricks = []
            for lesson in group:
                each = built.get(lesson.section_id)
                state = "later" if each is None else "stretch" if each.stretch else "built"
                width = max(2, min(WIDTHS, round(lesson.minutes / 30)))
                bricks.append(Brick(lesson.section_id, lesson.title, state, width, f"lessons/{lesson.section_id}.html"))
            done = sum(brick.state != "later" for brick in bricks)
            if not done:
                continue  # the site says what there is
            found.append((group[0].phase_title, "built" if done == len(bricks) else f"{done} of {len(bricks)}", bricks))
        return found

    def _featured(self) -> list[Featured]:
        chosen = self.portfolio.choices.featured
        if not chosen:
            return self._strong()
        found = []
        for name in dict.fromkeys(chosen):
            piece = self._piece(name)
            if piece is None:
                self.problems.append(f"{name!r} is featured, and there is no such lesson, run, recipe or post to show")
            else:
                found.append(piece)
        return found

    def _strong(self) -> list[Featured]:
        """Where nobody has chosen: a run that keeps its claims on the learner's own library, then what was built to the full last."""
        runs = [self._of_run(run) for run in self.portfolio.reproduced[:1]]
        full = sorted(
            (b for b in self.portfolio.built if b.stretch), key=lambda b: (b.first, b.lesson.phase, b.lesson.order)
        )
        return [*runs, *(self._of_lesson(built) for built in reversed(full[-(STRONG - len(runs)) :]))]

    def _piece(self, name: str) -> Featured | None:
        """What a name stands for: a lesson, a run, the newest run of a recipe, a post."""
        for built in self.portfolio.built:
            if name == built.id:
                return self._of_lesson(built)
        runs = [run for run in self.portfolio.runs if name in (run.row.name, run.row.recipe)]
        if runs:
            return self._of_run(next((run for run in runs if run.row.mine and run.keeps_all), runs[0]))
        for post, path in zip(self.portfolio.posts, self._posts):
            if name == post.name:
                return Featured(path, post.title, f"written {post.day}", post.summary or beginning(post.text))
        return None

    def _of_lesson(self, built: Built) -> Featured:
        count = f"{built.passed} checkpoints passed" if built.checkpoints else built.how
        count += f", judged by {', '.join(built.against)}" if built.against else ""
        lines = sum(file.lines for file in built.files)
        count += f" · {lines:,} lines" if lines else ""
        return Featured(f"lessons/{built.id}.html", f"{built.id} {built.lesson.title}", count, beginning(_lead(built)))

    def _of_run(self, run: Done) -> Featured:
        results = ", ".join(f"{name} {words.number(value, 4)}" for name, value in list(run.row.result.items())[:2])
        svg = drawings.curve(run.curves[0]).svg if run.curves else None
        kind = "run on my own library" if run.row.mine else "run"
        title = run.recipe.title if run.recipe else run.row.name
        return Featured(self._runs[run.row.id], title, kind, results, svg)


def _assets() -> dict[str, bytes]:
    """The style sheets and fonts of the desk."""
    held = contents()
    return {
        name: data
        for name, data in held.items()
        if name in STYLES or (name.startswith("vendor/fonts/") and name.endswith(".woff2"))
    }


def slug(name: str) -> str:
    """A name for a file on any system, of small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "x"


def _named(folder: str, names: Sequence[str]) -> list[str]:
    """A page for each name, no two the same; a name's page does not depend on those that come later by name."""
    taken: Counter[str] = Counter()
    paths = {}
    for i in sorted(range(len(names)), key=lambda i: names[i]):
        base = slug(names[i])
        taken[base] += 1
        paths[i] = f"{folder}/{base}{f'--{taken[base]}' if taken[base] > 1 else ''}.html"
    return [paths[i] for i in range(len(names))]


def _lead(built: Built) -> str:
    """What stands before the first heading of a lesson."""
    return re.split(r"(?m)^## ", built.lesson.prose, maxsplit=1)[0].strip()


def beginning(text: str, most: int = 200) -> str:
    """The first paragraph in plain words, not longer than that; as many whole sentences as there is room for."""
    said = plain(next((part for part in text.strip().split("\n\n") if not part.startswith(("#", "```", "|"))), ""))
    if len(said) <= most:
        return said
    whole = re.match(r".*[.?!](?=\s)", said[: most + 1])
    return whole[0] if whole else said[:most].rsplit(" ", 1)[0] + " …"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
