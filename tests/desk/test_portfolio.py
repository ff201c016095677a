"""The portfolio as a site: what is in it, that its HTML is sound, that it is the same each time, and what it leaves alone."""

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from xml.etree import ElementTree

import pytest

from groundup.course.lessons.lesson import find, find_all
from groundup.course.log.writing import template
from groundup.course.workspace.workspace import WorkspaceError, find_workspace, make_workspace
from groundup.desk.portfolio import building, log_text
from groundup.desk.portfolio.choices import NAME
from groundup.desk.portfolio.feed import ATOM
from groundup.desk.portfolio.pages import beginning
from groundup.desk.portfolio.site import LISTED

from . import simulated
from .simulated import BERLIN
from .test_every_page import HOSTILE, SMUGGLED
from .validator import complaints, dead_links


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The site of a year: (workspace, lessons, what was made, the folder)."""
    root, lessons = simulated.year(tmp_path_factory.mktemp("year"))
    return (find_workspace(root), lessons, *built(find_workspace(root), lessons=lessons))


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "ws")


def built(workspace, asked=None, lessons=None):
    """What was made, and the folder that it was written to."""
    made = building.make(workspace, asked or building.Asked(), BERLIN, lessons)
    folder = building.folder_of(workspace, None)
    building.write(workspace, folder, made.files)
    return made, folder


def page(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def sound(folder):
    """Every page, looked at by the validator; how many there are."""
    pages = sorted(folder.rglob("*.html"))
    wrong = [f"{path.relative_to(folder)}: {each}" for path in pages for each in complaints(page(folder, path))]
    assert not wrong, "\n".join(wrong[:20])
    assert dead_links(folder) == []
    return len(pages)


def test_two_lessons_and_a_run(workspace):
    simulated.passed(workspace.root, [find("1.2"), find("1.3")])
    name = simulated.run(
        workspace.root, "two-moons", 0, metrics={"loss": simulated.curve(0)}, result={"test_accuracy": 0.995}
    )
    made, folder = built(workspace)
    assert sound(folder) == 4 and made.says == ()
    lesson = page(folder, "lessons/1.3.html")
    assert "2026-01-06" in lesson and "seed 101" in lesson and "PyTorch" in lesson
    assert "topological" in lesson or "backward" in lesson
    assert "groundup check 1.3 --seed 101" in lesson and "from mine.grad.value import Value" in lesson
    run = page(folder, f"runs/{name}.html")
    assert "0.995" in run and "<svg" in run and "on my own library" in run and "kept: test_accuracy" in run
    index = page(folder, "index.html")
    assert 'href="lessons/1.3.html"' in index and f'href="runs/{name}.html"' in index
    assert "lessons/1.4.html" not in index, "what is not built has no page"


def test_an_empty_workspace_is_a_sound_page_too(workspace):
    _, folder = built(workspace)
    assert sound(folder) == 1 and "nothing to show yet" in page(folder, "index.html")


def test_sixty_lessons_are_sixty_sound_pages(year):
    _, lessons, made, folder = year
    assert len(list((folder / "lessons").iterdir())) == len(lessons) == 60
    assert sound(folder) == 60 + 6 + 1 + 12 + 1  # lessons, runs, a study, posts, the index
    assert [built.id for built in made.portfolio.built] == [lesson.section_id for lesson in lessons]
    study = page(folder, "studies/two-moons.html")
    assert "2 configurations" in study and "width 4" in study and "95 %" in study and "points 300" not in study


def test_the_same_workspace_gives_the_same_bytes(year):
    workspace, lessons, made, folder = year
    again = building.make(workspace, building.Asked(), BERLIN, lessons)
    assert again.files == made.files
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    written = building.write(workspace, folder, again.files)
    assert (written.written, written.removed) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_the_same_bytes_whatever_the_order_of_sets(workspace):
    simulated.passed(workspace.root, [find("1.2"), find("1.3"), find("2.1")])
    for seed in (0, 1):
        simulated.run(
            workspace.root,
            "two-moons",
            seed,
            metrics={"loss": [3, 2, 1], "error": [1, 1, 2]},
            result={"test_accuracy": 1.0},
        )
    simulated.post(workspace.root, "a", "# A\n\n[it](/lesson/1.3)\n")
    digests = set()
    for seed in ("1", "2"):
        folder = workspace.root.parent / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Europe/Berlin"}
        command = [sys.executable, "-m", "groundup", "portfolio", str(folder), "--json"]
        done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["lessons"] == ["1.2", "1.3", "2.1"] and said["index"] == str(folder / "index.html")
        digests.add(hashlib.sha256((folder / LISTED).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_code_is_the_one_that_passed(workspace):
    simulated.passed(workspace.root, [find("1.3")], {"grad/value.py": "class Value:\n    '''As it passed.'''\n"})
    later = workspace.path_of("grad/value.py")
    later.parent.mkdir(parents=True)
    later.write_text("class Value:\n    '''Half way to something else.'''\n")
    _, folder = built(workspace)
    assert "As it passed" in page(folder, "lessons/1.3.html")
    assert "Half way" not in page(folder, "lessons/1.3.html")


def test_a_reference_that_was_read_first_is_not_hidden(workspace):
    simulated.passed(workspace.root, [find("1.2"), find("1.3")], looked=("1.3",))
    _, folder = built(workspace)
    assert "the reference was read first" in page(folder, "lessons/1.3.html")
    assert "the reference was read first" not in page(folder, "lessons/1.2.html")


def test_gates_are_met_by_what_was_passed_and_run(workspace):
    gate = workspace.track.gates[0]
    simulated.passed(workspace.root, [lesson for lesson in find_all() if lesson.section_id in gate.lessons])
    made, folder = built(workspace)
    assert not dict((each.name, met) for each, met in made.portfolio.gates)[gate.name]
    assert not any(met for _, met in made.portfolio.gates) and 'id="gates"' not in page(folder, "index.html")
    for recipe in gate.runs:
        simulated.run(
            workspace.root, recipe, 0, dict(own_values(recipe)), result={claim: 1.0 for claim in claims(recipe)}
        )
    made, folder = built(workspace)
    assert dict((each.name, met) for each, met in made.portfolio.gates)[gate.name]
    assert [run.row.recipe for run in made.portfolio.reproduced] == list(gate.runs)
    index = page(folder, "index.html")
    assert "Reproductions" in index and 'id="gates"' in index
    phases = {lesson.phase_title for lesson in find_all()}
    shown = {title for title in phases if f'aria-label="{title}, ' in index}  # a phase of which nothing is built is not
    assert shown == {built.lesson.phase_title for built in made.portfolio.built} != phases


def own_values(recipe):
    from groundup.lab.recipe import flat, load

    return flat(load(recipe).values)


def claims(recipe):
    from groundup.lab.recipe import load

    return [claim.name for claim in load(recipe).claims]


# Posts and the log


def test_the_log_is_private_until_it_says_otherwise(workspace):
    simulated.passed(workspace.root, [find("1.3")])
    simulated.entry(workspace.root, "2026-01-06-1.3", "# 1.3\n\n## Hard\n\nsecret one\n")
    simulated.entry(
        workspace.root, "2026-01-07", "# A day\n\n```\npublic: yes\n```\nsecret two: public: yes of course\n"
    )
    simulated.entry(workspace.root, "2026-01-08", "# Told\n\nPublic: yes\n\nthis may be read\n")
    made, folder = built(workspace)
    everything = "".join(path.read_text() for path in folder.rglob("*.html"))
    assert "secret" not in everything and "this may be read" in everything and "ublic: yes" not in everything
    assert [entry.name for entry in made.portfolio.log] == ["2026-01-08"]
    _, folder = built(workspace, building.Asked(with_log=True))
    assert "secret one" in page(folder, "lessons/1.3.html") and "secret two" in page(folder, "log.html")
    sound(folder)
    (workspace.root / "notes" / "log" / "2026-01-08.md").unlink()
    _, folder = built(workspace)
    assert not (folder / "log.html").exists(), "a page that was shown once does not stay behind"
    assert "secret" not in "".join(path.read_text() for path in folder.rglob("*.html"))


def test_posts_and_their_feed(workspace):
    simulated.passed(workspace.root, [find("1.3")])
    simulated.post(
        workspace.root,
        "one",
        "---\ntitle: One & only\ndate: 2026-03-01\nsummary: what <it> is\n---\n\nSee [it](/lesson/1.3), not [that](/lesson/9.9).\n",
    )
    simulated.post(workspace.root, "2026-04-01-two", "# Two\n\n#### deep\n\nText.\n\n## flat\n")
    simulated.post(workspace.root, "draft", "---\ndraft: yes\n---\n# Unfinished\n")
    simulated.post(workspace.root, "odd", "---\ntitle: [broken\nno colon here\n\udcff# half\n")
    simulated.post(
        workspace.root,
        "paper",
        "---\nkind: reproduction\ndate: 2026-01-01\npaper: arXiv:1412.6980\n---\n# Adam, again\n",
    )
    made, folder = built(workspace)
    sound(folder)
    assert [post.title for post in made.portfolio.posts if post.name != "odd"] == ["Two", "One & only", "Adam, again"]
    one = page(folder, "posts/one.html")
    assert 'href="../lessons/1.3.html"' in one and "9.9" not in one.replace("lesson/9.9", "") and ">that<" not in one
    assert "arXiv:1412.6980" in page(folder, "index.html")
    feed = ElementTree.parse(folder / "feed.xml").getroot()
    entries = feed.findall(f"{{{ATOM}}}entry")
    assert feed.tag == f"{{{ATOM}}}feed" and len(entries) == 4
    for element in (feed, *entries):
        for needed in ("id", "title", "updated"):
            assert element.findtext(f"{{{ATOM}}}{needed}"), needed
    assert len({entry.findtext(f"{{{ATOM}}}id") for entry in entries}) == 4
    for entry in entries:
        assert (folder / entry.find(f"{{{ATOM}}}link").get("href")).is_file()


def test_a_feed_at_an_address(workspace):
    simulated.post(workspace.root, "one", "---\ndate: 2026-03-01\n---\n# One\n\n![x](x.png)\n")
    (workspace.root / NAME).write_text('url = "https://ada.example/site"\n')
    _, folder = built(workspace)
    feed = ElementTree.parse(folder / "feed.xml").getroot()
    assert feed.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}id") == "https://ada.example/site/posts/one.html"


def test_pictures_come_along_by_their_hash(workspace):
    png = bytes.fromhex("89504e470d0a1a0a") + b"x" * 50
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)"><script>alert(1)</script><path d="M0 0H9"/></svg>'
    name = simulated.run(
        workspace.root,
        "two-moons",
        files={"loss.png": png, "map.svg": svg, "sample.txt": b"ROMEO: <b>x</b>\n"},
        result={},
    )
    simulated.post(
        workspace.root,
        "a",
        "# A\n\n![a curve](pictures/a.png) and ![out](../../mine/x.png)\n\n```\n![no](pictures/a.png)\n```\n",
    )
    (workspace.root / "notes" / "posts" / "pictures").mkdir()
    (workspace.root / "notes" / "posts" / "pictures" / "a.png").write_bytes(png + b"post")
    (workspace.root / "mine" / "x.png").write_bytes(b"private")
    made, folder = built(workspace)
    sound(folder)
    kept = {path.read_bytes() for path in (folder / "pictures").iterdir()}
    assert png in kept and png + b"post" in kept and b"private" not in kept and len(kept) == 3
    assert not any(b"script" in each or b"onload" in each for each in kept)
    assert "ROMEO: &lt;b&gt;x&lt;/b&gt;" in page(folder, f"runs/{name}.html")
    assert any("out" in sentence or "x.png" in sentence for sentence in made.says)


# Whatever is in it


def test_hostile_names_code_and_texts_are_only_shown(workspace):
    code = f'"""{HOSTILE}</pre></code><script>document.title=1</script>"""\nclass A: pass\nx = "\x07\x00"\n'.replace(
        "\x00", "\\0"
    )
    simulated.passed(
        workspace.root, [find("1.3"), find("1.4")], {"grad/value.py": code, "grad/tensor.py": b"\xff\xfe\x00 not text"}
    )
    simulated.run(workspace.root, HOSTILE, config={HOSTILE: HOSTILE, "home": os.path.expanduser("~/text"), "disk": ["/srv/ada/notes.txt"]},
        metrics={HOSTILE: [3.0, float("nan"), float("inf"), 1.0]}, files={"a.txt": HOSTILE.encode() + b"\0\x1b[1m"}, result={HOSTILE: 1.0})  # fmt: skip
    simulated.run(workspace.root, HOSTILE, seed=1, metrics={HOSTILE: [1.0, 2.0]}, result={HOSTILE: 2.0})
    simulated.post(
        workspace.root,
        "x<b>",
        f"---\ntitle: {HOSTILE}\nsummary: {HOSTILE}\nkind: {HOSTILE}\n---\n{SMUGGLED}\n\x00\x08\x9f￾",
    )
    simulated.post(workspace.root, "x b", f"# {HOSTILE}\n{SMUGGLED}")
    simulated.entry(
        workspace.root, "2026-01-01-1.3", f"# {HOSTILE}\n\npublic: yes\n\n{SMUGGLED}\n\n[^1]\n\n[^1]: note\n"
    )
    simulated.entry(
        workspace.root, "2026-01-02-1.3", f"# {HOSTILE}\n\npublic: yes\n\n{SMUGGLED}\n\n[^1]\n\n[^1]: note\n"
    )
    simulated.entry(workspace.root, "loose", f"# {HOSTILE}\n\npublic: yes\n\n{SMUGGLED}\n")
    (workspace.root / NAME).write_text(f"title = {json.dumps(HOSTILE)}\nauthor = {json.dumps(HOSTILE)}\nabout = {json.dumps(SMUGGLED)}\n"
        f"featured = [{json.dumps(HOSTILE)}, '1.3']\n")  # fmt: skip
    _, folder = built(workspace)
    sound(folder)
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<(script|iframe|form|img[^>]*onerror|b id=)", text), path
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), path
        assert os.path.expanduser("~/") not in text and "/srv/ada" not in text, path
        assert re.fullmatch(r"[a-z0-9.-]+", path.name), path
    assert "notes.txt" in "".join(path.read_text(encoding="utf-8") for path in (folder / "runs").iterdir())
    ElementTree.parse(folder / "feed.xml")


# What it writes, and what it leaves alone


def test_nothing_else_in_the_folder_is_touched(workspace, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "CNAME").write_text("ada.example")
    simulated.passed(workspace.root, [find("1.2"), find("1.3")])
    made = building.make(workspace, building.Asked(), BERLIN)
    building.write(workspace, folder, made.files)
    (folder / "lessons" / "mine.html").write_text("of another hand")
    (folder / "lessons" / "1.2.html").write_text("changed by hand")
    fewer = {name: data for name, data in made.files.items() if not name.startswith("lessons/")}
    written = building.write(workspace, folder, fewer)
    assert written.removed == 1 and written.left == ("lessons/1.2.html",) and written.written == 0
    assert {path.name for path in (folder / "lessons").iterdir()} == {"mine.html", "1.2.html"}
    assert (folder / "CNAME").read_text() == "ada.example" and not (folder / ".gitignore").exists()


def test_a_list_that_was_tampered_with_leads_nowhere_else(workspace, tmp_path):
    folder, victim = tmp_path / "site", tmp_path / "victim.txt"
    made = building.make(workspace, building.Asked(), BERLIN)
    building.write(workspace, folder, made.files)
    victim.write_text("of value")
    sha = hashlib.sha256(b"of value").hexdigest()
    (folder / "link.txt").symlink_to(victim)
    names = {"../victim.txt": sha, str(victim): sha, "link.txt": sha, "a/../../victim.txt": sha}
    (folder / LISTED).write_text(json.dumps({"schema": 1, "files": names}))
    building.write(workspace, folder, made.files)
    assert victim.read_text() == "of value" and (folder / "link.txt").is_symlink()


@pytest.mark.parametrize("name", [".", "mine", "notes/site", "runs", ".groundup/x", ".git"])
def test_the_learners_own_folders_are_no_place_for_it(workspace, name):
    with pytest.raises(WorkspaceError, match="your own files"):
        building.folder_of(workspace, workspace.root / name)


def test_the_page_of_somebody_else_is_not_written_over(workspace, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    made = building.make(workspace, building.Asked(), BERLIN)
    with pytest.raises(WorkspaceError, match="another folder"):
        building.write(workspace, tmp_path, made.files)
    assert (tmp_path / "index.html").read_text() == "mine"


def test_what_is_featured_is_kept_once_and_then_the_learners(workspace):
    simulated.passed(workspace.root, [find("1.2"), find("1.3")])
    made, folder = built(workspace, building.Asked(title='My "work"', featured=("1.3",)))
    kept = (workspace.root / NAME).read_text()
    assert made.fresh and made.portfolio.choices.featured == ("1.3",) and "Selected work" in page(folder, "index.html")
    made, folder = built(workspace)
    assert made.portfolio.choices.featured == ("1.3",) and made.portfolio.choices.title == 'My "work"'
    made, folder = built(workspace, building.Asked(featured=("1.2", "8.8")))
    assert (workspace.root / NAME).read_text() == kept
    assert any(NAME in sentence for sentence in made.says) and any("8.8" in sentence for sentence in made.says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 3\n", ":1: title"),
        ('author = "a"\nfeatured = "1.3"\n', ":2: featured"),
        ("log = 1\n", ":1: log"),
        ('\n\nurl = "javascript:x"\n', ":3: url"),
        ("colour = 1\n", ":1: colour"),
        ('package = "../x"\n', ":1: package"),
        ("title = \n", "not TOML"),
    ],
)
def test_choices_that_cannot_be_used_are_named(workspace, text, says):
    (workspace.root / NAME).write_text(text)
    with pytest.raises(WorkspaceError, match=re.escape(says)):
        building.make(workspace, building.Asked(), BERLIN)


def test_a_log_is_shown_as_what_was_answered():
    text = template(find("1.3"), "Built: 1 check.", datetime(2026, 2, 3))
    assert not re.search(r"(?m)^## |^- ", log_text.answered(text))  # a form that nobody has filled in says nothing
    filled = text.replace("## What was hard\n", "## What was hard\n\nThe order.\n\n```\n# [ ] kept\n- [ ] kept\n```\n")
    filled = filled.replace("- [ ] 2.", "- [x] 2.").replace(
        "explain it without looking:", "explain it without looking: no"
    )
    shown = log_text.answered(filled)
    assert re.findall(r"(?m)^## (.*)", shown) == ["What was hard", "Exercises"]
    assert "- [ ] kept" in shown and "- 2. " in shown and "looking" not in shown and "After each colon" not in shown
    assert log_text.answered("# a\n\n## b\n\n### c\n\nd\n") == "# a\n\n## b\n\n### c\n\nd"


@pytest.mark.parametrize(("text", "said"), [
    ("One. Two.", "One. Two."),
    ("A first sentence with $x^2$ in it. " + "word " * 60, "A first sentence"),
    ("word " * 60, "word word"),
])  # fmt: skip
def test_a_piece_is_introduced_in_whole_sentences(text, said):
    begun = beginning(text)
    assert begun.startswith(said) and len(begun) <= 203 and begun.endswith((".", " …"))
