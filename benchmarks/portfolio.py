"""A portfolio of 60 lessons, built by a fresh process: seconds on the clock, of the processor, and bytes.

    python benchmarks/portfolio.py [LESSONS]

The learner is made up: every lesson passed with the reference's files, then the same lessons under further numbers; six runs, a study,
twelve posts, some of the log. The goal is ten seconds.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the made-up year is that of the tests

from tests.desk import simulated

GOAL = 10.0  # seconds
CHILD = """
import sys, time
from pathlib import Path
begun = time.perf_counter()
sys.path.insert(0, sys.argv[1])
from tests.desk.simulated import BERLIN, lessons_in_all
from groundup.course.workspace.workspace import find_workspace
from groundup.desk.portfolio import building
workspace = find_workspace(Path(sys.argv[2]))
made = building.make(workspace, building.Asked(), BERLIN, lessons_in_all(int(sys.argv[3])))
written = building.write(workspace, building.folder_of(workspace, None), made.files)
pages = sum(name.endswith(".html") for name in made.files)
print(f"{time.perf_counter() - begun:.2f} s: {pages} pages, {sum(map(len, made.files.values())) / 1e6:.1f} MB, {written.written} files written")
"""


def main(count):
    """Builds it twice: into nothing, then again with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        root, _ = simulated.year(Path(folder), count)
        for said in ("first", "again"):
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            command = [sys.executable, "-c", CHILD, str(Path(__file__).parents[1]), str(root), str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"{said:6} {time.perf_counter() - begun:6.2f} s on the clock, {worked:6.2f} s of the processor (goal {GOAL:g})  {done.stdout.strip()}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
