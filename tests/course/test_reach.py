"""A fault is judged by the checkpoints that enter what it edits, and by no fewer: the verdicts are those of a whole check."""

import pytest

from groundup.course.authoring.reach import Reach
from groundup.course.holes.library import Submission, module_name, reference_text
from groundup.course.lessons.faults import Fault, load_faults
from groundup.course.lessons.lesson import find


@pytest.fixture(scope="module", params=["1.3", "1.5"])
def lesson(request):
    return find(request.param)


def sources_of(lesson):
    return {path: reference_text(module_name(path)) for path in lesson.builds}


def test_what_a_whole_check_finds_is_found_within_reach(lesson, judge):
    sources = sources_of(lesson)
    prepared = judge.ready(lesson, 1, 1)
    reach = Reach(sources, prepared)
    keys = {probe.checkpoint.name: probe.key for probe in prepared.probes}
    narrower = 0
    for fault in load_faults(lesson, sources):
        text = fault.apply(sources[fault.file]).encode()
        verdict = judge.check(lesson, Submission({**{p: s.encode() for p, s in sources.items()}, fault.file: text}), 1)
        ran = [c for c in verdict.checkpoints if c.verdict.value not in ("passed", "skipped")]
        assert {keys[c.name] for c in ran} <= reach.of(fault), fault.name
        narrower += len(reach.of(fault)) < len(keys)
    assert narrower  # or nothing is spared


def test_an_edit_of_what_is_run_at_import_reaches_everything(judge):
    lesson = find("1.5")
    sources = sources_of(lesson)
    reach = Reach(sources, judge.ready(lesson, 1, 1))
    [path] = lesson.builds
    assert "import numpy as np\n" in sources[path]
    fault = Fault("at import", path, "import numpy as np\n", "import numpy as np  # edited\n", "s")
    assert len(reach.of(fault)) == len(judge.ready(lesson, 1, 1).probes)
