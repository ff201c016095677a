"""Figures are drawn once, by another process, and come into the page without a style, a script or a name of another's."""

import dataclasses
import re
import shutil
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.figures import draw
from groundup.course.lessons.lesson import find, find_all
from groundup.desk.reading import figures
from groundup.desk.reading.figures import draw_figure, figure_if_ready, label_of
from groundup.desk.reading.markup import rendered
from groundup.desk.reading.plates import labelled, plate, print_of, words

from .inert import read

OWN = """
import matplotlib.pyplot as plt
from groundup.course.figures import INK

def curve():
    print("not an answer")
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([0, 1], [0, 1], color=INK)
    axes.set_xlabel("what is on x")
    return figure

def broken():
    raise RuntimeError("no")
"""


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget(monkeypatch)


def forget(monkeypatch):
    """As a new process: nothing in memory."""
    monkeypatch.setattr(figures, "_memory", {})
    monkeypatch.setattr(figures, "_drawings", {})


@pytest.fixture
def own(tmp_path):
    """A lesson of somebody else, with one figure that draws and one that does not."""
    source = find("1.3")
    folder = tmp_path / "lesson"
    shutil.copytree(source.folder, folder)
    (folder / "figures.py").write_text(OWN)
    text = (
        source.page.read_text()
        .replace("figures.py#shares", "figures.py#curve")
        .replace("figures.py#visits", "figures.py#broken")
    )
    (folder / "lesson.md").write_text(text)
    return dataclasses.replace(source, folder=folder)


def test_a_figure_is_ready_once_it_has_been_drawn(monkeypatch):
    lesson = find("1.3")
    assert figure_if_ready(lesson, "shares") is None
    assert "hx-get" in rendered(lesson).html
    drawn = draw_figure(lesson, "shares")
    draw_figure(lesson, "visits")
    assert figure_if_ready(lesson, "shares") == drawn
    page = rendered(lesson).html
    assert "hx-get" not in page and drawn in page
    forget(monkeypatch)
    assert figure_if_ready(lesson, "shares") == drawn  # from the disk


def test_one_process_draws_all_of_a_lesson(monkeypatch):
    lesson, started = find("1.3"), []
    popen = figures.subprocess.Popen
    monkeypatch.setattr(figures.subprocess, "Popen", lambda *a, **k: started.append(a) or popen(*a, **k))
    for _ in range(2):
        assert all("<path" in draw_figure(lesson, name) for name, _ in lesson.figures)
    assert len(started) == 1


def test_a_changed_source_is_drawn_again(own):
    first = draw_figure(own, "curve")
    (own.folder / "figures.py").write_text(OWN.replace("what is on x", "something else"))
    assert figure_if_ready(own, "curve") is None
    assert "something else" in draw_figure(own, "curve") and "what is on x" in first


def test_a_figure_that_fails_says_so_and_does_not_take_the_others_along(own):
    assert "could not be drawn" in draw_figure(own, "broken")
    assert "what is on x" in draw_figure(own, "curve")
    assert figure_if_ready(own, "broken") is None


