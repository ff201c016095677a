"""A verdict on the page: what it says, that nothing a learner wrote acts, that it stays small, and that it can be read."""

import io
import json
import re
import sys
import types
from contextlib import redirect_stdout
from html.parser import HTMLParser

import numpy as np
import pytest

from groundup.course.holes.library import Submission, module_name, reference_text
from groundup.course.judging.judge import Judge
from groundup.course.judging.verdicts import ENTRIES_SHOWN, TEXT_SHOWN, plain
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find
from groundup.course.lessons.probes import demands
from groundup.desk.assets import asset
from groundup.desk.verdicts.reproduce import snippet
from groundup.desk.verdicts.seeing import seen
from groundup.desk.verdicts.texts import first_difference, visible
from groundup.desk.verdicts.values import as_array, is_array
from groundup.desk.verdicts.verdict import LARGEST, points

from .browser import accessible, fits
from .static_site import StaticSite

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"
DRAWN = frozenset(("svg", "g", "path", "rect", "text", "image", "polygon"))
TAGS = re.compile(
    "div|ol|ul|li|i|b|p|span|small|h3|h4|button|code|pre|details|summary|section|table|tbody|tr|td|dl|dt|dd|a"
)
WORDS = re.compile(r"class|aria-\w+|role|type|tabindex|data-(line|file|do|copy)|href")
SHAPES = re.compile(
    r"x|y|rx|d|width|height|viewbox|transform|text-anchor|points|preserveaspectratio|class|href|role|aria-\w+"
)


class Reader(HTMLParser):
    """Reads markup back: every tag on a list and closed, no attribute that acts; keeps elements and text."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self._open, self.elements, self.text = [], [], []
        self.feed(str(markup))
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        assert tag in DRAWN or TAGS.fullmatch(tag), tag
        allowed = SHAPES if tag in DRAWN else WORDS
        for name, value in attributes:
            assert allowed.fullmatch(name), f"{name} of <{tag}>"
            if name == "href":
                assert re.fullmatch(r"/lesson/\d+\.\d+|data:image/png;base64,[\w+/=]+", value), value
        self.elements.append((tag, dict(attributes), []))
        self._open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        self.text.append(data)
        for element in self._open:
            element[2].append(data)

    def of_class(self, word):
        return [
            "".join(inside) for _, attributes, inside in self.elements if word in attributes.get("class", "").split()
        ]

    def having(self, name):
        return [attributes for _, attributes, _ in self.elements if name in attributes]

    @property
    def words(self):
        return "".join(self.text)


@pytest.fixture(scope="module")
def judge():
    with Judge() as made:
        yield made


@pytest.fixture(scope="module")
def faulty(judge):
    """What the judge replies on a lesson's reference with one of its known mistakes."""

    def reply(section_id, fault):
        lesson = find(section_id)
        texts = {path: reference_text(module_name(path)) for path in lesson.builds}
        known = {each.name: each for each in load_faults(lesson, texts)}[fault]
        texts[known.file] = known.apply(texts[known.file])
        submission = Submission({path: text.encode() for path, text in texts.items()})
        verdict = judge.check(lesson, submission, seed=1, long=False).as_json()
        return lesson, {"verdict": json.loads(json.dumps(verdict)), "title": lesson.title}

    return reply


def shown(lesson, reply, **options):
    made = points(lesson, demands(lesson), reply, **options)
    assert len(made) <= LARGEST
    return Reader(made)


def reply_of(*rows, **changes):
    """A judge's reply with checkpoints of a test's own."""
    whole = [
        {
            "name": "It is so", "stretch": False, "passed": False, "verdict": "wrong-value", "case": {}, "shown": None,
            "expected": None, "got": None, "index": None, "path": "", "tolerance": None, "raised": "", "trace": [],
            "fault": None, "says": "", "file": "mine/grad/value.py", "line": 2, "cases": 3, "failed": 1, **row,
        }
        for row in rows
    ]  # fmt: skip
    verdict = {"schema": 1, "lesson": "1.3", "passed": False, "seed": 81, "elapsed_ms": 38.2, "checkpoints": whole}
    verdict |= {"mine": [], "reference": [], "printed": ""}
    return {"verdict": {**verdict, **changes}, "title": "Engine"}


