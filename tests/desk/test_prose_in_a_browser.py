"""A lesson's page as a browser has it: figures come by themselves in the page's ink, and nothing is wider than the page."""

import pytest
from playwright.sync_api import expect

from .browser import accessible, fits
from .running_desk import Desk

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

LIGHT, DARK = "rgb(31, 35, 40)", "rgb(232, 228, 218)"

COUNTING = """
window.asked = window.open_ = window.most = 0;
document.addEventListener("htmx:beforeSend", () => { window.asked++; window.most = Math.max(window.most, ++window.open_); });
document.addEventListener("htmx:afterRequest", () => { window.open_--; });
"""


def colour(page):
    return page.evaluate("getComputedStyle(document.querySelector('.plate')).color")


@pytest.fixture
def new_machine(tmp_path):
    """A desk where no figure has been drawn before."""
    made = Desk(tmp_path)
    made.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    made.start()
    yield made
    made.close()


def test_figures_come_by_themselves_one_after_the_other_and_follow_the_theme(new_machine, page):
    page.add_init_script(COUNTING)
    new_machine.enter(page, "/lesson/2.2")
    expect(page.locator("figure .plate")).to_have_count(3, timeout=120_000)
    assert page.locator(".undrawn").count() == 0
    assert page.evaluate("[window.asked, window.most]") == [3, 1]
    assert colour(page) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert colour(page) == DARK
    page.emulate_media(color_scheme="light")
    page.reload()  # drawn by now: the page brings them
    expect(page.locator("figure .plate")).to_have_count(3)
    assert page.evaluate("window.asked") == 0


@pytest.mark.parametrize("section", ["1.1", "2.12"])
def test_wide_code_tables_formulas_and_figures_scroll_by_themselves(shared_desk, page, section):
    page.set_viewport_size({"width": 320, "height": 640})
    shared_desk.enter(page, f"/lesson/{section}")
    expect(page.locator(".undrawn")).to_have_count(0, timeout=120_000)
    expect(page.locator(".math:not([data-set])")).to_have_count(0)
    fits(page)
    accessible(page)


def test_the_page_can_be_read_without_a_script(shared_desk, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    shared_desk.enter(page, "/lesson/1.3")
    assert page.locator("math").count() > 50 and page.locator("math").first.is_visible()
    assert page.locator("[data-run]").first.is_hidden()
    for image in page.locator("figure noscript img, figure .plate").all():
        expect(image).to_be_visible(timeout=120_000)
    context.close()


def test_a_link_to_a_heading_goes_there(shared_desk, page):
    shared_desk.enter(page, "/lesson/1.3#part-exercises")
    expect(page.locator("#part-exercises")).to_be_in_viewport()