def test_a_cache_that_cannot_be_written_still_draws(own, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert "what is on x" in draw_figure(own, "curve")


def test_somebody_elses_figure_is_an_image_on_paper_of_its_own(own):
    shown = draw_figure(own, "curve")
    assert (
        'fill="#faf8f3"' in shown
        and 'color="#1f2328"' in shown
        and '<img src="/lesson/1.3/figure/curve.svg"' in rendered(own).html
    )


def test_what_a_lesson_does_not_show_is_not_drawn():
    with pytest.raises(KeyError):
        draw_figure(find("1.3"), "../../etc/passwd")
    with pytest.raises(KeyError):
        label_of(find("1.3"), "nothing")


def test_a_caption_is_the_words_for_who_cannot_see():
    lesson = find("1.3")
    assert f'role="img" aria-label="{label_of(lesson, "shares")}"' in labelled(words("x"), label_of(lesson, "shares"))
    assert labelled("<svg >", '"><script>').count("<") == 1


# What comes out of matplotlib


@pytest.fixture(scope="module")
def drawn():
    """Some figures as matplotlib draws them: lines, bars, areas, images, mathematics, many points."""
    wanted = {"1.1": "memory", "1.2": "steps", "2.2": "geometry", "2.5": "boundaries", "3.7": "made", "7.7": "shares"}
    return {section: draw(find(section), name) for section, name in wanted.items()}


def test_a_plate_is_inert_and_has_no_style(drawn):
    for section, svg in drawn.items():
        shown = plate(svg, "f-")
        found = read(shown)
        assert "style=" not in shown and "<style" not in shown and "xlink" not in shown and 'pt"' not in shown, section
        assert found.elements[0][0] == "svg" and {"viewbox", "width", "height"} <= set(found.elements[0][1])


def test_a_plate_shows_what_was_drawn(drawn):
    for section, svg in drawn.items():
        before, after = ElementTree.fromstring(svg), ElementTree.fromstring(plate(svg, "f-"))
        for tag in ("use", "image", "text"):
            count = len(before.findall(f".//{{*}}{tag}"))
            assert len(after.findall(f".//{{*}}{tag}")) == count, (section, tag)
        said, shown = (["".join(e.itertext()).split() for e in root.iterfind(".//{*}text")] for root in (before, after))
        assert ["".join(words) for words in shown] == ["".join(words) for words in said], section
        ids = {e.get("id") for e in after.iter()}
        refers = {e.get("href")[1:] for e in after.iter() if (e.get("href") or "").startswith("#")}
        refers |= {m for e in after.iter() for v in e.attrib.values() for m in re.findall(r"url\(#([^)]*)\)", v)}
        assert refers <= ids and all(name.startswith("f-") for name in refers)


def test_no_label_is_lost_at_the_edge():
    """matplotlib cuts to the ink only where it is asked to: the label of the x axis lies below the axes."""
    root = ElementTree.fromstring(plate(draw(find("1.3"), "visits"), ""))
    height = float(root.get("viewBox").split()[3])
    label = next(e for e in root.iter("{http://www.w3.org/2000/svg}text") if e.text and "how often" in e.text)
    assert float(label.get("y")) < height


def test_a_number_is_one_word_and_its_exponent_another(drawn):
    assert re.search(
        r"<tspan [^>]*>10</tspan>\s*<tspan [^>]*>−</tspan>\s*<tspan [^>]*>14</tspan>", plate(drawn["1.2"], "f-")
    )


def test_two_plates_share_no_name(drawn):
    svg = drawn["2.2"]
    one, two = (set(re.findall(r'id="([^"]*)"', plate(svg, prefix))) for prefix in ("a-", "b-"))
    assert one and not one & two


def test_ink_follows_the_page_and_tones_come_near_it(drawn):
    shown = plate(drawn["1.2"], "f-")
    assert "currentColor" in shown and "#1f2328" not in shown
    assert re.search(r'<use class="stroke" [^>]*stroke="currentColor"', shown) or 'class="stroke"' in shown
    assert not re.search(r'<(text|tspan)[^>]* fill="#(?!ffffff)', shown)


def test_every_lesson_has_words_for_its_figures():
    for lesson in find_all():
        for name, _ in lesson.figures:
            assert len(label_of(lesson, name)) > 20 and "$" not in label_of(lesson, name)


# What a process that is not trusted may say


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">{}</svg>'
HOSTILE = [
    "<script>alert(1)</script>",
    "<style>@import url(//evil)</style>",
    '<g onclick="alert(1)" style="background:url(//evil);fill:red"/>',
    '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
    '<use xlink:href="//evil/x.svg#a"/><use href="data:image/svg+xml;base64,AA#a"/>',
    '<image xlink:href="https://evil/x.png"/><image href="data:image/svg+xml;base64,AA"/><image href="javascript:1"/>',
    "<foreignObject><div xmlns='http://www.w3.org/1999/xhtml' onclick='1'>x</div></foreignObject>",
    '<animate attributeName="href" values="javascript:alert(1)"/><set attributeName="onclick" to="1"/>',
    '<rect fill="url(//evil#a)" stroke="url(javascript:1)" style="fill:url(https://evil);stroke:expression(1)"/>',
    '<text>&lt;script&gt;alert(1)&lt;/script&gt;</text><title>x</title>',
    "<svg onload='1'><script>1</script></svg>",
    '<g id="token"/><path id="&quot;&gt;&lt;script&gt;" d="M0 0"/><use href="#&quot;&gt;&lt;script&gt;"/>',
    '<text font-size="1px" style="font-family:x;fill:red;&quot;&gt;&lt;script&gt;:x">x</text>',
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:30])
def test_a_hostile_picture_is_inert(hostile):
    for made in (plate(SVG.format(hostile), "f-"), print_of(SVG.format(hostile))):
        found = read(made)
        assert "evil" not in made and "token" not in made
        assert all(tag in ("svg", "g", "rect", "text", "use", "image", "path") for tag, _ in found.elements)


@pytest.mark.parametrize(
    "text",
    [
        "", "<html/>", "<svg", "not xml", '<svg viewBox="0 0 x 9"/>', '<!DOCTYPE svg [<!ENTITY a "b">]><svg viewBox="0 0 1 1">&a;</svg>',
        '<svg viewBox="0 0 1 1"><text>&undeclared;</text></svg>',
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(text):
    with pytest.raises(ValueError):
        plate(text, "")


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40),
    st.sampled_from(["fill", "d", "id", "style", "href", "transform", "x"]),
)
@settings(max_examples=200, deadline=None)
def test_any_value_of_an_attribute_is_inert(value, key):
    picture = ElementTree.Element("svg", viewBox="0 0 9 9")
    ElementTree.SubElement(picture, "text", {key: value}).text = value
    read(plate(ElementTree.tostring(picture, encoding="unicode"), "f-"))
