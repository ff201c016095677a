"""A real browser that complains: of anything in its console, of a breach of the policy, of a word to another machine."""

import os
import re
import shutil
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THEMES = ("light", "dark")
VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.effectiveDirective} refuses ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
});
"""


def find_chromium() -> str:
    """Where Chromium is. Fails with what to do if there is none: the desk is not tested without a browser."""
    given = os.environ.get("GROUNDUP_CHROMIUM")
    found = given or next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, "The desk's tests need Chromium: `make system` installs it, or GROUNDUP_CHROMIUM says where it is."
    return found


def launch(playwright):
    """A browser of Playwright's over the Chromium of this machine."""
    root = hasattr(os, "getuid") and os.getuid() == 0
    return playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"] if root else []
    )


class Complaints:
    """What a browser's pages have complained of. A test that provokes a complaint allows it, by a part of its text."""

    def __init__(self, context):
        self._found: list[str] = []
        self._allowed: list[str] = []
        context.add_init_script(VIOLATIONS)
        context.on("console", lambda said: self._add("console", said.text) if said.type == "error" else None)
        context.on("weberror", lambda problem: self._add("script", str(problem.error)))
        context.on("request", self._requested)
        context.on(
            "response",
            lambda answer: self._add("server", f"{answer.status} {answer.url}") if answer.status >= 500 else None,
        )

    def allow(self, pattern: str) -> None:
        """Complaints that match are not complained of."""
        self._allowed.append(pattern)

    def found(self) -> list[str]:
        """Those that nobody has allowed."""
        return [each for each in self._found if not any(re.search(pattern, each) for pattern in self._allowed)]

    def _add(self, kind, text):
        self._found.append(f"{kind}: {text}")

    def _requested(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in ("127.0.0.1", "localhost"):
            self._add("request", f"beyond this machine, {request.url}")


def accessible(page, colours=True) -> None:
    """Asserts that axe finds nothing to complain of, in both themes.

    colours: whether contrast is looked at, which takes most of the time and of which one page of a kind tells all.
    """
    problems = []
    options = {
        "runOnly": {"type": "tag", "values": RULES},
        "resultTypes": ["violations"],
        "rules": {} if colours else {"color-contrast": {"enabled": False}},
    }
    for theme in THEMES if colours else THEMES[:1]:
        page.emulate_media(color_scheme=theme)
        found = Axe().run(page, options=options)
        for violation in found.response["violations"]:
            for node in violation["nodes"]:
                if violation["id"] == "scrollable-region-focusable" and 'class="cm-scroller"' in node["html"]:
                    continue  # the text in it has the focus and takes the keys; axe does not know of contenteditable
                problems.append(f"{theme}: {violation['id']}: {node['html'][:200]}\n    {node['failureSummary']}")
    page.emulate_media(color_scheme="light")
    assert not problems, f"{page.url}\n" + "\n".join(problems)


def fits(page, width=320) -> None:
    """Asserts that a page this narrow need not be scrolled sideways."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 640})
    try:
        wide = page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
              .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
              .map((each) => each.outerHTML.slice(0, 120)).slice(0, 8).concat([`${document.documentElement.scrollWidth} wide`])"""
        )
    finally:
        page.set_viewport_size(before)
    assert not wide, f"{page.url} is wider than {width}: " + "\n".join(wide)
