"""Runs in a real browser: curves that follow a run, tables that say the same, keys, both themes, a narrow page."""

import math
import re

import pytest
from playwright.sync_api import expect

from groundup.lab.record import Records

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

LONG = 60_000  # milliseconds


@pytest.fixture
def kept(desk):
    with Records(desk.root / "runs") as made:
        yield made


def finished(kept, seed, width, gap=None, steps=40):
    with kept.begin("two-moons", seed, {"seed": seed, "width": width, "steps": 5}, "abc") as run:
        for step in range(steps):
            run.log(step, loss=math.nan if step == gap else 1 / (step + width + seed), accuracy=step / steps)
        run.end("finished", {"test_accuracy": 0.9 + width / 1000 + seed / 1000})
    return run


def drawn(page):
    """How many pixels of the first chart are not its ground: whether anything is drawn."""
    return page.locator(".plot canvas").first.evaluate(
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((n, v, i) => n + (i % 4 === 3 && v > 200), 0)"
    )


def test_curves_lie_over_the_table_and_what_is_chosen_is_drawn_read_and_compared(desk, kept, page):
    for width in (4, 64):
        for seed in range(3):
            finished(kept, seed, width, gap=7 if seed == 0 else None)
    desk.enter(page, "/runs")
    legend = page.locator(".plot-legend li")
    expect(legend).to_have_count(4)
    expect(legend.first).to_contain_text("two-moons-6")
    assert drawn(page) > 500
    expect(page.locator(".plot-words")).to_contain_text("two-moons-4 is not a number at step 7")
    page.locator(".plot").focus()
    page.keyboard.press("End")
    expect(page.locator(".plot-at")).to_have_text("step 39")
    expect(legend.first.locator("output")).to_have_text("0.0095238")  # 1 / 105
    page.keyboard.press("Home")
    expect(legend.first.locator("output")).to_have_text("0.015152")  # 1 / 66
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(legend).to_have_count(3)
    expect(page).to_have_url(re.compile(r"run=6&run=4&run=3"))
    page.select_option("#metric", "accuracy")
    expect(page.locator(".plot-head b")).to_have_text("accuracy")
    page.get_by_text("as a table").click()
    expect(page.locator(".twin thead th")).to_have_text(["step", "two-moons-6", "two-moons-4", "two-moons-3"])
    expect(page.locator(".twin tbody tr").last.locator("td").first).to_have_text("0.975")
    page.get_by_role("link", name="seed").click()
    expect(page.locator("th[aria-sort]")).to_have_text("seed ↓")
    expect(page.locator("input[name=run]:checked")).to_have_count(3)
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/runs/compare"))
    expect(page.locator(".says").first).to_contain_text("test_accuracy is")
    expect(page.locator(".plot")).to_have_count(2)


def test_smoothing_and_powers_of_ten_stay_in_the_address(desk, kept, page):
    finished(kept, 0, 4)
    desk.enter(page, "/runs?smooth=0.9&logy")
    expect(page.locator("#smooth-value")).to_have_text("0.9")
    expect(page.locator(".plot-legend output")).to_contain_text("smoothed")
    page.select_option("#metric", "accuracy")
    expect(page.locator(".plot-words")).to_contain_text("1 value is zero or less, which no power of ten is")
    page.check("#log-x")
    expect(page).to_have_url(re.compile("metric=accuracy&smooth=0.9&logx=&logy="))
    expect(page.locator(".plot-words")).to_have_text("step 0 has no place among powers of ten.")
    assert drawn(page) > 200