@pytest.fixture(scope="module")
def lesson():
    return find("1.3")


# What it says


def test_before_the_first_check_every_demand_is_open(lesson):
    page = shown(lesson, None)
    assert [word for word in page.of_class("said")] == ["open: "] * len(demands(lesson))
    assert all(name in page.words for name, _ in demands(lesson))
    assert page.words.count("stretch") == sum(stretch for _, stretch in demands(lesson))


def test_the_first_failure_is_the_hero_with_name_sentence_line_trio_and_command(faulty):
    lesson, reply = faulty("1.3", "gradient overwritten, not accumulated")
    page = shown(lesson, reply)
    assert "Gradient overwritten, not accumulated" in page.words
    assert "Yours keeps the last one." in page.words
    (line,) = page.having("data-line")
    assert line["data-file"] == "mine/grad/value.py" and int(line["data-line"]) > 1
    assert page.of_class("heading") == ["given", "expected ∂y/∂a", "yours"]
    assert "a = 1\ny = a + a" in page.words
    assert "again: groundup check 1.3 --seed 1" in page.words and "· seed 1" in page.words
    assert re.search(r"smallest of [\d,]+ failures", page.words)
    assert page.having("data-do") == [{"type": "button", "class": "button quiet", "data-do": "hint"}]
    states = [
        attributes["class"] for tag, attributes, _ in page.elements if "point" in attributes.get("class", "").split()
    ]
    assert states[0] == "point miss" and len(states) == len(demands(lesson))


def test_the_graph_has_both_shares_on_its_arrows_and_the_wrong_leaf_says_so(faulty):
    lesson, reply = faulty("1.3", "gradient overwritten, not accumulated")
    page = shown(lesson, reply)
    written = [("".join(inside), attributes["class"]) for tag, attributes, inside in page.elements if tag == "text"]
    assert written.count(("1.0", "mono halo mark")) == 2
    assert ("yours 1.0, not 2.0", "mono halo miss") in written


@pytest.mark.parametrize(
    "section_id, fault, said",
    [
        ("1.1", "axis dropped before the division", ["(2, 1)", "wrong: (2, 2)"]),
        ("1.1", "dtype taken from the value", ["float64", "wrong: int64"]),
        ("1.4", "matmul's transpositions on the wrong factors", ["expected ∂L/∂"]),
        ("2.3", "softmax without a shift", ["yours", "wrong: FloatingPointError"]),
        ("2.8", "fit overwrites its kernel parameters", ['"auto"', 'wrong: "0.5"']),
    ],
)
def test_what_is_wrong_is_marked_whatever_it_is(faulty, section_id, fault, said):
    lesson, reply = faulty(section_id, fault)
    page = shown(lesson, reply)
    assert fault in page.words.lower()
    for words in said:
        assert words in re.sub(r"\s+", " ", page.words), words
    assert any("bad" in attributes.get("class", "").split() for _, attributes, _ in page.elements)


def test_an_exception_is_told_with_the_way_to_it(judge):
    edit = (
        "        other = _as_value(other)\n        return _result(self.data * ",
        "        other = broken(other)\n        return _result(self.data * ",
    )
    source = "\n\ndef broken(x):\n    return deeper(x)\n\n\ndef deeper(x):\n    raise LookupError('<b>not here</b>')\n"
    lesson = find("1.3")
    texts = reference_text("grad.value").replace(*edit) + source
    verdict = judge.check(lesson, Submission({"grad/value.py": texts.encode()}), seed=1).as_json()
    hero = next(c for c in verdict["checkpoints"] if not c["passed"])
    assert hero["verdict"] == "raised" and [frame[2] for frame in hero["trace"]][-2:] == ["broken", "deeper"]
    page = shown(lesson, {"verdict": verdict, "title": lesson.title})
    assert "LookupError: <b>not here</b>" in page.words
    lines = [int(button["data-line"]) for button in page.having("data-line")]
    assert lines[0] == hero["line"] and [frame[1] for frame in hero["trace"]] == lines[1:]


