"""The pages of the shelf and the guide: for everyone, in both themes, on a telephone; links that lead away say so; forms that answer."""

import re

import pytest
from playwright.sync_api import expect

from groundup.course.guide.pages import NAMES
from groundup.course.shelf.shelf import asked_of, find, shelf

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

SAID = "It drops units at random. Error falls on <b id=hit>five</b> data sets. I would test it with batch norm."
AWAY = re.compile(r'<a\b[^>]*href="https?://[^>]*>')


def test_what_a_phase_asks_for_and_an_entry_in_the_log(desk, page, complaints):
    complaints.allow("status of 400")  # an entry that is too short
    desk.enter(page, "/shelf")
    expect(page.locator("h1")).to_have_text("Shelf")
    expect(page.locator(".rhythm")).to_contain_text("No papers yet")
    expect(page.locator("#kind-papers")).to_have_count(0)
    expect(page.locator(".items > li.must")).to_have_count(len(asked_of(1)))
    fits(page)
    accessible(page)

    page.locator("select[name=phase]").select_option("4")
    page.locator("select[name=kind]").select_option("papers")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=find("dropout").title).click()
    expect(page.locator("h1")).to_have_text(find("dropout").title)
    fits(page)
    page.get_by_role("button", name="Make the note").click()
    expect(page.locator("code", has_text="notes/shelf/dropout.md")).to_be_visible()
    page.locator("#says").fill("Too short.")
    page.get_by_role("button", name="Add to the log").click()
    expect(page.locator("#say-said")).to_contain_text("three to five sentences")
    page.locator("#says").fill(SAID)
    page.get_by_role("button", name="Add to the log").click()
    expect(page.locator(".own")).to_have_text(SAID)
    assert not page.locator("#hit").count()
    accessible(page)
    page.goto(desk.url.rstrip("/") + "/shelf?phase=4")
    expect(page.locator(".items > li.read .state")).to_have_text("read")
    assert (desk.root / "notes" / "shelf" / "dropout.md").read_text().count(SAID) == 1


def test_the_calculator_answers_and_says_what_it_cannot(shared_desk, page):
    shared_desk.enter(page, "/guide/compute")
    page.get_by_label("tokens", exact=True).fill("2.5e9")
    page.locator("select[name=device]").select_option("h100")
    page.get_by_role("button", name="Reckon").click()
    expect(page.locator(".answer .about").first).to_contain_text("124 M")
    expect(page.locator(".answer h3").first).to_contain_text("it fits")
    expect(page.get_by_role("region", name="where it fits").locator("tbody tr").first).to_contain_text("NVIDIA T4")
    expect(page.get_by_label("tokens", exact=True)).to_have_value("2.5e9")
    fits(page)
    accessible(page)
    page.get_by_label("layers").fill("twelve")
    page.get_by_role("button", name="Reckon").click()
    expect(page.get_by_role("alert")).to_contain_text("Layers is a whole number")


@pytest.mark.parametrize("path", ["/guide", *(f"/guide/{name}" for name in NAMES if name != "compute")])
def test_the_pages_of_the_guide_are_for_everyone(shared_desk, page, path):
    shared_desk.enter(page, path)
    expect(page.locator("h1")).to_have_count(1)
    fits(page)
    accessible(page, colours=path == "/guide/communities")


def test_links_that_lead_away_carry_nothing_and_every_page_answers(shared_desk):
    with shared_desk.client() as known:
        paths = [f"/shelf/{item.key}" for item in shelf()[::9]] + [f"/guide/{name}" for name in NAMES]
        for path in [*paths, "/shelf?all=1&phase=", "/shelf?lesson=7.2", "/shelf?importance=must&phase=14"]:
            answer = known.get(path)
            assert answer.status_code == 200, path
            assert not re.search(r"<[^>]+\sstyle=", answer.text), path
            for link in AWAY.findall(answer.text):
                assert 'rel="noreferrer noopener"' in link and 'target="_blank"' in link, link
        bib = known.get("/shelf/groundup.bib?phase=7&kind=papers")
        assert bib.text.count("@") and "attachment" in bib.headers["content-disposition"] and "{gpt2," in bib.text
        for path in (
            "/shelf?phase=15",
            "/shelf?phase=²",
            "/shelf?kind=films",
            "/shelf?lesson=x",
            "/shelf?importance=x",
        ):
            assert known.get(path).status_code == 400, path
        for path in ("/shelf/nothing", "/shelf/..%2f..%2fx", "/guide/nothing", "/guide/pages.py"):
            assert known.get(path).status_code == 404, path
        for query in (
            "layers=%00",
            "parameters=1e999",
            "parameters=nan",
            "layers=1e9&width=1e9",
            "device=%3Cb%3E&parameters=1e9",
        ):
            answer = known.get(f"/guide/compute?{query}")
            assert answer.status_code == 200 and 'role="alert"' in answer.text and "<b>" not in answer.text, query
        for body in ({}, {"says": 3}, {"says": "Short."}, {"says": "x. " * 20_000}):
            refused = known.post("/shelf/adam", json=body)
            assert refused.status_code == 400 and refused.json()["error"], body
        assert known.post("/shelf/nothing", json={"begin": True}).status_code == 404
