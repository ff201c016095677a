"""Every page that can be reached from the map: no dead link, nothing that axe finds, nothing wider than a telephone, in both themes."""

import re
import shutil
import sys
from collections import Counter, deque

import pytest
from playwright.sync_api import expect

from groundup.course.lessons.lesson import find_all, lessons_root
from groundup.desk.app import all_routes
from groundup.desk.explore import find_all as find_explorables
from groundup.lab.record import Records

from ..thorough import some
from .browser import accessible, fits
from .running_desk import Desk

HOSTILE = '"><img src=x onerror=document.title=1><b id=hit>'  # no slash, so that it can be the name of a folder
WRONG = """
class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __repr__(self):
        return "</pre><img src=x onerror=document.title=1><b id=hit>"

    def __add__(self, other):
        print("</pre><b id=hit><script>document.title=1</script>")
        raise ValueError("</small></div><img src=x onerror=document.title=1><b id=hit><svg onload=document.title=1>")
"""
SMUGGLED = r"""
<script>document.title = 1</script><img src=x onerror="document.title=1"><b id=hit>smuggled</b>
<iframe srcdoc="<script>parent.document.title=1</script>"></iframe><svg onload="document.title=1"></svg>
<form action="https://evil.example"><button>smuggled</button></form><style>body { display: none }</style>

[smuggled](javascript:document.title=1) [smuggled]( JaVaScRiPt:document.title=1) [smuggled](data:text/html,<script>1</script>)
[smuggled](vbscript:x) <javascript:document.title=1> ![x](javascript:document.title=1) [smuggled](# "x\" onclick=\"document.title=1")

$\href{javascript:document.title=1}{smuggled}$ $\text{<img src=x onerror=document.title=1>}$ $<script>document.title=1</script>$

| <b id=hit>x</b> | `<b id=hit>` |
|---|---|
| <img src=x onerror=document.title=1> | y |

```"><img src=x onerror=document.title=1>
</code></pre><script>document.title = 1</script>
```

```python run
x = "</pre><script>document.title = 1</script><b id=hit>"
```

the end of it
"""
LAUNCHER = """
from pathlib import Path
from groundup.course.lessons import lesson
lesson.lessons_root = lambda: Path({lessons!r})
from groundup.cli import main
main()
"""
PLAIN = {route.path for route in all_routes() if "{" not in route.path and "GET" in route.methods} - {"/events"}
READ = ("1.0", "7.2")  # lessons, and explorables, that every run of the suite looks at
SHOWN = ("street", "byte-pairs")
PAGES = [
    *sorted(PLAIN),
    "/lesson/1.3",
    "/lesson/1.1",
    "/runs/1",
    "/runs/2",
    "/runs/compare?run=1&run=3",
    "/recipes/two-moons",
    "/no/such/page",
]
LINK = re.compile(r'<a\b[^>]*\bhref="([^"#]*)')


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk over a workspace where something has been done: a lesson that has not passed, runs with hostile names and values."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.run("open", "1.3")
    made.write("grad/value.py", WRONG)
    made.run("check", "1.3")
    with Records(made.runs) as records:
        for recipe in ("two-moons", HOSTILE, "two-moons"):
            with records.begin(recipe, 1, {"rate": 0.1, "why": HOSTILE, HOSTILE: 1}, "source") as run:
                for step in range(200):
                    run.log(step, loss=1 / (step + 1), **{HOSTILE: float(step)})
                (run.folder / "out.txt").write_text(HOSTILE)
                run.keep(run.folder / "out.txt")
                run.end("finished", {"accuracy": 0.5, HOSTILE: 1.0})
    made.start()
    yield made
    made.close()


def test_every_link_leads_somewhere(desk):
    """From the map, breadth first; and looking changes nothing. What a page costs the server is measured by benchmarks/desk.py."""
    before = kept(desk)
    with desk.client() as known:
        found, waiting, asked = {"/"}, deque(["/"]), Counter()
        while waiting:
            path = waiting.popleft()
            answer = known.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            assert answer.text.count("<h1") == 1 and '<html lang="en"' in answer.text, path
            assert not re.search(
                r"<[^>]+\sstyle=|<[^>]+\son\w+=[\"']|<script(?![^>]*\ssrc=)|javascript:", answer.text
            ), path
            for target in LINK.findall(answer.text):
                target = re.sub(r"&amp;", "&", target)
                if target.startswith("/") and target not in found and "/artifact/" not in target:
                    found.add(target)
                    asked[target.partition("?")[0]] += 1
                    if asked[target.partition("?")[0]] <= 4:  # a week before, a week before that, without an end
                        waiting.append(target)
    assert {f"/lesson/{lesson.section_id}" for lesson in find_all()} <= found
    assert {f"/explore/{name}" for name in find_explorables()} <= found
    assert {"/runs", "/explore"} <= found
    after = kept(desk)
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()


def kept(desk):
    """All that is the learner's, by its path: the files, and how far the store has come."""
    files = [
        path for path in desk.root.rglob("*") if path.is_file() and not path.is_relative_to(desk.root / ".groundup")
    ]
    with desk.workspace.store(readonly=True) as store:
        found = {"newest": store.newest()}
    return found | {
        path: path.read_bytes() for path in files if not path.name.endswith((".db", "-shm", "-wal", ".gitignore"))
    }


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everyone(desk, page, complaints, path):
    with desk.client() as known:
        del known.headers["X-Groundup-Token"]  # as a person, not as a script
        looked_at = known.get(path, headers={"Accept": "text/html"})
    if "<html" not in looked_at.text:  # a part of a page, or a file
        assert looked_at.status_code in (200, 400) and path in PLAIN
        return
    complaints.allow("status of 40[04]")  # of a page that says what is not there
    desk.enter(page, path)
    expect(page.locator("h1")).to_have_count(1)
    assert page.title() != "1" and not page.locator("#hit").count()
    fits(page)
    accessible(page)