def test_what_is_not_written_yet_is_no_failure_yet(judge):
    from groundup.course.holes.stub import derive

    lesson = find("1.3")
    stub = derive(reference_text("grad.value"))
    verdict = judge.check(lesson, Submission({"grad/value.py": stub.encode()}), seed=1).as_json()
    page = shown(lesson, {"verdict": verdict, "title": lesson.title})
    assert page.of_class("verdict") and "Not written yet" in page.words
    assert not [a for _, a, _ in page.elements if "miss" in a.get("class", "").split()]


def test_a_built_lesson_says_what_comes_next_and_a_failed_stretch_is_shown(lesson):
    rows = {"passed": True, "verdict": "passed", "cases": 64, "failed": 0}, {"stretch": True, "fault": "too slow"}
    reply = reply_of(*rows, passed=True)
    reply["next"] = "next: 1.4 A tensor autograd engine   groundup open 1.4"
    page = shown(lesson, reply)
    assert "Built" in page.words and {"href": "/lesson/1.4"} in page.having("href")
    assert "64 cases" in page.words and "Too slow" in page.words


def test_a_file_that_cannot_be_imported_shows_its_line(lesson):
    reply = reply_of({"verdict": "import-error", "case": None, "says": "SyntaxError: '(' was never closed", "line": 7})
    reply["source"] = "    return (self.data"
    page = shown(lesson, reply)
    assert "Does not parse" in page.words and "▸ 7      return (self.data" in page.words
    assert "again:" not in page.words


def test_what_stood_in_what_was_printed_and_that_it_is_stale(lesson):
    page = shown(
        lesson,
        reply_of({}, reference=["mine/a.py"], mine=["mine/b.py"], printed="one\ntwo\n" + "x" * 9000),
        stale=True,
    )
    assert "mine/a.py has not passed as it now stands: the reference stands in for it" in page.words
    assert "running on your own mine/b.py" in page.words and "your code printed 3 lines" in page.words
    assert "has changed since" in page.words


# What is wrong in what came


@pytest.mark.parametrize("seed", range(12))
def test_every_entry_beyond_the_tolerance_is_marked_and_no_other(lesson, seed):
    rng = np.random.default_rng(seed)
    shape = [(5,), (3, 4), (2, 2, 3)][seed % 3]
    right = rng.normal(size=shape)
    mask = rng.random(shape) < 0.3
    mask[np.unravel_index(int(rng.integers(mask.size)), shape)] = True
    wrong = np.where(mask, right + rng.choice([-1.0, 1e-3]), right + 1e-12)
    index = np.argwhere(mask)[0].tolist()
    row = {"expected": plain(right), "got": plain(wrong), "index": index, "tolerance": [1e-9, 1e-9], "case": {"x": 1.0}}
    page = shown(lesson, reply_of(row))
    cells = [attributes.get("class") == "bad" for tag, attributes, _ in page.elements if tag == "td"]
    yours = cells[mask.size : 2 * mask.size]  # given is a number; expected, then yours, then both again in full
    assert yours == mask.ravel().tolist() and cells[: mask.size] == [False] * mask.size
    assert f"{mask.sum()} of {mask.size} entries are wrong" in page.words


def test_numbers_that_differ_late_are_written_until_they_look_different(lesson):
    page = shown(lesson, reply_of({"expected": 2.0, "got": 2.0 + 1e-13, "index": [], "case": {"x": 1.0}}))
    assert f"{2.0 + 1e-13:.17g}" in page.words