def test_a_curve_grows_while_the_run_goes_on_and_the_page_says_how_it_ended(desk, kept, page):
    run = kept.begin("two-moons", 0, {"seed": 0, "width": 4}, "abc")
    desk.enter(page, f"/runs/{run.id}")
    expect(page.get_by_text("Nothing has been logged yet.")).to_be_visible()
    for first in range(0, 3000, 500):
        for step in range(first, first + 500):
            run.log(step, loss=float(step))
        run.write()
        expect(page.locator(".plot-legend output").first).to_have_text(f"{first + 499:,}")
    run.log(3000, other=1.0)
    run.write()
    expect(page.locator(".plot")).to_have_count(2)
    run.end("interrupted", {"test_accuracy": math.nan})
    expect(page.locator(".standing")).to_contain_text("interrupted")
    expect(page.locator(".results")).to_contain_text("not a number")
    again = kept.reopen(run.name, "abc")
    again.resumed_at(1000)
    again.log(1001, loss=-1.0)
    again.write()
    expect(page.locator(".plot-legend output").first).to_have_text("-1")
    page.locator(".plot").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".plot-at").first).to_have_text("step 1,001")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".plot-at").first).to_have_text("step 1,000")
    expect(page.locator(".plot-legend output").first).to_have_text("1,000")
    again.end("finished")


def test_a_new_run_appears_in_the_list_by_itself(desk, kept, page):
    finished(kept, 0, 4)
    desk.enter(page, "/runs")
    expect(page.locator("tbody tr[data-run]")).to_have_count(1)
    run = kept.begin("two-moons", 1, {"seed": 1, "width": 4, "steps": 5}, "abc")
    expect(page.locator("tr[data-status=running]")).to_have_count(1)
    expect(page.locator(".plot-legend li")).to_have_count(2)
    run.log(0, loss=3.0)
    run.write()
    expect(page.locator(".plot-legend output").first).to_have_text("3")
    run.end("finished")
    expect(page.locator("tr[data-status=running]")).to_have_count(0)


def test_a_recipe_is_started_from_its_form_and_a_refusal_stays_on_it(desk, page, complaints):
    complaints.allow("409")
    desk.enter(page, "/recipes/two-moons")
    expect(page.locator("#start")).to_be_visible(timeout=LONG)
    page.fill("[name=width]", "wide")
    expect(page.locator("#command")).to_have_text("groundup run two-moons --set width=wide")
    page.click("text=Start")
    expect(page.locator("#start-said")).to_contain_text("width is of type int", timeout=LONG)
    page.fill("[name=width]", "8")
    page.fill("[name=seed]", "3")
    page.click("text=Start")
    page.wait_for_url("**/runs/1", timeout=LONG)
    expect(page.locator(".standing")).to_contain_text("finished", timeout=LONG)
    expect(page.locator(".settings .other").first).to_contain_text("the recipe has")
    expect(page.locator("#output pre")).to_contain_text("test_accuracy")
    expect(page.locator("#files")).to_contain_text("model.npz")


def test_every_page_can_be_used_by_everybody(desk, kept, page):
    for seed in range(2):
        for width in (4, 8):
            finished(kept, seed, width)
    desk.enter(page, "/claims")
    expect(page.locator(".claims")).to_be_visible(timeout=LONG)
    for path, ready in [
        ("/claims", ".claims"),
        ("/runs", ".plot canvas"),
        ("/runs/1", ".plot canvas"),
        ("/runs/compare?run=1&run=2&run=3&run=4", ".plot canvas"),
        ("/recipes", ".recipes"),
        ("/recipes/two-moons", "#start"),
    ]:
        page.goto(desk.url.rstrip("/") + path)
        expect(page.locator(ready).first).to_be_visible()
        accessible(page)
        fits(page)


def test_curves_take_the_colours_of_the_theme(desk, kept, page):
    finished(kept, 0, 4)
    page.emulate_media(color_scheme="light")
    desk.enter(page, "/runs")
    expect(page.locator(".plot canvas")).to_be_visible()

    def darkest():
        return page.locator(".plot canvas").evaluate(
            "(c) => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let m = 255;"
            " for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 250 && d[i + 2] > d[i] + 40) m = Math.min(m, d[i + 2]); return m }"
        )

    light = darkest()
    page.get_by_label("change between light and dark").click()
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    page.wait_for_timeout(100)
    assert darkest() != light
