"""The pictures of the desk in docs/pictures, taken from a desk where somebody has been at work.

    python tools/pictures.py        or `make pictures`

What they show is real: the verdict is the judge's, the curves are runs that have just been made, the explorable has computed its
picture. The map alone is told that lessons have been passed.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, find_all

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.desk.browser import launch
from tests.desk.running_desk import Desk
from tests.desk.writing import mistake, write

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
BUILT, STRETCH = ("1.0", "1.1", "1.2", "1.3", "1.5", "2.1", "2.2", "2.4"), ("1.4", "1.6", "1.7", "2.3")
RATES = (0.1, 0.3, 1.0, 3.0)
COLOURS = 64


def main():
    expect.set_options(timeout=60_000)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.run("open", "1.3")
        with desk.workspace.store() as store:
            for lesson in find_all():
                if lesson.section_id in BUILT + STRETCH:
                    store.append("opened", lesson.section_id)
                    store.append("passed", lesson.section_id, {}, stretch=lesson.section_id in STRETCH, seed=1)
        for rate in RATES:
            done = desk.run("run", "two-moons", "--set", f"rate={rate}")
            if done.returncode not in (0, 1):  # 1: a promise that another rate need not keep
                raise SystemExit(done.stderr)
        desk.start()
        try:
            with sync_playwright() as playwright:
                browser = launch(playwright)
                context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
                context.set_default_timeout(60_000)
                page = context.new_page()
                for name, take in {"map": wall, "lesson": lesson_page, "runs": runs, "explorable": explorable}.items():
                    take(desk, page)
                    page.evaluate("document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(done)))")
                    keep(page.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": foot(page)}), name)
                browser.close()
        finally:
            desk.close()


def wall(desk, page):
    desk.enter(page)
    expect(page.locator(".brick.built").first).to_be_visible()


def lesson_page(desk, page):
    """Lesson 1.3, with the commonest mistake in it."""
    source = reference_text("grad.value")
    [fault] = [each for each in load_faults(find("1.3"), {"grad/value.py": source}) if "overwritten" in each.name]
    desk.enter(page, "/lesson/1.3")
    write(page, fault.apply(source))
    expect(mistake(page)).to_be_visible()
    expect(page.locator("#points[aria-busy=true]")).to_have_count(0)
    page.locator("#points [data-line]").first.click()  # the line that the verdict names
    mistake(page).scroll_into_view_if_needed()
    page.locator("h1").click()


def runs(desk, page):
    desk.enter(page, "/runs")
    expect(page.locator("svg.swatch-line")).to_have_count(len(RATES))  # a curve is named once it has come


def explorable(desk, page):
    desk.enter(page, "/explore/tree")
    expect(page.locator("svg.drawing").first).to_be_visible()


def foot(page):
    """How far down a picture goes: the wall without what stands below it, of other pages the whole window."""
    legend = page.locator(".legend")
    return legend.bounding_box()["y"] + 48 if legend.count() else 800


def keep(shot, name):
    """A page has few colours: a palette of them is a third of the bytes."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path = PICTURES / f"{name}.png"
    picture.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
