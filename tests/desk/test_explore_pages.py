"""The pages of explorables: what an address shows, and how they move under a hand in a real browser."""

import re

import pytest

from groundup.course.holes.library import reference_text
from groundup.desk.explore import find_all

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

SAYS = "#picture figcaption"


def test_the_list_names_every_explorable_below_its_lesson(shared_desk):
    with shared_desk.client() as client:
        page = client.get("/explore").text
    for name, explorable in find_all().items():
        assert f'href="/explore/{name}"' in page and f'href="/lesson/{explorable.lesson}"' in page


def test_an_address_shows_a_state(shared_desk):
    with shared_desk.client() as client:
        page = client.get("/explore/ravine?rate=0.01&momentum=0.5&step=7")
        assert page.status_code == 200 and "Step 7:" in page.text and 'value="0.5"' in page.text
        assert "beyond rate 0.03 it climbs" in page.text  # 2 (1 + 0.5) / 100
        part = client.get("/explore/ravine/picture?rate=0.01&momentum=0.5&step=7")
        assert part.status_code == 200 and "<html" not in part.text and "Step 7:" in part.text
        assert "Step 100:" in client.get("/explore/ravine/picture?step=100000").text


@pytest.mark.parametrize("query", ["rate=fast", "step=1.5", "step=" + "9" * 5000, "momentum=nan", "rate=%3Cscript%3E"])
def test_a_bad_value_is_one_sentence_and_the_page_is_still_there(shared_desk, query):
    with shared_desk.client() as client:
        for path in ("/explore/ravine", "/explore/ravine/picture"):
            answer = client.get(f"{path}?{query}")
            told = re.search(r'<p class="trouble" role="status">([^<]+)</p>', answer.text)
            if answer.status_code == 200:  # a number beyond the range
                assert query.startswith("step=9")
                continue
            assert answer.status_code == 400 and told and "number from" in told[1]
            assert "<script>" not in told[1]


def test_a_text_that_cannot_be_read_stays_to_be_mended(shared_desk):
    with shared_desk.client() as client:
        page = client.get("/explore/backward", params={"expression": 'a * "<b>'})
        assert page.status_code == 400 and "is not understood" in page.text
        assert 'value="a * &#34;&lt;b&gt;"' in page.text


def test_what_is_not_there_is_said(shared_desk):
    with shared_desk.client() as client:
        for path in ("/explore/nothing", "/explore/nothing/picture", "/explore/__init__"):
            answer = client.get(path)
            assert answer.status_code == 404 and "no such explorable" in answer.text


def test_no_address_names_the_learners_file_before_there_is_one(desk):
    with desk.client() as client:
        assert "computed by the reference" in client.get("/explore/k-means?on=mine").text
        text = reference_text("classic.cluster")
        desk.write("classic/cluster.py", text.replace("def lloyd", "1 / 0\n\n\ndef lloyd", 1))
        page = client.get("/explore/k-means?on=mine").text
        assert "mine/classic/cluster.py, line" in page and "ZeroDivisionError" in page
        desk.write("classic/cluster.py", text)
        assert "computed by yours" in client.get("/explore/k-means?on=mine").text
        assert "computed by the reference" in client.get("/explore/k-means").text


# ---------------------------------------------------------------------------------------------------- in a real browser


def says(page):
    return page.locator(SAYS).inner_text()


def wait_for_other(page, before):
    page.wait_for_function("([at, text]) => document.querySelector(at)?.innerText !== text", arg=[SAYS, before])


def test_a_slider_moves_the_picture_and_the_address(shared_desk, page):
    shared_desk.enter(page, "/explore/ravine")
    first = says(page)
    momentum = page.get_by_role("slider", name="momentum")
    momentum.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => document.querySelector('#picture figcaption').innerText.includes('beyond rate 0.022')"
    )
    assert says(page) != first and page.locator("output").nth(1).inner_text() == "0.12"
    page.wait_for_url("**/explore/ravine?*momentum=0.12*")
    page.wait_for_function("() => document.getElementById('said').textContent.includes('beyond rate 0.022')")
    page.reload()  # the address is the state
    assert "beyond rate 0.022" in says(page)


def test_a_slider_of_powers_says_its_value(shared_desk, page):
    shared_desk.enter(page, "/explore/ravine")
    rate = page.get_by_role("slider", name="rate")
    first = says(page)
    rate.focus()
    page.keyboard.press("End")
    wait_for_other(page, first)
    assert rate.get_attribute("aria-valuetext") == "1" and "is beyond" in says(page)
    page.wait_for_url("**rate=1&**")


def test_of_many_moves_the_newest_stays(shared_desk, page):
    shared_desk.enter(page, "/explore/ravine")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/picture?" in request.url else None)
    step = page.get_by_role("slider", name="step")
    page.evaluate(
        """() => { const step = document.querySelector('input[name=step]');
          for (let i = 0; i <= 60; i++) { step.value = i; step.dispatchEvent(new Event('input', { bubbles: true })); } }"""
    )
    page.wait_for_function("() => document.querySelector('#picture figcaption').innerText.startsWith('Step 60:')")
    assert step.input_value() == "60" and len(asked) == 1  # all of them within one debounce


def test_play_steps_to_the_end_and_stops_there(shared_desk, page):
    shared_desk.enter(page, "/explore/backward")
    play = page.get_by_role("button", name="play")
    play.click()
    page.get_by_role("button", name="stop").wait_for()
    page.wait_for_function("() => document.querySelector('#picture figcaption').innerText.startsWith('Payment 3 of 3')")
    page.get_by_role("button", name="play").wait_for()
    assert (
        page.locator("input[name=step]").input_value() == "3" == page.locator("input[name=step]").get_attribute("max")
    )


def test_with_reduced_motion_play_is_one_step(shared_desk, page):
    page.emulate_media(reduced_motion="reduce")
    shared_desk.enter(page, "/explore/backward")
    page.get_by_role("button", name="next step").click()
    page.wait_for_function("() => document.querySelector('#picture figcaption').innerText.startsWith('Payment 1 of 3')")
    page.get_by_role("button", name="next step").wait_for()


def test_a_text_that_cannot_be_read_is_said_and_mended(shared_desk, page, complaints):
    complaints.allow("400")
    shared_desk.enter(page, "/explore/backward")
    expression = page.get_by_label("expression")
    expression.fill("a * <b>")
    page.locator("#picture .trouble").wait_for()
    assert "is not understood" in page.locator("#picture .trouble").inner_text()
    expression.fill("a * b")
    page.locator(SAYS).wait_for()
    assert "the result is −4" in says(page)


def test_without_script_the_form_asks(shared_desk, chromium):
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        shared_desk.enter(page, "/explore/k-means")
        assert not page.locator(".play").is_visible()
        page.get_by_role("radio", name="k-means++").check()
        page.get_by_role("button", name="show").click()
        assert "start=k-means%2B%2B" in page.url and page.locator("input[value='k-means++']").is_checked()
        assert "Half-step 2 of" in says(page)
        page.goto(page.url.split("?")[0].replace("k-means", "ravine") + "?rate.at=100")
        assert "is beyond" in says(page)
    finally:
        context.close()


@pytest.mark.parametrize(
    "path", ["/explore", "/explore/backward", "/explore/k-means", "/explore/tree", "/explore/eigenfaces"]
)
def test_the_pages_are_for_everybody(shared_desk, page, path):
    shared_desk.enter(page, path)
    if path != "/explore":
        page.get_by_text("as a table").click()
    accessible(page)
    fits(page)
