"""A desk over a fresh workspace, and a page of a real browser that fails its test when anything in it complains."""

import pytest

from .browser import Complaints, launch
from .running_desk import Desk

PATIENCE = 20_000  # milliseconds that a page may take on a machine where others are at work


@pytest.fixture
def desk(tmp_path):
    """A desk of this test's own."""
    made = Desk(tmp_path)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory):
    """A desk for all tests of a file: for those that change nothing."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium():
    """One browser for the tests of a file.

    Not for the whole session: as long as Playwright runs, asyncio.run cannot in the same thread, and other tests need it.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    """A browser without cookies or history; its `complaints` are looked at when the test is over."""
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(PATIENCE)
    made.complaints = Complaints(made)
    yield made
    made.close()
    found = made.complaints.found()
    assert not found, "the browser complained:\n" + "\n".join(found)


@pytest.fixture
def complaints(context):
    """To allow what a test provokes: complaints.allow("409")."""
    return context.complaints


@pytest.fixture
def page(context):
    """A page: `desk.enter(page, "/lesson/1.3")`."""
    return context.new_page()