@pytest.mark.parametrize(
    "expected, got, marked",
    [
        ("ValueError", "no error", '"no error"'),
        ("a" * 50 + "b" + "c" * 50, "a" * 50 + "d" + "c" * 50, "d"),
        ("a" * 50, "a" * 49, "end"),
        (["a", " ", "b"], ["a", " b"], " b"),
        ([2, 0], [2, 0, 0], "0"),
        ([2, 0, 1], [2, 0], "end"),
        (1.5, "nan", "nan"),
        (True, False, "False"),
        ({"a": 1.0}, {"b": 1.0}, "b"),
        (3, {"type": "mine.Thing"}, "<mine.Thing>"),
    ],
)
def test_the_first_difference_is_marked(lesson, expected, got, marked):
    page = shown(lesson, reply_of({"expected": expected, "got": got, "index": [], "case": {"x": 1.0}}))
    assert marked in [words.removeprefix("wrong: ") for words in page.of_class("bad")]


@pytest.mark.parametrize("a, b, at", [("abc", "abd", 2), ("", "a", 0), ([1.0], [1.0 + 1e-12], 1), ("ab", "ab", 2)])
def test_where_two_sequences_differ(a, b, at):
    assert first_difference(a, b) == at


def test_what_cannot_be_seen_is_written_out():
    assert visible("a\n\t\u200d\x00é中 ") == "a\\n\\t\\u200d\\x00é中 "


def test_an_answer_that_is_right_is_not_shown_as_wrong_where_an_argument_was_changed(lesson):
    array = plain(np.ones((2, 2)))
    row = {
        "verdict": "mutated-input",
        "expected": array,
        "got": array,
        "case": {"x": array},
        "says": "Your code changed `x`.",
    }
    page = shown(lesson, reply_of(row))
    assert page.of_class("heading") == ["given"] and "bad" not in {a.get("class") for _, a, _ in page.elements}


# Drawings


def hero_of(**row):
    return reply_of(row)["verdict"]["checkpoints"][0]


def test_long_rows_of_numbers_are_lines_with_the_wrong_entries_marked():
    right = np.linspace(1, 0, 40)
    wrong = right.copy()
    wrong[30:] += 0.3
    c = hero_of(expected=plain(right), got=plain(wrong), index=[30], tolerance=[1e-9, 1e-9])
    page = Reader(seen(c))
    crosses = [a["d"].count("M") for _, a, _ in page.elements if a.get("class") == "dots miss"]
    assert crosses[0] == 2 * 10  # each of two strokes
    assert "expected" in page.words and "yours" in page.words


def test_samples_are_points_and_the_wrongly_classified_are_crossed():
    X, y = np.arange(16.0).reshape(8, 2), np.array([0, 1] * 4)
    c = hero_of(
        case={"X": plain(X), "y": plain(y)}, expected=plain(y), got=plain(1 - y), index=[0], tolerance=[0.0, 0.0]
    )
    page = Reader(seen(c))
    drawn = {a["class"]: a["d"].count("M") for _, a, _ in page.elements if "dots" in a.get("class", "")}
    assert {"dots s1", "dots s2", "dots miss"} <= set(drawn) and "8 samples; wrong: 0, 1, 2, 3" in str(seen(c))


def test_token_ids_are_shown_as_the_texts_they_stand_for():
    from groundup.text.bpe import BPE

    merges = [(69, 69), (256, 69)]  # e e, then ee e, whatever their bytes are
    texts = [BPE(merges).token_bytes(i).decode("utf-8", "backslashreplace") for i in (257, 256, 69)]
    right, wrong = np.array([257], np.int32), np.array([256, 69], np.int32)
    c = hero_of(
        verdict="wrong-shape",
        case={"merges": plain(np.array(merges)), "text": "eee"},
        expected=plain(right),
        got=plain(wrong),
    )
    page = Reader(seen(c))
    assert page.of_class("chip") == [texts[0], texts[1], texts[2]]


def test_images_are_pixels_on_one_scale():
    images = np.random.default_rng(0).random((2, 9, 9))
    wrong = images.copy()
    wrong[1, 3, 4] = 0.0
    c = hero_of(
        case={"images": plain(images)},
        expected=plain(images),
        got=plain(wrong),
        index=[1, 3, 4],
        tolerance=[1e-9, 1e-9],
    )
    page = Reader(seen(c))
    assert sum(tag == "image" for tag, _, _ in page.elements) == 6
    assert sum("outline" in a.get("class", "") for _, a, _ in page.elements) == 2


