"""The portfolio in a real browser, from its folder: nothing that axe finds, nothing too wide; and the desk's page about it."""

import re

import pytest
from playwright.sync_api import expect

from groundup.course.lessons.lesson import find
from groundup.course.workspace.workspace import find_workspace
from groundup.desk.portfolio import building

from . import simulated
from .browser import accessible, fits
from .simulated import BERLIN
from .test_every_page import HOSTILE, SMUGGLED

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site of a year, with a package, and one post that means harm."""
    root, lessons = simulated.year(tmp_path_factory.mktemp("year"), 30)
    simulated.post(
        root,
        "harm",
        f"---\ntitle: {HOSTILE}\ndate: 2026-02-02\n---\n{SMUGGLED}\n\n#### deep\n\n$$x^2$$\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    )
    simulated.entry(root, "2026-02-03", f"# {HOSTILE}\n\npublic: yes\n\n{SMUGGLED}\n")
    simulated.run(
        root,
        HOSTILE,
        metrics={HOSTILE: [3.0, 2.0]},
        files={"sample.txt": b"ROMEO: ay me\n" * 40},
        result={HOSTILE: 1.0},
    )
    (root / "tests").mkdir()
    (root / "tests" / "test_value.py").write_text(
        "from mine.grad.value import Value\n\n\ndef test_it():\n    a = Value(2.0)\n    (a * a + a).backward()\n    assert a.grad == 5\n"
    )
    workspace = find_workspace(root)
    made = building.make(
        workspace, building.Asked(package=True), BERLIN, [each for each in lessons if each.section_id != "1.0"]
    )
    where = building.folder_of(workspace, None)
    building.write(workspace, where, made.files)
    return where


@pytest.fixture
def site(folder, page, complaints):
    """Goes to a page of it."""
    complaints.allow("request: beyond this machine, file://")
    complaints.allow(
        r"XMLHttpRequest at 'file:.*style/|net::ERR_FAILED"
    )  # axe, which would read the style sheets itself

    def go(name):
        page.goto((folder / name).as_uri())
        return page

    return go


def kinds(folder):
    """One page of each kind, by its path."""
    found = {"index.html", "log.html", "package.html", "lessons/1.3.html", "posts/harm.html", "studies/two-moons.html"}
    runs = sorted(path.relative_to(folder).as_posix() for path in (folder / "runs").iterdir())
    return sorted(found | {runs[0], runs[-1]})


def test_a_page_of_each_kind_is_accessible_in_both_themes(folder, site):
    for name in kinds(folder):
        accessible(site(name))


def test_the_other_pages_are_accessible_too(folder, site):
    for path in sorted(folder.rglob("*.html"))[::4]:
        accessible(site(path.relative_to(folder)), colours=False)


def test_a_page_of_each_kind_fits_a_telephone(folder, site):
    for name in kinds(folder):
        fits(site(name))


def test_it_reads_from_the_folder_with_its_styles_and_without_scripts(folder, site):
    page = site("index.html")
    assert (
        page.locator("script").count() == 0
        and page.evaluate("document.fonts.ready.then(() => document.fonts.size)") > 0
    )
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.brick.built')).backgroundColor") != "rgba(0, 0, 0, 0)"
    )
    page.get_by_role("link", name="1.3 A scalar autograd engine").last.click()
    expect(page).to_have_url(re.compile(r"lessons/1\.3\.html$"))
    expect(page.get_by_role("region", name="grad/value.py")).to_contain_text("class Value")
    page.get_by_role("link", name="Studies").click()
    page.get_by_role("heading", level=3).get_by_role("link").first.click()


def test_nothing_hostile_comes_to_life(folder, site):
    for name in kinds(folder):
        page = site(name)
        assert page.title() != "1" and page.locator("#hit, iframe, form, script").count() == 0, name


def test_the_desk_builds_it(desk, page):
    simulated.passed(desk.root, [find("1.2"), find("1.3")])
    simulated.post(desk.root, "harm", f"# {HOSTILE}\n{SMUGGLED}\n")
    desk.enter(page, "/portfolio")
    expect(page.get_by_role("main")).to_contain_text("1.3 A scalar autograd engine")
    assert not (desk.root / "portfolio").exists() and not (desk.root / "portfolio.toml").exists(), (
        "looking writes nothing"
    )
    page.get_by_role("button", name="Build the site").click()
    expect(page.locator("#built")).to_contain_text(str(desk.root / "portfolio" / "index.html"))
    assert (desk.root / "portfolio" / "lessons" / "1.3.html").is_file() and (desk.root / "portfolio.toml").is_file()
    accessible(page)
    fits(page)
    assert page.locator("#hit").count() == 0