@pytest.mark.parametrize("name", some(find_explorables(), SHOWN.__contains__))
def test_an_explorable_is_for_everyone(desk, page, name):
    desk.enter(page, f"/explore/{name}")
    expect(page.locator("#picture figure")).to_be_visible(timeout=90_000)  # some wait until torch is loaded
    fits(page)
    accessible(page)


@pytest.mark.parametrize(
    "lesson", some(find_all(), lambda lesson: lesson.section_id in READ), ids=lambda lesson: lesson.section_id
)
def test_a_lesson_is_for_everyone(desk, page, lesson):
    desk.enter(page, f"/lesson/{lesson.section_id}")
    expect(page.locator("h1")).to_have_text(lesson.title)
    fits(page)
    accessible(page, colours=False)


def test_a_lesson_by_a_stranger_runs_nothing(tmp_path, page):
    """Markdown with all that has ever smuggled script into a page; the lesson is served and shown like any other."""
    lessons = tmp_path / "lessons"
    shutil.copytree(lessons_root(), lessons)
    written = lessons / "01-gradients" / "03-scalar-autograd" / "lesson.md"
    front, _, rest = written.read_text().partition("\n## ")
    written.write_text(f"{front}\n{SMUGGLED}\n## {rest}")
    launcher = tmp_path / "launcher.py"
    launcher.write_text(LAUNCHER.format(lessons=str(lessons)))
    made = Desk(tmp_path)
    made.command = [sys.executable, str(launcher)]
    made.start()
    try:
        made.enter(page, "/lesson/1.3")
        expect(page.locator("article")).to_contain_text("the end of it")
        for link in page.locator("article a").all():
            assert not re.match(r"\s*(javascript|data|vbscript|file):", link.get_attribute("href") or "", re.I)
        assert page.title() != "1" and not page.locator("#hit, article iframe, article form, article object").count()
        page.evaluate(
            """() => document.querySelectorAll("article *").forEach((each) => {
              if (each.textContent.trim() !== "smuggled") return;
              for (const kind of ["mouseover", "focus", "click"]) each.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
            })"""
        )
        page.wait_for_load_state()
        assert page.title() != "1" and page.url.startswith(made.url)
    finally:
        page.close()
        made.close()


def test_who_is_not_let_in_can_read_why(desk, page, complaints):
    complaints.allow("status of 401")
    page.goto(desk.url)
    expect(page.locator("p")).to_have_text("Open the desk from the terminal: groundup desk.")
    fits(page)
    accessible(page)


def test_a_link_on_another_page_leads_here_after_one_click(desk, page, complaints):
    """SameSite=Strict keeps the cookie from a request that another page has caused; one from a page of ours has it."""
    complaints.allow("status of 401")
    desk.enter(page)
    page.route(
        "**/elsewhere",
        lambda route: route.fulfill(body=f"<a href='{desk.url}lesson/1.1'>there</a>", content_type="text/html"),
    )
    page.goto("http://localhost:9/elsewhere")
    page.get_by_text("there").click()
    expect(page.locator("p").first).to_contain_text("Open the desk from the terminal")
    page.get_by_role("link", name="go on").click()
    expect(page.locator("h1")).to_contain_text("Arrays")


def test_no_other_page_can_look_in_or_act(desk, page, complaints):
    """A page of another port of this machine, which is the same site: its requests carry the cookie."""
    complaints.allow(r"status of 40[13]|CORS|ERR_BLOCKED_BY|ERR_FAILED|frame|Refused to")
    desk.enter(page)
    before = {path: path.read_bytes() for path in (desk.root / "mine").rglob("*.py")}
    page.route(
        "http://127.0.0.1:9/elsewhere", lambda route: route.fulfill(body="<h1>elsewhere</h1>", content_type="text/html")
    )
    page.goto("http://127.0.0.1:9/elsewhere")
    got = page.evaluate(
        """async (desk) => {
          const got = {};
          const attempt = async (name, options, path = "") => {
            try { const answer = await fetch(desk + path, options); got[name] = answer.type === "opaque" ? "" : await answer.text(); }
            catch (problem) { got[name] = ""; }
          };
          await attempt("read", {credentials: "include"});
          await attempt("blind", {credentials: "include", mode: "no-cors"});
          await attempt("form", {method: "POST", credentials: "include", mode: "no-cors", body: "x"}, "lesson/1.3/reset");
          await attempt("put", {method: "PUT", credentials: "include", headers: {"X-Groundup-Token": "x"}, body: "{}"}, "lesson/1.3/file/0");
          got.script = await new Promise((done) => {
            const script = document.createElement("script");
            script.onload = () => done("loaded"); script.onerror = () => done("");
            script.src = desk; document.head.append(script);
          });
          const frame = document.createElement("iframe");
          frame.src = desk; document.body.append(frame);
          await new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
          try { got.frame = frame.contentDocument ? frame.contentDocument.body.textContent : ""; } catch (problem) { got.frame = ""; }
          const opened = open(desk);
          await new Promise((done) => setTimeout(done, 500));
          try { got.window = opened && !opened.closed ? opened.document.body.textContent : ""; } catch (problem) { got.window = ""; }
          return got;
        }""",
        desk.url,
    )
    assert got == dict.fromkeys(("read", "blind", "form", "put", "script", "frame", "window"), "")
    assert {path: path.read_bytes() for path in (desk.root / "mine").rglob("*.py")} == before
    with desk.workspace.store(readonly=True) as store:
        assert not [event for event in store.events(lesson="1.3") if event.kind == "reset"]
