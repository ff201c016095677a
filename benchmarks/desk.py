"""The desk as a person has it: a real browser, a real server, a fresh workspace. Each number beside its goal.

    python benchmarks/desk.py                     everything; the stream for three minutes
    python benchmarks/desk.py --hour              the stream for an hour
    python benchmarks/desk.py --minutes 1 stream  one part: verdict, pages, paint, script or stream

Needs Chromium and /proc. A share of a core is processor time over time on the wall, of the server and of the page's own process; that
of the whole browser, which draws in software here, stands beside it. In a page, the first paint is the browser's own account of it.
"""

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find, find_all
from groundup.desk.assets import contents
from groundup.desk.explore import find_all as find_explorables
from groundup.lab.record import Records

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.desk.browser import launch
from tests.desk.running_desk import Desk
from tests.desk.writing import saved, until, write

SAVES, REST = 40, 0.5  # the judge draws the next cases while a learner types
TURNS, COLD = 20, 7
POINTS, HERTZ = 10_000, 10
PAINTED = "performance.getEntriesByName('first-contentful-paint')"
TICK = os.sysconf("SC_CLK_TCK")
WATCH = """() => {  // the time from the key to the first frame that shows the verdict on this text
  const points = document.getElementById("points");
  addEventListener("keydown", (event) => event.key === "s" && event.ctrlKey && (window.begun = performance.now()), true);
  new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.shown = [performance.now(), points.querySelectorAll(".point.pass").length, points.querySelectorAll(".verdict").length];
  }))).observe(points, {childList: true, subtree: true});
}"""

LOGGING = """
import sys, threading
from pathlib import Path
from groundup.lab.record import Records

folder, points, hertz = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ended = threading.Event()
with Records(folder) as records, records.begin("two-moons", 1, {}, "source") as run:
    run.log(0, loss=1.0)
    run.write()
    print("begun", flush=True)
    sys.stdin.readline()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    step = 0
    while not ended.wait(1 / hertz):
        for _ in range(100 if step < points else 1):
            step += 1
            run.log(step, loss=1 / (step + 1))
        run.write()
        if step == points:
            print("all", flush=True)
    run.end("finished", {})
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["script", "pages", "paint", "verdict", "stream"])
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--hour", action="store_true", help="the stream for sixty minutes")
    asked = parser.parse_args()
    expect.set_options(timeout=60_000)
    print(f"{'':44} {'n':>5} {'p50':>8} {'p95':>8} {'max':>8}   goal")
    for part in asked.parts:
        with tempfile.TemporaryDirectory() as folder:
            {"script": script, "pages": pages, "paint": paint, "verdict": verdict}.get(
                part, lambda folder: stream(folder, 60 if asked.hour else asked.minutes)
            )(Path(folder))


def line(label, values, unit, goal):
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    numbers = " ".join(f"{value:8.1f}" for value in (statistics.median(ordered), p95, ordered[-1]))
    print(f"{label:44} {len(ordered):5} {numbers}   {goal} {unit}", flush=True)


@contextmanager
def opened(folder, run=True):
    """A desk with lesson 1.3 open and one run in its record, and a page of a browser that has been let in."""
    desk = Desk(folder)
    desk.run("open", "1.3")
    if run:
        with Records(desk.runs) as records, records.begin("two-moons", 1, {"rate": 0.1}, "source") as going:
            for step in range(POINTS):
                going.log(step, loss=1 / (step + 1))
            going.end("finished", {"accuracy": 0.9})
    desk.start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            yield desk, browser
            browser.close()
    finally:
        desk.close()


def page_of(desk, browser, path):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    return desk.enter(context.new_page(), path)


def script(folder):
    """Bytes of our own modules; the editor, KaTeX, uPlot and htmx are other people's."""
    own = {name: text for name, text in contents().items() if name.endswith(".js") and not name.startswith("vendor/")}
    whole = sum(map(len, own.values())) / 1e3
    packed = sum(len(gzip.compress(text)) for text in own.values()) / 1e3
    print(f"{f'our script, {len(own)} files':44} {whole:32.1f}   < 300 kB  ({packed:.1f} compressed)")


def pages(folder):
    """The whole request on a connection that is open, the page's first request apart."""
    with opened(folder) as (desk, _), desk.client() as known:
        lessons = [f"/lesson/{lesson.section_id}" for lesson in find_all()]
        explorables = [f"/explore/{name}" for name in find_explorables()]
        others = ["/", "/explore", "/runs", "/runs/1", "/recipes", "/recipes/two-moons", "/claims", "/search?q=tree"]
        others += [
            "/plan",
            "/notes",
            "/recall",
            "/shelf",
            "/guide",
            "/guide/compute",
            "/portfolio",
            "/placement",
            "/doctor",
        ]
        for label, paths in [*((path, [path]) for path in others), ("lessons", lessons), ("explorables", explorables)]:
            first, later = [], []
            for path in paths:
                for turn in range(TURNS if len(paths) == 1 else 4):
                    begun = time.perf_counter()
                    answer = known.get(path)
                    (later if turn else first).append((time.perf_counter() - begun) * 1e3)
                    if answer.status_code != 200:
                        raise SystemExit(f"{path}: {answer.status_code}")
            line(f"server, {label}", later, "ms", "< 100")
            line(f"server, {label}, the first time", first, "ms", "     ")