def test_large_arrays_show_what_yours_is_too_much():
    right = np.zeros((15, 20))
    wrong = right.copy()
    wrong[4, 5] = 1.0
    c = hero_of(case={"x": 1.0}, expected=plain(right), got=plain(wrong), index=[4, 5], tolerance=[1e-9, 1e-9])
    assert "yours − expected" in str(seen(c)) and "1 wrong, the first at row 4, column 5" in str(seen(c))


# Lines that do it again


@pytest.mark.parametrize("section_id, fault", [
    ("1.3", "gradient overwritten, not accumulated"), ("1.4", "gradient of a mean not divided"),
    ("2.1", "rows standardised"), ("3.6", "output size rounded up"), ("7.1", "what follows the last match is dropped"),
])  # fmt: skip
def test_the_snippet_gives_what_the_judge_expected_on_the_reference(faulty, section_id, fault):
    lesson = find(section_id)
    texts = {path: reference_text(module_name(path)) for path in lesson.builds}
    names = [each.name for each in load_faults(lesson, texts)]
    lesson, reply = faulty(section_id, fault if fault in names else names[-1])
    c = next(c for c in reply["verdict"]["checkpoints"] if not c["passed"] and c["case"] is not None)
    text = snippet(lesson, c)
    assert text is not None and "import mine as lib" in text
    code = re.sub(r"^import mine\b( as lib)?", lambda m: f"import groundup{m[1] or ''}", text, flags=re.MULTILINE)
    space = types.ModuleType("case")
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(code.replace("print(", "found = ("), "case.py", "exec"), vars(space))
    found = space.found
    for part in re.findall(r"\['([^']*)'\]|\[(\d+)\]", c["path"]):
        found = found[part[0] or int(part[1])]
    if c["expected"] is not None:
        expected = as_array(c["expected"]) if is_array(c["expected"]) else c["expected"]
        assert np.allclose(found, expected) if isinstance(expected, (float, np.ndarray)) else found == expected
    assert printed.getvalue() == ""


def test_a_case_that_was_cut_has_no_snippet(lesson):
    c = hero_of(case={"x": plain(np.zeros(ENTRIES_SHOWN + 1))})
    assert snippet(lesson, c) is None


# Hostile, and large


def everywhere(text, **more):
    """A checkpoint in which every field that code or a lesson can fill holds the text."""
    filled = {key: text for key in ("name", "shown", "expected", "got", "fault", "says", "file", "path", "raised")}
    return {
        **filled,
        "trace": [[text, 3, text], [text, 4, text]],
        "case": {text: text, "x": [text, {text: text}]},
        **more,
    }


@pytest.mark.parametrize(
    "kind", ["wrong-value", "wrong-shape", "raised", "import-error", "missing", "timeout", "skipped", HOSTILE]
)
def test_hostile_text_stays_text_wherever_it_stands(lesson, kind):
    arrays = plain(np.array([HOSTILE, "b"], dtype=object))
    for row in (
        everywhere(HOSTILE, verdict=kind),
        everywhere(HOSTILE, verdict=kind, shown=None),
        everywhere(HOSTILE, verdict=kind, shown=None, expected=arrays, got=arrays, index=[0], tolerance=[0.0, 0.0]),
        everywhere(HOSTILE, verdict=kind, expected={HOSTILE: 1}, got={HOSTILE * 2: [HOSTILE]}),
        everywhere(HOSTILE, verdict=kind, expected=[HOSTILE], got=[HOSTILE, HOSTILE]),
    ):
        reply = reply_of(row, row, printed=HOSTILE, mine=[HOSTILE], reference=[HOSTILE], lesson=HOSTILE)
        reply |= {"source": HOSTILE, "title": HOSTILE, "next": HOSTILE}
        page = shown(lesson, reply)
        assert HOSTILE in page.words


