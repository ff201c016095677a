"""The shelf: its data, what it shows when, BibTeX read back by a parser of this test's own, and notes that belong to the learner."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.course.lessons.lesson import find_all
from groundup.course.shelf import reading_log
from groundup.course.shelf.bibtex import bibtex, entry
from groundup.course.shelf.shelf import (
    IMPORTANCE,
    KINDS,
    PHASES,
    Asked,
    Item,
    ShelfError,
    asked_of,
    chosen,
    find,
    held_back,
    kind_of,
    load,
    rhythm,
    shelf,
    three_passes,
)
from groundup.course.shelf.standing import phase_at, unread_before
from groundup.course.workspace.workspace import WorkspaceError, make_workspace

NOW = datetime(2026, 3, 1, 20, 15, tzinfo=timezone.utc)
COURSE = {
    1: 7,
    2: 13,
    3: 8,
    4: 10,
    5: 12,
    6: 10,
    7: 9,
    8: 7,
    9: 9,
    10: 6,
    11: 7,
    12: 5,
    13: 13,
    14: 7,
}  # last lesson of a phase
WRITTEN = {lesson.section_id for lesson in find_all()}
SAID = (
    "It drops units at random while training. Error falls on five data sets. I would test it with batch norm beside it."
)
HOSTILE = [
    "../../etc/passwd",
    "",
    ".",
    "a/b",
    "A",
    "attention.md",
    "attention\n",
    "x" * 300,
    "é",
    "-a",
    "a--b",
    "a b",
    "\0",
]


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "ws")


# The data


def test_every_kind_is_there_and_every_key_is_unique():
    keys = [item.key for item in shelf()]
    assert len(keys) == len(set(keys))
    assert {item.kind for item in shelf()} == set(KINDS)
    papers = [item for item in shelf() if item.kind == "papers"]
    assert 80 <= len(papers) <= 99
    assert {item.importance for item in papers} == set(IMPORTANCE)


def test_every_arxiv_id_is_of_the_year_that_is_given():
    found = [item for item in shelf() if item.arxiv]
    for item in found:
        year, month, number = re.fullmatch(r"(\d\d)(\d\d)\.(\d{4,5})", item.arxiv).groups()
        assert 1 <= int(month) <= 12, item.key
        assert len(number) == (5 if (int(year), int(month)) >= (15, 1) else 4), (
            item.key
        )  # five digits since January 2015
        if item.kind == "papers":
            assert item.year == 2000 + int(year), item.key
    assert len({item.arxiv for item in found}) == len(found)


def test_every_lesson_is_of_the_course():
    for item in shelf():
        for lesson in item.serves:
            phase, order = map(int, lesson.split("."))
            assert lesson in WRITTEN or (phase in COURSE and (order or phase == 1) and order <= COURSE[phase]), item.key


def test_every_paper_says_when_why_and_who():
    for item in shelf():
        assert 5 <= len(item.why.split()) <= 60 and item.why.endswith("."), item.key
        assert not re.search(r"[!]|\bsimply\b", item.why), item.key
        assert item.link.startswith(("http://", "https://"))
        assert item.serves, item.key
        assert not any("," in name and "University" in name for name in item.by), item.key  # no family, no given name
        if item.kind == "papers":
            assert item.by and item.year and item.lessons, item.key
            assert item.importance != "must" or item.look or item.key in ("how-to-read-a-paper", "troubling-trends"), (
                item.key
            )
            assert "others" not in item.by[:-1] and all("," in name or name == "others" for name in item.by), item.key


def test_every_phase_asks_for_something_and_none_for_too_much():
    for phase in PHASES:
        assert 2 <= len(asked_of(phase)) <= 9, phase
        assert rhythm(phase)
    assert sum(item.importance == "must" for item in shelf() if item.kind == "papers") <= 40


def test_what_the_issue_of_the_field_names_is_there():
    for key in [
        "islp",
        "esl",
        "nielsen",
        "d2l",
        "sutton-barto",
        "murphy",
        "mml",
        "boyd-convex",
        "huyen-systems",
        "cs231n",
        "fast-ai",
        "zero-to-hero",
    ]:
        assert find(key).serves
    for key in ["3b1b-neural-networks", "statquest", "spinning-up", "silver", "cs236", "cs330", "distill", "lil-log"]:
        assert find(key).serves


@pytest.mark.parametrize(
    "row, says",
    [
        ('key = "A"', "small letters"),
        ('importance = "most"', "importance is one of"),
        ("phase = 15", "phase is 1 to 14"),
        ("phase = true", "phase is 1 to 14"),
        ('lessons = ["15.1"]', "lessons are ids"),
        ("lessons = [7.2]", "a text was expected"),
        ('arxiv = "hep-th/9901001"', "arxiv is an id"),
        ('url = "javascript:alert(1)"', "url is a link"),
        ('doi = "doi:1"', "doi is one such as"),
        ('colour = "red"', "colour"),
        ('title = ""', "title and why"),
        ("year = 20", "year is a year"),
        ("by = []", "authors and a year"),
        ('chapters = [{ what = "x" }]', "lessons"),
    ],
)
def test_malformed_data_is_one_sentence_with_the_item(tmp_path, row, says):
    fields = {
        "key": '"a"', "title": '"A"', "why": '"Because."', "importance": '"may"', "phase": "7", "year": "2020",
        "by": '["B, C"]', "arxiv": '"2001.00001"',
    }  # fmt: skip
    name, _, value = row.partition(" = ")
    fields[name] = value
    path = tmp_path / "papers.toml"
    path.write_text("[[item]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items()))
    with pytest.raises(ShelfError, match=re.escape(says)) as problem:
        load(path, "papers")
    assert "papers.toml: item 1" in str(problem.value)


# What it shows


def test_no_papers_before_phase_four_unless_asked():
    for phase in (1, 2, 3):
        assert not [item for item in chosen(Asked(phase=phase)) if item.kind == "papers"]
        assert held_back(Asked(phase=phase)) == len(chosen(Asked(("papers",), phase, everything=True)))
    assert chosen(Asked(("papers",), 2, everything=True))
    assert not chosen(Asked(("papers",), lesson="3.3")) and chosen(Asked(("papers",), lesson="3.3", everything=True))
    assert all(item.phase >= 4 for item in chosen(Asked(("papers",))))
    assert chosen(Asked(phase=4, kinds=("papers",)))


@given(
    st.builds(
        Asked,
        st.lists(st.sampled_from(KINDS), unique=True).map(tuple),
        st.none() | st.sampled_from(list(PHASES)),
        st.just("") | st.sampled_from(["1.3", "6.5", "7.2", "14.3", "12.4"]),
        st.lists(st.sampled_from(IMPORTANCE), unique=True).map(tuple),
        st.booleans(),
    )
)
def test_what_is_shown_is_what_answers(asked):
    shown = chosen(asked)
    for item in shown:
        assert not asked.kinds or item.kind in asked.kinds
        assert asked.phase is None or asked.phase in item.phases
        assert not asked.lesson or asked.lesson in item.serves
        assert not asked.importance or item.importance in asked.importance
    if asked.phase is not None or asked.lesson:
        order = [(KINDS.index(item.kind), IMPORTANCE.index(item.importance)) for item in shown]
        assert order == sorted(order)  # the musts first
    everything = Asked(asked.kinds, asked.phase, asked.lesson, asked.importance, everything=True)
    assert len(shown) + held_back(asked) == len(chosen(everything))


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_is_not_there_is_said_in_a_line(key, workspace):
    with pytest.raises(ShelfError) as problem:
        find(key)
    assert "\n" not in str(problem.value).replace("\\n", "") and len(str(problem.value)) < 200
    with pytest.raises(ShelfError):
        reading_log.path_of(workspace, key)


def test_a_near_key_is_named():
    with pytest.raises(ShelfError, match="did you mean attention"):
        find("atention")
    assert kind_of("Paper") == "papers" and kind_of("person") == "people"
    with pytest.raises(ShelfError, match="kind is one of"):
        kind_of("films")
    with pytest.raises(ShelfError):
        Asked(phase=0)
    with pytest.raises(ShelfError):
        Asked(lesson="7")


# BibTeX, read back


def parsed(text):
    """Entries of BibTeX: [(type, key, {field: value})]. A reader of its own: braces counted, LaTeX undone."""
    found, i = [], 0
    while (start := text.find("@", i)) >= 0:
        head = re.compile(r"@(\w+)\{([^,\s{}]+),").match(text, start)
        assert head, text[start : start + 60]
        fields, i = {}, head.end()
        while field := re.compile(r"\s*(\w+)\s*=\s*\{").match(text, i):
            depth, j = 1, field.end()
            while depth:
                assert j < len(text), "a brace that is never closed"
                if text[j] == "\\":
                    j += 2
                    continue
                depth += {"{": 1, "}": -1}.get(text[j], 0)
                j += 1
            assert field[1] not in fields
            fields[field[1]] = text[field.end() : j - 1]
            comma = re.compile(r"\s*,").match(text, j)
            i = comma.end() if comma else j
        end = re.compile(r"\s*\}").match(text, i)
        assert end, text[i : i + 60]
        found.append((head[1], head[2], fields))
        i = end.end()
    assert not text[i:].strip()
    return found


def plain(latex):
    """What LaTeX would set."""
    marks = {
        "`": "\u0300",
        "'": "\u0301",
        "^": "\u0302",
        "~": "\u0303",
        '"': "\u0308",
        "r": "\u030a",
        "c": "\u0327",
        "v": "\u030c",
    }
    marks |= {"=": "\u0304", "u": "\u0306", ".": "\u0307", "k": "\u0328", "H": "\u030b"}
    signs = {"ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "i": "ı"}
    latex = re.sub(
        r"\{\\([`'^~\"=.]|[a-zA-Z] )([a-zA-Z])\}",
        lambda m: unicodedata.normalize("NFC", m[2] + marks[m[1].strip()]),
        latex,
    )
    latex = re.sub(r"\{\\([A-Za-z]+)\}", lambda m: signs[m[1]], latex)
    for word, sign in (("textbackslash", "\\"), ("textasciitilde", "~"), ("textasciicircum", "^")):
        latex = latex.replace(rf"\{word}{{}}", f"\0{ord(sign)};")
    latex = re.sub(r"\\([%&$#_{}])", lambda m: f"\0{ord(m[1])};", latex)
    latex = re.sub(r"[{}]", "", latex)
    return re.sub(r"\0(\d+);", lambda m: chr(int(m[1])), latex)


def test_the_whole_shelf_is_bibtex():
    entries = parsed(bibtex(shelf()))
    assert [key for _, key, _ in entries] == [item.key for item in shelf()]
    for (kind, _, fields), item in zip(entries, shelf()):
        assert kind in ("article", "book", "misc")
        assert plain(fields["title"]) == item.title
        assert fields["url"] == item.link and fields.get("eprint", "") == item.arxiv
        assert fields.get("year", "") == str(item.year or "")
        assert [plain(name) for name in fields.get("author", "").split(" and ")] == list(item.by or [""])
        assert all(line.isascii() for line in fields.values()), item.key


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Mn", "Me", "Mc")), min_size=1, max_size=60
    )
)
def test_any_title_comes_back_from_bibtex(title):
    title = unicodedata.normalize("NFC", title)
    item = Item("papers", "k", title, "w.", "may", 7, ("B, C",), 2020, url="https://example.org/%20_a#b")
    [(_, key, fields)] = parsed(entry(item))
    assert key == "k" and fields["url"] == item.url
    quoted = title.translate(
        str.maketrans({'"': "''", "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''"})
    )
    loose = str.maketrans("", "", "αβλ²")
    if not set(title) & set("αβλ²"):
        assert plain(fields["title"]) == quoted
    else:
        assert quoted.translate(loose)[:1] in plain(fields["title"])


def test_an_organisation_is_one_name():
    [(_, _, fields)] = parsed(
        entry(Item("courses", "k", "T", "w.", "may", 7, ("Barnes and Noble",), url="https://e.org"))
    )
    assert fields["author"] == "{Barnes and Noble}"


# The log


@pytest.mark.parametrize(
    "text, count",
    [
        ("", 0),
        ("One.", 1),
        ("No full stop", 1),
        (SAID, 3),
        ("It costs 0.5 s, e.g. on a T4. See Fig. 3 of Vaswani et al. for it. Really?", 3),
        ("A. Karpathy built it. I did too.", 2),
        ("Wait... what? Yes.", 3),
        ('He said "no." Then he left.', 2),
        ("損失が下がる。学習率は高い。なぜか？", 3),
        ("?!. ...", 0),
        ("1. 2. 3.", 0),
    ],
)
def test_sentences_are_counted_as_a_reader_would(text, count):
    assert reading_log.count_sentences(text) == count


def test_an_entry_is_added_at_the_end_and_recorded(workspace):
    item = find("attention")
    path = reading_log.add(workspace, item, SAID, NOW)
    first = path.read_bytes()
    assert path == workspace.root / "notes" / "shelf" / "attention.md" and b"## 2026-03-01" in first
    reading_log.add(workspace, item, SAID + " A second look. It holds.", NOW)
    assert path.read_bytes().startswith(first)
    with workspace.store() as store:
        assert [event.payload["key"] for event in store.events(kind="read")] == ["attention", "attention"]
        assert not store.standings()
    note = reading_log.note_of(workspace, "attention")
    assert note.read and note.sentences == 8 and note.passes == (False, False, False)
    assert reading_log.keys_read(workspace) == {"attention"}


@pytest.mark.parametrize(
    "text", ["", "Short.", "One. Two.", "Ah be. Cad. Elf. Go hi. It is. Keel.", "word " * 2000 + ". Be it. Done."]
)
def test_an_entry_of_another_length_is_refused_and_nothing_is_written(workspace, text):
    with pytest.raises(ShelfError, match="three to five sentences"):
        reading_log.add(workspace, find("attention"), text, NOW)
    assert not (workspace.root / "notes" / "shelf").exists()
    assert reading_log.keys_read(workspace) == set()


def test_passes_are_ticked_by_hand(workspace):
    path = reading_log.begin(workspace, find("resnet"))
    assert all(what in path.read_text() for what in three_passes(find("resnet")))
    path.write_text(path.read_text().replace("- [ ] first", "- [x] first").replace("- [ ] third", "* [X] Third"))
    before = path.read_bytes()
    assert reading_log.note_of(workspace, "resnet").passes == (True, False, True)
    assert reading_log.begin(workspace, find("resnet")) == path and path.read_bytes() == before
    assert "resnet" not in reading_log.keys_read(workspace)
    path.write_bytes(before + b"\nMy own words. Without a date. And more")  # no line feed at the end
    assert reading_log.note_of(workspace, "resnet").read
    reading_log.add(workspace, find("resnet"), SAID, NOW)
    assert path.read_bytes().startswith(before + b"\nMy own words. Without a date. And more\n")


@pytest.mark.parametrize(
    "text",
    [
        "# heading? Be it so. On we go.",
        "- [x] first pass. Be it so. Go.",
        "<!-- ah. Be it so. Go.",
        "ah\x1b[31m. Be\u202eit so. Go\non.",
    ],
)
def test_an_entry_is_text_whatever_it_begins_with(workspace, text):
    reading_log.add(workspace, find("adam"), text, NOW)
    note = reading_log.note_of(workspace, "adam")
    assert note.read and note.passes == (False, False, False)
    assert not any(unicodedata.category(sign) in ("Cc", "Cf") for sign in note.text)


@given(raw=st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_file_is_read_as_far_as_it_goes_and_left_alone(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("n") / "adam.md"
    path.write_bytes(raw)
    note = reading_log.read_note(path)
    assert note.key == "adam" and note.sentences >= 0
    assert path.read_bytes() == raw


def test_what_is_no_file_is_said_and_never_waited_for(workspace):
    folder = workspace.root / "notes" / "shelf"
    folder.mkdir(parents=True)
    (folder / "adam.md").mkdir()
    os.mkfifo(folder / "lora.md")
    (folder / "dpo.md").symlink_to(folder / "nowhere.md")
    (folder / "Not A Key.md").write_text(SAID)
    (folder / "long-one.md").write_bytes(b"word. " * 100_000)
    notes = reading_log.notes_of(workspace)
    assert (
        "no file" in notes["adam"].problem
        and "no file" in notes["lora"].problem
        and "longer" in notes["long-one"].problem
    )
    assert set(notes) == {"adam", "lora", "dpo", "long-one"}
    for key in ("adam", "lora", "dpo"):
        with pytest.raises(ShelfError):
            reading_log.add(workspace, find(key), SAID, NOW)
    assert reading_log.keys_read(workspace) == {"long-one"}


def test_a_note_out_of_reach_is_said(workspace):
    (workspace.root / "notes" / "shelf").write_text("a file where a folder belongs")
    assert reading_log.notes_of(workspace) == {}
    with pytest.raises(WorkspaceError, match=r"cannot be (written|read)"):
        reading_log.add(workspace, find("adam"), SAID, NOW)


# Where one stands, and the command


def test_the_phase_at_hand_is_that_of_the_next_lesson(workspace):
    assert phase_at(None) == phase_at(workspace) == 1
    with workspace.store() as store:
        for lesson in sorted(WRITTEN):
            if lesson.startswith("1."):
                store.append("placed", lesson, {}, stretch=False, seed=1)
    assert phase_at(workspace) == 2
    unread = {item.key for item in unread_before(4, set())}
    assert "islp" in unread and not unread & {item.key for item in asked_of(4)}
    assert "islp" not in {item.key for item in unread_before(4, {"islp"})}


def run(folder, *arguments):
    command = [sys.executable, "-m", "groundup", "shelf", *arguments]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment)


def test_the_command_from_asking_to_the_log(workspace, tmp_path):
    root = workspace.root
    found = json.loads(run(root, "--json").stdout)
    assert found["schema"] == 1 and found["phase"] == 1 and found["items"] and found["held_back"] == 0
    assert {item["kind"] for item in found["items"]}.isdisjoint({"papers"})
    done = run(root, "--read", "attention", SAID)
    assert done.returncode == 0 and "notes/shelf/attention.md" in done.stdout
    [item] = json.loads(run(root, "attention", "--json").stdout)["items"]
    assert item["read"] and item["says"] == SAID and item["passed"] == [False] * 3
    sixth = run(root, "--phase", "6").stdout
    assert "●" in sixth and "one closely: groundup shelf bahdanau-attention" in sixth  # the first that is not read
    assert "notes/shelf/attention.md" in run(root, "attention").stdout
    musts = json.loads(run(root, "--must", "--json").stdout)  # of the phase at hand
    assert musts["phase"] == 1 and {item["importance"] for item in musts["items"]} == {"must"}
    assert "\n    lesson 7.6\n" in run(root, "--phase", "7").stdout
    refused = run(root, "--read", "attention", "Too short.")
    assert refused.returncode == 2 and refused.stdout == "" and refused.stderr.count("\n") == 1
    entries = parsed(run(tmp_path, "--lesson", "7.2", "--bibtex").stdout)  # needs no workspace
    assert {"gpt2", "zero-to-hero"} <= {key for _, key, _ in entries}
    wrong = ["nothing"], ["--phase", "15"], ["--kind", "films"], ["--begin"], ["--read", "../x", SAID]
    at_odds = ["adam", "--phase", "7"], ["adam", "--read", "adam", SAID], ["--must", "--bibtex", "--json"]
    for arguments in (*wrong, *at_odds):
        refused = run(root, *arguments)
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and not refused.stdout, arguments
