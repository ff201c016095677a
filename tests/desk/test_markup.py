"""A lesson's prose becomes HTML that shows all of it and does nothing, whoever wrote it."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.lessons.lesson import PARTS, find, find_all
from groundup.course.lessons.probes import load_probes
from groundup.desk.reading.highlight import highlighted
from groundup.desk.reading.markup import rendered
from groundup.desk.reading.prose import is_safe_link, parts_of

from .inert import read

LESSONS = find_all()
LESSON = find("1.1")


@pytest.fixture(autouse=True)
def no_figures(tmp_path, monkeypatch):
    """None has been drawn, whatever the machine's own cache has."""
    from groundup.desk.reading import figures

    monkeypatch.setattr(figures, "_memory", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def html(prose):
    return "\n".join(part.html for part in parts_of(prose, ()))


def lesson_with(prose, folder):
    """A lesson like another, with this prose, in a folder that does not come with groundup."""
    (folder / "lesson.md").write_text(prose, encoding="utf-8")
    return dataclasses.replace(LESSON, folder=folder, body_line=1)


# The lessons of the course


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.section_id)
def test_every_lesson_is_inert_and_whole(lesson):
    page = rendered(lesson)
    found = read(page.html)
    ids = [values["id"] for _, values in found.elements if "id" in values]
    assert len(ids) == len(set(ids)) and all(name.startswith("part-") for name in ids)
    assert [title for _, title in page.contents][-4:] == list(PARTS)
    assert len(page.contents) == len(lesson.headings)
    figures = [values["data-figure"] for tag, values in found.elements if tag == "figure"]
    assert figures == [name for name, _ in lesson.figures]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.section_id)
def test_every_block_that_runs_is_a_cell_with_its_output(lesson):
    shown = str(rendered(lesson).html)
    cells = re.findall(r'<div class="cell" data-cell="(\d+)"><pre[^>]*><code>(.*?)</code></pre>', shown, re.DOTALL)
    outputs = re.findall(r'<pre class="out" data-out="(\d+)"[^>]*>(.*?)</pre>', shown, re.DOTALL)
    buttons = re.findall(r'<button class="button quiet" type="button" data-run="(\d+)">run</button>', shown)
    expected = list(enumerate(lesson.blocks))
    assert [(int(n), read(code).text) for n, code in cells] == [(n, block.code.rstrip("\n")) for n, block in expected]
    assert [(int(n), read(text).text) for n, text in outputs] == [
        (n, (b.output or "").rstrip("\n")) for n, b in expected
    ]
    assert [int(n) for n in buttons] == [n for n, _ in expected]


def test_no_word_of_a_lesson_is_lost():
    for lesson in LESSONS:
        shown = re.sub(r"\W+", "", read(rendered(lesson).html).text)
        prose = re.sub(r"```.*?```|`[^`]*`|\$\$?[^$]+\$\$?|\]\([^)]*\)|!\[", "\n", lesson.prose, flags=re.DOTALL)
        for line in re.split(r"\n|\|", prose):
            for words in re.findall(r"[A-Za-z]+(?: [A-Za-z]+)*", line):
                assert re.sub(r"\W+", "", words) in shown, (lesson.section_id, words)


def test_questions_are_asked_by_themselves():
    asked = [
        (lesson, *re.findall(r'<p class="ask"><strong>(.*?)</strong>', rendered(lesson).html)) for lesson in LESSONS
    ]
    for lesson, *found in asked:
        assert len(found) == lesson.prose.count("**Predict, then run.**"), lesson.section_id
        assert set(found) <= {"Predict, then run."}
    shown = html("It is what the card waits for. **Predict, then run.** How many?")
    assert (
        shown
        == '<p>It is what the card waits for.</p>\n<p class="ask"><strong>Predict, then run.</strong> How many?</p>\n'
    )


def test_checkpoints_stand_before_the_exercises_when_they_are_wanted():
    lesson = find("1.3")
    titles = [section.title for section in rendered(lesson, checkpoints=True).sections]
    assert titles[titles.index("Exercises") - 1] == "Checkpoints" and "Checkpoints" not in [
        section.title for section in rendered(lesson).sections
    ]
    shown = read(rendered(lesson, checkpoints=True).html)
    assert all(probe.checkpoint.name in shown.text for probe in load_probes(lesson))


def test_what_stands_before_the_first_heading_is_a_section_without_a_name():
    first = rendered(find("1.3")).sections[0]
    assert first.id == first.title == "" and first.html.startswith("<p>To train a network")


# What prose may contain


def test_headings_begin_at_the_second_level_and_have_ids_of_their_own():
    shown = read(html("# One\n\n## Build it\n\n### Two\n\n## Build it\n\n> ## Quoted\n\n###### Deep\n\n## `x` $y$!"))
    heads = [(tag, values["id"]) for tag, values in shown.elements if tag[0] == "h"]
    assert heads == [
        ("h2", "part-one"), ("h2", "part-build-it"), ("h3", "part-two"), ("h2", "part-build-it-2"), ("h3", "part-quoted"),
        ("h4", "part-deep"), ("h2", "part-x-y"),
    ]  # fmt: skip


