"""A workspace as a learner leaves it after a year: passes, runs, posts and a log, made at once and the same each time."""

import itertools
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.lesson import find_all
from groundup.course.lessons.probes import demands
from groundup.course.progress.store import Store
from groundup.course.workspace.workspace import make_workspace
from groundup.lab.record import records_in

BERLIN = ZoneInfo("Europe/Berlin")
BEGUN = datetime(2026, 1, 5, 19, 0, tzinfo=BERLIN).timestamp()
EVENING = 60 * 60 * 24.0  # from one to the next


def lessons_in_all(count):
    """So many lessons: those of the course, then the same again under other numbers."""
    course = list(find_all())
    further = (
        replace(each, section_id=f"{each.phase + 20 * turn}.{each.order}", phase=each.phase + 20 * turn)
        for turn in itertools.count(1)
        for each in course
    )
    return list(itertools.islice(itertools.chain(course, further), count))


def passed(root, lessons, texts=None, looked=()):
    """Passes lessons one evening after the other; texts: what was written, by library path, in place of the reference's."""
    now = [BEGUN]
    with Store(root / ".groundup" / "progress.db", clock=lambda: now[0]) as store:
        for number, lesson in enumerate(lessons):
            now[0] = BEGUN + EVENING * number
            files = {}
            for path in lesson.builds:
                text = (texts or {}).get(path) or reference_text(module_name(path))
                files[path] = text if isinstance(text, bytes) else text.encode()
            checkpoints = {name: {"verdict": "passed", "fault": None} for name, _ in demands(lesson)}
            said = {"passed": True, "stretch": number % 3 == 0, "seed": 100 + number}
            if lesson.section_id in looked:
                store.append("looked", lesson.section_id)
            store.append("opened", lesson.section_id)
            now[0] += 900
            store.append("checked", lesson.section_id, files, **said, elapsed_ms=12.5, checkpoints=checkpoints)
            store.append("passed", lesson.section_id, files, stretch=said["stretch"], seed=said["seed"])


def run(root, recipe, seed=0, config=None, mine=True, metrics=None, files=None, result=None):
    """A finished run on the disk; files: content by name."""
    with records_in(root / "runs") as kept:
        with kept.begin(recipe, seed, {"seed": seed, **(config or {})}, "0" * 64, mine) as record:
            for name, values in (metrics or {}).items():
                for step, value in enumerate(values):
                    record.log(step, **{name: value})
            for name, data in (files or {}).items():
                (record.folder / name).write_bytes(data)
                record.keep(record.folder / name)
            if result is not None:
                record.end("finished", result)
        return kept.runs()[0].name


def curve(seed, points=400):
    """A loss that falls."""
    noise = np.random.default_rng(seed).normal(scale=0.02, size=points)
    return [float(value) for value in 2.5 * np.exp(-np.arange(points) / 90) + 0.3 + noise]


def post(root, name, text):
    """A post of the learner's."""
    folder = root / "notes" / "posts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8", errors="surrogateescape")


def entry(root, name, text):
    """An entry of the log."""
    folder = root / "notes" / "log"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def year(folder, lessons=60):
    """All of it: (root, lessons)."""
    root, chosen = make_workspace(folder / "ws").root, lessons_in_all(lessons)
    passed(root, chosen)
    for seed in range(3):
        for width in (4, 16):
            run(root, "two-moons", seed, {"width": width, "points": 300}, metrics={"loss": curve(seed + width)},
                result={"test_accuracy": 0.99 + seed / 1000})  # fmt: skip
    for number in range(12):
        post(
            root,
            f"2026-0{1 + number % 9}-1{number % 10}-week-{number}",
            f"# Week {number}\n\nWhat $x_{number}$ is.\n\n## Then\n\nMore.\n",
        )
    for lesson in chosen[:5]:
        entry(
            root,
            f"2026-02-01-{lesson.section_id}",
            f"# {lesson.title}\n\npublic: yes\n\n## The core idea\n\nIt is short.\n",
        )
    entry(root, "2026-02-02", "# A bad day\n\nNobody shall read of it.\n")
    return root, chosen