def paint(folder):
    """First contentful paint, with nothing in the browser's cache, each time in a browser that has just been started."""
    with opened(folder) as (desk, browser):
        for path in ("/", "/lesson/1.3", "/explore/ravine", "/runs/1"):
            times = []
            for _ in range(COLD):
                page = page_of(desk, browser, path)
                until(lambda page=page: page.evaluate(f"{PAINTED}.length"))
                times.append(page.evaluate(f"{PAINTED}[0].startTime"))
                page.context.close()
            line(f"first paint, cold, {path}", times, "ms", "< 1000")


def verdict(folder):
    """Ctrl-S in the page to the frame that shows the verdict: right and wrong in turn, each text a new one."""
    source = reference_text("grad.value")
    faults = load_faults(find("1.3"), {"grad/value.py": source})
    with opened(folder, run=False) as (desk, browser):
        page = page_of(desk, browser, "/lesson/1.3")
        expect(page.locator("#editor .cm-content")).to_be_visible()
        page.evaluate(WATCH)
        times = {"right": [], "wrong": []}
        for turn in range(SAVES):
            right = turn % 2 == 0
            text = source if right else faults[turn // 2 % len(faults)].apply(source)
            write(page, f"{text}\n# {turn}\n", save=False)
            time.sleep(REST)
            page.evaluate("window.shown = null")
            page.keyboard.press("Control+s")
            true = "window.shown && " + ("shown[1] && !shown[2]" if right else "shown[2]")
            until(lambda true=true: page.evaluate(true))
            if turn > 1:  # the first of each warms the judge
                times["right" if right else "wrong"].append(page.evaluate("shown[0] - begun"))
            saved(page)
        for label, found in times.items():
            line(f"save to verdict in the page, {label}", found, "ms", "< 200")
        page.context.close()


def stream(folder, minutes):
    """A run that logs, in a process of its own: 10,000 points in ten seconds, then ten a second for as long as is asked."""
    with opened(folder, run=False) as (desk, browser):
        logging = subprocess.Popen(
            [sys.executable, "-c", LOGGING, str(desk.runs), str(POINTS), str(HERTZ)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            until_says(logging, "begun")
            page = page_of(desk, browser, "/runs/1")
            page.locator("#charts canvas").first.wait_for(state="attached")
            begin = shares(desk)
            logging.stdin.write("go\n")
            logging.stdin.flush()
            until_says(logging, "all")
            report(f"{POINTS} points in {POINTS // 100 // HERTZ} s, at {HERTZ} Hz", begin, shares(desk))
            time.sleep(3)
            begin, sizes, until = shares(desk), [], time.monotonic() + 60 * minutes
            while time.monotonic() < until:
                time.sleep(min(2.0, max(0.0, until - time.monotonic())))
                sizes.append((time.monotonic(), resident(desk.process.pid)))
            report(f"then {HERTZ} a second for {minutes:g} min", begin, shares(desk))
            memory(sizes, minutes)
        finally:
            logging.communicate()  # its input ends, and so it does


def until_says(process, word):
    for text in process.stdout:
        if text.strip() == word:
            return
    raise SystemExit("the process that logs has ended")


def memory(sizes, minutes):
    """The server's memory over the time: its first and last tenth, and the slope of a line through all of it."""
    from numpy import polyfit

    tenth = max(1, len(sizes) // 10)
    first, last = (statistics.mean(size for _, size in part) / 1e6 for part in (sizes[:tenth], sizes[-tenth:]))
    slope = polyfit([at / 3600 for at, _ in sizes], [size / 1e6 for _, size in sizes], 1)[0] if len(sizes) > 2 else 0
    print(
        f"{f'memory of the server over {minutes:g} min':44} {first:8.1f} to {last:.1f} MB, {slope:+.1f} MB an hour   flat"
    )


def report(label, begin, end):
    wall = end["wall"] - begin["wall"]
    server, renderer, browser = ((end[name] - begin[name]) / wall * 100 for name in ("server", "renderer", "browser"))
    print(
        f"{label:44} {server + renderer:32.1f}   < 20 % of a core  "
        f"(server {server:.1f}, page {renderer:.1f}; the whole browser {browser:.1f})",
        flush=True,
    )


def shares(desk):
    """Processor seconds so far of the server, of the pages' processes, and of the whole browser; and the time."""
    found = {"wall": time.monotonic(), "server": seconds(desk.process.pid), "renderer": 0.0, "browser": 0.0}
    for pid in below(os.getpid()):
        command = read(f"/proc/{pid}/cmdline")
        if "chrom" in command.partition("\0")[0]:
            found["browser"] += seconds(pid)
            found["renderer"] += seconds(pid) if "--type=renderer" in command else 0
    return found


def below(root):
    """The processes that come from one, by their parents."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := read(f"/proc/{name}/stat").rpartition(")")[2].split()):
            parents[int(name)] = int(fields[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def seconds(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def resident(pid):
    """Bytes."""
    return int(read(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def read(path):
    try:
        return Path(path).read_text(errors="replace")
    except OSError:  # it has ended
        return ""


if __name__ == "__main__":
    main()