def test_a_table_scrolls_by_itself_and_says_what_it_is():
    shown = html("| step | $x$ |\n|:--|--:|\n| a | 1 |")
    assert '<div class="table" role="region" tabindex="0" aria-label="table: step, x">' in shown
    assert '<th class="left">step</th>' in shown and '<td class="right">1</td>' in shown and "style" not in shown


def test_a_header_has_words_or_is_none():
    shown = html("| $x^2$ |\n|---|\n| $y$ |")
    assert (
        '<th><span class="said">x²</span><span aria-hidden="true"><span class="math"' in shown
        and '<td><span class="math"' in shown
    )
    assert "<tr>\n<td></td>\n<th>x</th>\n</tr>" in html("|  | x |\n|---|---|\n| a | b |")


def test_links_to_the_web_are_seen_to_be():
    shown = html("[a](https://example.org/x?y=1#z) and <mailto:a@b.org> and [b](#build-it) and [c](/lesson/1.3)")
    assert '<a href="https://example.org/x?y=1#z" class="away" rel="noreferrer noopener" target="_blank">a' in shown
    assert '<span class="said">(on the web)</span></a>' in shown and shown.count("away") == 1
    assert '<a href="#part-build-it">b</a>' in shown and '<a href="/lesson/1.3">c</a>' in shown


def test_no_line_breaks_between_a_formula_and_its_sign():
    shown = html("so ($x$), or $y$.")
    assert re.search(r'so <span class="bound">\(<span class="math".*?</span>\),</span> or <span class="bound">', shown)


def test_footnotes_definitions_boxes():
    shown = html(
        "a[^n]\n\n[^n]: the *note*\n\nterm\n: meaning\n\n::: exercise\nTry.\n:::\n\n:::{note}\nSee.\n:::\n\n::: other\nNo.\n:::"
    )
    assert '<a href="#note-1" id="note-1-from-0">1</a>' in shown and '<li id="note-1">' in shown
    assert "<dt>term</dt>" in shown and '<div class="box exercise">' in shown and '<div class="box note">' in shown
    assert "::: other" in shown
    read(shown)


def test_prices_are_not_mathematics():
    assert "math" not in html("It costs $5 or $ 6, and 7$ more.")


def test_code_is_coloured_by_classes_and_only_in_languages_of_ours():
    assert highlighted('def f(x):  # why\n    return "a" + 1') == (
        '<span class="kw">def</span> <span class="def">f</span>(x):  <span class="com"># why</span>\n'
        '    <span class="kw">return</span> <span class="str">&#34;a&#34;</span> + <span class="num">1</span>'
    )
    assert highlighted("<b>", "brainfuck") == "&lt;b&gt;" and highlighted("x" * 60_000) == "x" * 60_000


@given(st.text(alphabet="abc \n\t#'\"\\(){}[]<>&:=@é\x0c", max_size=200))
@settings(deadline=None)
def test_coloured_code_is_the_same_code(code):
    assert read(f"<pre>{highlighted(code)}</pre>").text == code


# Cells are what will run, and nothing else


def test_only_what_will_run_gets_a_button():
    code = "```python run\nprint(1)\n```\n"
    assert "data-run" not in html(code)  # no block of the lesson
    assert "data-run" not in "".join(part.html for part in parts_of(code, ((0, "print(2)"),)))  # another's code
    assert "data-run" not in "".join(part.html for part in parts_of(f"> {code}", ((0, "print(1)"),)))
    shown = "".join(part.html for part in parts_of(code, ((0, "print(1)"),)))
    assert 'data-run="0"' in shown and '<pre class="out" data-out="0" hidden></pre>' in shown


# Lessons of somebody else


