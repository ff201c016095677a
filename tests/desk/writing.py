"""What a learner does on a lesson's page: write in the editor, save, read the verdict."""

import re
import time

from playwright.sync_api import expect

PASTE = """(text) => {
  const content = document.querySelector("#editor .cm-content");
  const data = new DataTransfer();
  data.setData("text/plain", text);
  content.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""

READ = """async () => {
  const module = [...document.scripts].find((each) => each.src.endsWith("/lesson.js")).src.replace("lesson.js", "vendor/codemirror.js");
  const { EditorView } = await import(module);
  return EditorView.findFromDOM(document.querySelector("#editor .cm-content")).state.sliceDoc();
}"""


def until(true, seconds=30):
    """Waits until something is true, and fails if that takes too long."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.01)


def holds(page, part):
    """Waits until the editor's text has a part; what is scrolled out of sight is not in the page."""
    expect(page.locator("#editor .cm-content")).to_be_visible()
    until(lambda: part in page.evaluate(READ))


def write(page, text, save=True):
    """Replaces what stands in the editor, as one paste; saves it unless told otherwise."""
    page.locator("#editor .cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.evaluate(PASTE, text)
    if save:
        page.keyboard.press("ControlOrMeta+s")


def mistake(page):
    """The name of the mistake in the verdict, waited for."""
    return page.locator("#points .verdict h3")


def passed(page, count=None):
    """Waits until every checkpoint has passed."""
    expect(page.locator("#points .point.pass").first).to_be_visible()
    expect(page.locator("#points .point:not(.pass)")).to_have_count(0)
    if count is not None:
        expect(page.locator("#points .point.pass")).to_have_count(count)


def saved(page):
    expect(page.locator("#saved")).to_have_text(re.compile("saved|as on the disk"))
    expect(page.locator("#saved")).not_to_have_text(re.compile("not|saving"))
