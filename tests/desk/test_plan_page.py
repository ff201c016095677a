"""The page of the plan: the year as a wall, its table, what can be decided there; for everyone, in both themes."""

import re
from datetime import timedelta

import icalendar
import pytest
from playwright.sync_api import expect

from groundup.course.plan.days import here
from groundup.course.plan.making import plan_of
from groundup.course.progress.store import Store
from groundup.course.workspace.workspace import find_workspace

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these


def some_weeks(desk, weeks=5):
    """As if the workspace had been begun some weeks ago, two hours a week: an event before all others cannot be added, so the store is new."""
    path = desk.root / ".groundup" / "progress.db"
    for each in path.parent.glob("progress.db*"):
        each.unlink()
    at = (here() - timedelta(weeks=weeks)).timestamp()
    with Store(path, clock=lambda: at) as store:
        store.append("started", track="everything", hours_per_week=10)
        for _ in range(weeks - 1):
            at += 7 * 86400
            store.append("opened", "1.0")
            for _ in range(8):
                at += 900
                failing = {'"><b id=hit>': {"verdict": "wrong-value"}}
                store.append("checked", "1.0", passed=False, checkpoints=failing)


def test_the_year_is_a_wall_by_weeks(desk, page):
    some_weeks(desk)
    plan = plan_of(desk.workspace, here())
    desk.enter(page, "/plan")
    expect(page.locator("h1")).to_have_text(re.compile(rf"Week {plan.week.number} of \d+"))
    expect(page.locator(".end")).to_have_text(plan.ends.says)
    assert "The end has moved from" in plan.ends.says
    expect(page.locator(".year .wall .brick")).to_have_count(len(plan.weeks))
    expect(page.locator(".year .wall .brick.now .said")).to_contain_text("this week")
    expect(page.locator(".year .wall .brick.built")).to_have_count(4)
    assert page.locator(".year .wall .brick.later").count() and page.locator(".year .wall .brick.review").count() == 4
    expect(page.locator(".sittings > li")).to_have_count(len(plan.week.sittings))
    expect(page.locator("svg.share")).to_have_attribute("aria-label", re.compile(r"building \d+ %, reading \d+ %"))
    expect(page.locator(".advice").first).to_contain_text('You were at “"><b id=hit>” in 1.0')
    assert not page.locator("#hit").count()
    page.locator("summary", has_text="as a table").click()
    expect(page.locator(".twin tbody tr")).to_have_count(len(plan.weeks))
    fits(page)
    accessible(page)

    page.locator(".year .wall .brick.ready").first.click()
    expect(page.locator("#week-title")).to_contain_text(f"Week {plan.week.number + 1}")
    expect(page.locator(".sittings > li").first).to_be_visible()


def test_what_is_decided_on_the_page_is_planned(desk, page, complaints):
    complaints.allow("status of 400")  # the days in the wrong order, at the end
    desk.enter(page, "/plan")
    page.get_by_role("button", name="cloud credits: done").click()
    expect(page.get_by_role("button", name="cloud credits: not done after all")).to_be_visible()
    page.get_by_label("hours a week").fill("25")
    page.get_by_label("from").fill("2031-12-24")
    page.get_by_role("button", name="Plan again").click()
    expect(page.locator(".plan-head p").first).to_contain_text("25 h a week, full days")
    expect(page.locator(".off")).to_contain_text("24 Dec 2031")
    assert find_workspace(desk.root).config.hours_per_week == 25
    page.get_by_role("button", name="take back the days off").click()
    expect(page.locator(".off")).to_have_count(0)
    page.get_by_label("from").fill("2032-01-02")
    page.get_by_label("to", exact=True).fill("2031-01-02")
    page.get_by_role("button", name="Plan again").click()
    expect(page.locator("#change-said")).to_contain_text("the last day comes after the first")


def test_the_calendar_is_a_file_and_bad_decisions_are_refused(desk):
    with desk.client() as known:
        answer = known.get("/plan/groundup.ics")
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        sittings = [
            each for each in icalendar.Calendar.from_ical(answer.content).walk("VEVENT") if "CATEGORIES" in each
        ]
        assert len(sittings) == len(plan_of(desk.workspace, here()).sittings)
        for body in ({"hours": "8"}, {"hours": 0}, {"shape": "x"}, {"off": "x"}, {"off": ["x"]}, {"done": "x"}):
            refused = known.post("/plan", json=body)
            assert refused.status_code == 400 and refused.json()["error"], body
        assert known.get("/plan?week=0").status_code == known.get("/plan?week=²").status_code == 200
    with desk.workspace.store(readonly=True) as store:
        assert not store.events(kind="planned")