ATTACKS = [
    "<script>alert(1)</script>",
    "a <img src=x onerror=alert(1)> b",
    "<svg onload=alert(1)><script>1</script></svg>",
    "<iframe srcdoc='<script>1</script>'>",
    "<style>*{display:none}</style>",
    "<!-- --!><script>1</script> -->",
    "<div hx-get=/lesson/1.3/reset hx-trigger=load>",
    "<meta http-equiv=refresh content=0;url=//evil>",
    "<base href=//evil><a href=x>y</a>",
    "<?php 1 ?><![CDATA[<script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x09;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:1) [y](file:///etc/passwd) [z](blob:x)",
    "[x](//evil.org) [y](/lesson/1.3/reset) [z](../../x) [w](\\\\evil)",
    "[x](https://good.org@evil.org) [y](https:\\evil)",
    '[x](https://a.org "onmouseover=alert(1)")',
    "[x](https://a.org/'onclick='1 \"y\")",
    "<javascript:alert(1)> <https://a.org/\"onclick=1>",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](javascript:alert(1))",
    "![x](https://evil.org/pixel.png)",
    "![x\" onload=\"alert(1)](figures.py#shares)",
    "![<script>alert(1)</script>](figures.py#shares)",
    "![a $</span><script>$ b](figures.py#shares)",
    '![`"><img src=x onerror=1>`](figures.py#shares)',
    "![x](figures.py#../../etc)",
    "[link to a figure](figures.py#shares)",
    '```python" onmouseover="alert(1)\nx\n```',
    "```<script>\n</pre></code></script><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "    </pre><script>alert(1)</script>",
    "```output\n</pre><script>alert(1)</script>\n```",
    "| <script> | \" onclick=1 |\n|---|---|\n| <img src=x onerror=1> | </table> |",
    "# <script>alert(1)</script>\n\n## \" onclick=\"1\n\n## token\n\n## \x00\x01",
    "$\\href{javascript:alert(1)}{x}$ $\\text{<script>alert(1)</script>}$",
    "$$\n\\htmlData{hx-get=/x}{y}\n\\text{</div><script>1</script>}\n$$",
    '$" onmouseover="alert(1)$',
    "[^x]\n\n[^x]: <script>1</script>\n\n[^\"onclick=1]: y",
    "a^[<script>1</script>]",
    "term\n: <script>1</script>",
    "::: exercise onclick=1\n<script>\n:::",
    ':::{exercise" onclick="1}\n<script>\n:::',
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62;",
    "\0000\0 \0 1\0 \ufffd",
    "{onclick=alert(1)}\n# x {#token .button onclick=1}",
    "> " * 2000 + "x",
    "- " * 2000 + "x",
    "[" * 5000 + "x",
    "*" * 5000 + "x" + "_" * 5000,
    "![" * 2000 + "](figures.py#a)",
    "`" * 3001 + "x",
    "$" * 3001,
    "|" * 3000 + "\n" + "|-" * 1500 + "|\n" + "|" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: ascii(attack)[1:40])
def test_hostile_prose_is_inert(attack, tmp_path):
    read(html(attack))
    page = rendered(lesson_with(f"{attack}\n\n{attack}", tmp_path))
    found = read(page.html)
    assert not any(values.get("id", "part-").split("-")[0] not in ("part", "note") for _, values in found.elements)
    assert not [values for _, values in found.elements if "data-run" in values]


def test_raw_html_is_shown_as_it_was_written():
    found = read(html("a <b onclick='x'>word</b> & <!-- c -->"))
    assert found.text.strip() == "a <b onclick='x'>word</b> & <!-- c -->"


PIECES = st.sampled_from(
    [*"<>\"'`*_[]()!#$|&;:\\/=-+~^{}.\n\n\n  ab1", "<script>", "</script>", "<img src=x onerror=1>", "javascript:", "https://a.org", "](", "![",
     "figures.py#a", "\n```python run\n", "\n```\n", "\n```output\n", "$$\n", "\n> ", "\n- ", "\n1. ", "\n## ", "\n::: exercise\n", "\n:::\n", "[^1]",
     "\n[^1]: ", "\n|a|b|\n|-|-|\n", "&#x3c;", "\0", "\n: ", "**Predict, then run.**", "<!--", "-->", " onclick=1 "]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_prose_is_inert(prose):
    blocks = tuple((block.line - 1, block.code) for block in _blocks(prose))
    for part in parts_of(prose, blocks):
        read(part.html)
        assert part.html.count("\0") == 2 * len(part.figures)


def _blocks(prose):
    from groundup.course.lessons.lesson import _run_blocks

    return list(_run_blocks(prose, 1))


@given(
    st.text(max_size=60), st.sampled_from(["", "https://", "http://", "mailto:", "#", "/lesson/", "javascript:", "//"])
)
@settings(max_examples=300, deadline=None)
def test_a_safe_link_goes_where_links_may_go(rest, start):
    url = start + rest
    if is_safe_link(url):
        assert re.match(r"(https?://[^/@\\\s]|mailto:|#|/lesson/\d+\.\d+)", url, re.IGNORECASE)
        assert not set(url) & set("<>\"'`\\ \n\t")


def test_a_lesson_of_somebody_else_shows_its_figures_as_images(tmp_path):
    page = rendered(lesson_with('![A "quoted" $x^2$ caption.](figures.py#curve)', tmp_path))
    assert '<img src="/lesson/1.1/figure/curve.svg" alt="A &#34;quoted&#34; x² caption." loading="lazy">' in page.html
    assert "<svg" not in page.html and "hx-get" not in page.html


def test_a_page_is_written_anew_when_its_prose_changes(tmp_path):
    assert "one" in rendered(lesson_with("one", tmp_path)).html
    assert "two" in rendered(lesson_with("two", tmp_path)).html
