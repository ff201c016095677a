"""The pages of phases 3 and 7 in a real browser: for everybody, as one types, and before torch is there."""

import pytest

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

SAYS = "#picture figcaption"
LONG = 60_000  # ms: torch is imported first, on a machine that has other things to do
PAGES = ("convolution", "first-weights", "optimisers", "through-time", "byte-pairs", "attention", "sampling")


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_networks_and_language_models_are_for_everybody(shared_desk, page, name):
    shared_desk.enter(page, f"/explore/{name}")
    page.locator(SAYS).wait_for(timeout=LONG)
    page.get_by_text("as a table").click()
    accessible(page)
    fits(page)


def test_a_text_is_cut_as_one_types_and_stays_a_text(shared_desk, page):
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    shared_desk.enter(page, "/explore/byte-pairs?merges=0")
    typed = '<img src=x onerror="alert(1)"> \U0001f600'
    page.get_by_label("text", exact=True).fill("")
    page.wait_for_function("at => document.querySelector(at)?.innerText === 'A text of 0 bytes.'", arg=SAYS)
    page.get_by_label("text", exact=True).press_sequentially(typed)
    page.wait_for_function("at => document.querySelector(at)?.innerText.startsWith('0 merges make')", arg=SAYS)
    page.wait_for_function("() => document.querySelectorAll('.tokens .token').length === 35")
    assert page.locator(".tokens").inner_text().replace("\n", "").startswith("<img␣src=x␣onerror=")
    assert page.locator("#picture img").count() == 0


def test_a_step_moves_the_window(shared_desk, page):
    shared_desk.enter(page, "/explore/convolution?stride=2&window=1")
    step = page.get_by_role("slider", name="window")
    assert step.get_attribute("max") == "36"
    step.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("at => document.querySelector(at).innerText.startsWith('Window 2 of 36')", arg=SAYS)


def test_a_page_that_needs_torch_is_there_before_it(desk, page):
    desk.enter(page, "/explore/sampling?top_k=3")
    assert page.get_by_role("slider", name="temperature").is_visible()
    page.locator(SAYS).wait_for(timeout=LONG)
    assert " 3 stay" in page.locator(SAYS).inner_text()
    assert "`groundup run shakespeare-char` trains one" in page.locator(SAYS).inner_text()
    with desk.client() as client:  # from now on the picture is in the page
        assert "The picture comes when" not in client.get("/explore/sampling?top_k=3").text
        assert " 3 stay" in client.get("/explore/sampling?top_k=3").text