@pytest.mark.parametrize("lie", [
    {"shape": [2**70], "dtype": "float64", "values": [1.0]}, {"shape": [0, 2**40, 2**40], "dtype": "float64", "values": []},
    {"shape": [1] * 400, "dtype": "float64", "values": [0.0]}, {"shape": "x", "dtype": 3, "values": None},
    {"shape": [2], "dtype": "int64", "values": ["nan", "inf"]}, {"shape": [2], "dtype": "bool", "values": [[], {}]},
    {"shape": [1], "dtype": HOSTILE, "values": [10**400]}, {"shape": [2], "dtype": "int64", "values": [2**63, -(2**63)]},
    {"shape": [-1], "dtype": "float64", "values": []}, {"shape": [True], "dtype": "float64", "values": [1.0]},
    {"shape": [1], "dtype": "complex128", "values": [{"real": 1.0, "imag": "nan"}]}, {"type": 3}, {"type": [HOSTILE]},
])  # fmt: skip
def test_a_dict_that_pretends_to_be_an_array_is_shown_all_the_same(lesson, lie):
    honest = plain(np.zeros(2))
    for expected, got in ((honest, lie), (lie, lie), (1.0, lie), (None, lie), ({"a": honest}, {"a": lie})):
        for index in (None, [], [0], [0, 0], [10**9]):
            row = {
                "expected": expected,
                "got": got,
                "index": index,
                "tolerance": [0.0, 0.0],
                "case": {"X": lie, "y": lie},
            }
            shown(lesson, reply_of(row))


def test_however_much_comes_back_the_markup_stays_small(lesson):
    long, full = "<" * TEXT_SHOWN, plain(np.random.default_rng(0).normal(size=(2, 2, 8, 8)))
    deep = {f"{i}{long}": {f"{j}{long}": {f"{k}": full for k in range(20)} for j in range(20)} for i in range(20)}
    wide = [[[full] * 20] * 20] * ENTRIES_SHOWN
    for value in (long, deep, wide, [long] * ENTRIES_SHOWN, plain(np.zeros((2, 2, 8, 8))), 10**4000):
        row = everywhere(long, expected=value, got=value, case={f"x{i}": value for i in range(60)}, shown=None)
        rows = [row, *[everywhere(long)] * 30]
        shown(lesson, reply_of(*rows, printed="<\n" * 2000, mine=[long] * 20, reference=[long] * 20))


# In a browser


@pytest.fixture(scope="module")
def site():
    made = StaticSite()
    yield made
    made.close()


@pytest.fixture(scope="module")
def gallery(faulty):
    """Cases of every kind, one page."""
    chosen = [
        ("1.3", "gradient overwritten, not accumulated"), ("1.1", "axis dropped before the division"),
        ("1.4", "matmul's transpositions on the wrong factors"), ("2.3", "softmax without a shift"),
    ]  # fmt: skip
    parts = [points(lesson, [], reply) for lesson, reply in (faulty(*each) for each in chosen)]
    right = np.random.default_rng(0).normal(size=(12, 30))
    drawn = reply_of(
        {
            "expected": plain(right),
            "got": plain(right * 2),
            "index": [0, 0],
            "tolerance": [0.1, 0.1],
            "case": {"x": plain(right)},
        },
        printed=HOSTILE,
    )
    return "".join([*parts, str(points(find("1.3"), [], drawn, stale=True))])


def test_it_can_be_read_by_everyone_and_breaks_no_policy(context, site, gallery):
    head = "".join(f'<link rel="stylesheet" href="{asset(name)}">' for name in ("drawing.css", "verdict.css"))
    page = site.show(context.new_page(), f"<h2>The verdict</h2>{gallery}", head=head)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    page.emulate_media(reduced_motion="reduce")
    accessible(page)
    fits(page)
    framed = "[...document.querySelectorAll('.bad')].every((e) => getComputedStyle(e).boxShadow !== 'none')"
    assert page.evaluate(framed) and page.locator(".bad").count() > 4  # colour never speaks alone


def test_the_module_is_light():
    """Neither torch nor scikit-learn to show a verdict."""
    assert "groundup.desk.verdicts.verdict" in sys.modules
    import subprocess

    code = "import sys, groundup.desk.verdicts.verdict; print([m for m in ('torch', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
