"""The explorables of phases 3 and 7: what the sandbox computes against oracles of this file's own, hostile texts, one's own models."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise, product

import numpy as np
import pytest
import regex
import torch
from torch.nn import functional as F

from groundup import text as text_library
from groundup.cli import training
from groundup.course.holes.library import module_name, reference_text
from groundup.course.overlay import Library
from groundup.course.workspace.workspace import make_workspace
from groundup.desk.explore import (
    attention,
    byte_pairs,
    convolution,
    find_all,
    first_weights,
    optimisers,
    sampling,
    trained,
)
from groundup.desk.explore.computing import Computing, NotComputed
from groundup.desk.explore.explorable import Choice, Slider, Steps
from groundup.desk.explore.numbers import short
from groundup.desk.explore.pages import pages
from groundup.experiments import language_model
from groundup.lab import recipe as recipes
from groundup.lab.record import Records
from groundup.nets.maps import attention_maps
from groundup.text.ngram import KneserNey

OURS = ("convolution", "first-weights", "optimisers", "through-time", "byte-pairs", "attention", "sampling")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)> & &amp; ' `",
    "</span></p></svg><b onclick=x>&#60;",
    "{{ 7 * 7 }} {% include 'page.html' %}",
    "naïve 日本 \U0001f600 \U0001f600\U0001f600 ẞ",
    "a" * 400,
    "   ",
    "",
    "\n\n",
)
REFUSED = ("x" * 401, "x" * 10_000, "a\x00b", "\x1b[31m", "a\u202eb", "\u200b", "\ud800")
TINY = [
    "train.seconds=0", "train.steps=3", "train.batch=4", "train.context=64", "train.save_seconds=0", "floor=false",
    "model.layers=2", "model.heads=2", "model.width=32", "model.zero_init=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace with two language models that were trained for three steps: one of characters, one of byte pairs, tied."""
    made = make_workspace(tmp_path_factory.mktemp("explore") / "ws").root
    corpus = made.parent / "corpus.txt"
    corpus.write_text(pages()[:30_000])
    with Records(made / "runs") as kept:
        for more in (["tokenizer=chars"], ["tokenizer=bpe", "vocabulary=300", "model.tied=true", "model.before=1"]):
            training.train(training.prepare("char-lm", [f"data={corpus}", *TINY, *more], 0), kept, mine=False)
    return made


@pytest.fixture(scope="module")
def computing(root):
    made = Computing(root)
    yield made
    made.close()


@pytest.fixture
def found(computing, root):
    """found("convolution", stride=2): what the sandbox gives, the other controls as they stand at first."""
    return lambda name, **values: computing.found(*_set(name, root, values))


@pytest.fixture
def drawn(computing, root):
    """The same, drawn."""
    return lambda name, **values: computing.drawn(*_set(name, root, values))


def _set(name, root, values):
    explorable = find_all()[name].at(root)
    assert values.keys() <= explorable.defaults.keys()
    return explorable, {**explorable.defaults, **values}


class Tags(HTMLParser):
    """The tags and attributes of a fragment, which closes whatever it opens."""

    def __init__(self, fragment):
        super().__init__()
        self.open, self.found, self.pictures, self.words = [], [], [], []
        self.feed(fragment)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)


DRAWN_WITH = {
    "div", "p", "span", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    "svg", "g", "path", "rect", "text", "image", "polygon",
}  # fmt: skip


def inert(drawn):
    """Asserts that a drawing holds the elements that we draw with and nothing that runs, and says what each picture shows."""
    tags = Tags(str(drawn.svg))
    for tag, attributes in tags.found:
        assert tag in DRAWN_WITH, tag
        assert not any(name.startswith("on") or name == "style" for name in attributes), attributes
        assert attributes.get("href", "data:image/png;base64,").startswith("data:image/png;base64,")
        if tag == "svg" and "drawing" in attributes.get("class", "").split():
            assert attributes["role"] == "img" and attributes["aria-label"].strip()
    widths = {len(row) for row in drawn.table}
    assert len(widths) == 1 and drawn.says.strip() == drawn.says != ""
    return tags


# ----------------------------------------------------------------------------------------------- all of them


def test_each_phase_that_there_is_has_explorables():
    phases = {explorable.lesson.split(".")[0] for explorable in find_all().values()}
    assert {"3", "7"} <= phases
    assert set(OURS) <= find_all().keys()


@pytest.mark.parametrize("name", OURS)
def test_every_end_of_every_control_is_drawn(name, computing, root):
    explorable = find_all()[name].at(root)
    for control in explorable.controls:
        if isinstance(control, (Slider, Steps)):
            ends = [control.low, control.high]
        else:
            ends = control.options if isinstance(control, Choice) else [control.default, ""]
        for value in ends:
            drawn = computing.drawn(explorable, {**explorable.defaults, control.name: value})
            inert(drawn)
            if drawn.last is not None:
                steps = next(c for c in explorable.controls if isinstance(c, Steps))
                assert steps.low <= drawn.last <= steps.high


@pytest.mark.parametrize("name", OURS)
def test_what_it_proves_has_a_number(name):
    assert re.search(r"\d", find_all()[name].proves)


@pytest.mark.parametrize("name", OURS)
def test_on_the_learners_files_the_picture_is_the_same_where_they_are_right(name, computing, root):
    explorable = find_all()[name].at(root)
    for path in explorable.modules:
        file = root / "mine" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(reference_text(module_name(path)))
    assert not computing.built(explorable)
    ours, theirs = (computing.drawn(explorable, explorable.defaults, mine) for mine in (False, True))
    assert theirs == ours


@pytest.mark.parametrize("name", ["byte-pairs", "attention", "sampling"])
def test_a_hostile_text_is_only_text(name, drawn, root):
    runs = [{}] if name == "byte-pairs" else [{"run": run} for run in _runs(name, root)]
    for run, typed in product(runs, HOSTILE):
        tags = inert(drawn(name, text=typed, **run))
        assert "alert(1)" not in "".join(f"{attributes}" for _, attributes in tags.found)


@pytest.mark.parametrize("name", ["byte-pairs", "attention", "sampling"])
@pytest.mark.parametrize("typed", REFUSED)
def test_a_text_that_cannot_be_shown_is_refused_in_a_sentence(name, typed):
    values, wrong = find_all()[name].read({"text": typed})
    assert wrong and len(wrong) < 120 and wrong.isprintable()
    assert values["text"] == find_all()[name].defaults["text"]


def _runs(name, root):
    control = next(c for c in find_all()[name].at(root).controls if c.name == "run")
    return control.options


# ------------------------------------------------------------------------------------------------ convolution


def test_windows_products_and_map_are_those_of_torchs_convolution(found):
    generator = np.random.default_rng(1)
    pixels = torch.tensor([[int(digit) / 9 for digit in row] for row in convolution.PICTURE], dtype=torch.float64)
    for stride, padding, dilation in product((1, 2, 3), (0, 1, 2), (1, 2, 3)):
        kernel, step = str(generator.choice(list(convolution.KERNELS))), int(generator.integers(1, 197))
        got = found("convolution", kernel=kernel, stride=stride, padding=padding, dilation=dilation, window=step)
        W = torch.tensor(convolution.KERNELS[kernel], dtype=torch.float64)
        expected = F.conv2d(pixels[None, None], W[None, None], stride=stride, padding=padding, dilation=dilation)[0, 0]
        np.testing.assert_allclose(got["map"], expected, atol=1e-12)
        windows = F.unfold(pixels[None, None], 3, padding=padding, stride=stride, dilation=dilation)[0]
        assert got["step"] == min(step, windows.shape[1]) - 1
        np.testing.assert_allclose(got["window"], windows[:, got["step"]], atol=1e-12)
        total = float(np.ravel(got["window"]) @ np.ravel(got["weights"]))
        assert abs(total - expected.flatten()[got["step"]]) < 1e-12


def test_the_sum_that_is_said_is_that_of_the_products_in_the_table(drawn):
    shown = drawn("convolution", kernel="blur", window=40, stride=2)
    products = [float(row[3].replace("−", "-")) for row in shown.table[1:-1]]
    assert len(products) == 9
    said = float(re.search(r"add up to (\S+),", shown.says)[1].replace("−", "-"))
    assert abs(sum(products) - said) < 9 * 0.005 + 0.005
    assert shown.last == 36


def test_padding_of_one_keeps_the_size_and_a_stride_of_two_leaves_a_quarter(found):
    assert found("convolution", stride=1, padding=1, dilation=1)["map"].shape == (12, 12)
    assert found("convolution", stride=2, padding=1, dilation=1)["map"].shape == (6, 6)


# ---------------------------------------------------------------------------------------------- first weights


def test_half_as_large_weights_halve_a_relu_signal_at_every_layer(found):
    he, half, twice = (found("first-weights", start=start, depth=20) for start in ("He", "half of He", "twice He"))
    layers = np.arange(1, 21)
    np.testing.assert_allclose(half["size"], he["size"] * 0.5**layers, rtol=1e-10)
    np.testing.assert_allclose(twice["size"], he["size"] * 2.0**layers, rtol=1e-10)
    assert 0.3 < he["size"][-1] < 3
    assert 3e-7 < half["size"][-1] < 3e-6  # what it proves: a millionth


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_histograms_are_shares_and_agree_with_the_sizes(activation, found):
    got = found("first-weights", activation=activation, depth=7, start="Xavier")
    shares = np.asarray(got["histograms"])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    middles = np.linspace(-first_weights.REACH, first_weights.REACH, first_weights.BINS + 1)
    middles = (middles[:-1] + middles[1:]) / 2
    from_bins = np.sqrt(shares @ middles**2)
    np.testing.assert_allclose(from_bins, got["size"], atol=0.1)
    assert len(got["gradient"]) == len(got["saturated"]) == 7
    assert ((got["saturated"] >= 0) & (got["saturated"] <= 1)).all()


# ------------------------------------------------------------------------------------------------- optimisers


@pytest.mark.parametrize("surface", list(optimisers.SURFACES))
def test_walks_are_those_of_torchs_optimisers(surface, found):
    rate = 0.01
    rules = {
        "descent": lambda w: torch.optim.SGD([w], lr=rate),
        "momentum": lambda w: torch.optim.SGD([w], lr=rate, momentum=0.9),
        "RMSprop": lambda w: torch.optim.RMSprop([w], lr=rate, alpha=0.9),
        "Adam": lambda w: torch.optim.Adam([w], lr=rate),
    }
    got = found("optimisers", surface=surface, rate=rate)
    for name, made in rules.items():
        w = torch.tensor(optimisers.START, dtype=torch.float64, requires_grad=True)
        optimiser, walk = made(w), [w.detach().numpy().copy()]
        for _ in range(optimisers.STEPS):
            optimiser.zero_grad()
            optimisers.height(surface, *w).backward()  # torch differentiates the height: `slope` is checked too
            optimiser.step()
            walk.append(w.detach().numpy().copy())
        # RMSprop turns back at every step on the banana and doubles rounding each time: 100 steps are comparable
        np.testing.assert_allclose(got[name][:100], walk[:100], atol=1e-6, err_msg=name)


def test_what_the_five_ways_prove(drawn):
    said = drawn("optimisers", rate=0.02, surface="ravine").says
    assert "momentum after 54" in said and "descent after 135" in said
    said = drawn("optimisers", rate=0.1, surface="ravine").says
    assert "Adam after 57" in said and "descent and momentum have left upwards" in said


def test_what_the_gradient_through_time_proves(found):
    got = found("through-time")
    assert got["tanh"][-1] / got["tanh"][0] < 1e-9
    assert 0.15 < got["GRU"][-1] / got["GRU"][0] < 0.25


# ------------------------------------------------------------------------------------------------- byte pairs

PIECES = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
BYTE_ORDER = [*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173]


def merged_by_hand(text, count):
    """Byte-pair encoding as it is defined: count all pairs, join the most frequent everywhere, and again -> tokens, merges."""
    ids = {byte: i for i, byte in enumerate(BYTE_ORDER)}
    names = [bytes([byte]) for byte in BYTE_ORDER]
    pieces = [[ids[byte] for byte in piece.encode()] for piece in PIECES.findall(text)]
    merges = []
    while len(merges) < count:
        pairs = Counter(pair for piece in pieces for pair in pairwise(piece))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        names.append(names[best[0]] + names[best[1]])
        for piece in pieces:
            i = 0
            while i < len(piece) - 1:
                if (piece[i], piece[i + 1]) == best:
                    piece[i : i + 2] = [len(names) - 1]
                i += 1
    return [names[i] for piece in pieces for i in piece], [(names[a], names[b]) for a, b in merges]


def test_tokens_and_merges_are_those_of_counting_by_hand(found):
    generator = np.random.default_rng(5)
    words = ["she", "shells", "sea", "ab", "aaaa", "aaa", "日本", "\U0001f600", "naïve", "12", "!?", "\n", "  "]
    for _ in range(15):
        text = " ".join(generator.choice(words, generator.integers(0, 40)))[:400]
        merges = int(generator.integers(0, 60))
        tokens, joined = merged_by_hand(text, merges)
        got = found("byte-pairs", text=text, merges=merges)
        assert [np.asarray(token).tobytes() for token in got["tokens"]] == tokens
        assert got["merges"] == len(joined)
        listed = [(np.asarray(a).tobytes(), np.asarray(b).tobytes()) for _, a, b, _ in got["joined"]]
        assert listed == joined[-len(listed) :] if listed else not joined
        for k, _, _, count in got["joined"]:
            assert count == len(merged_by_hand(text, k - 1)[0]) - len(merged_by_hand(text, k)[0])


def test_what_the_tokens_prove(found):
    tokens = found("byte-pairs")["tokens"]
    assert sum(len(token) for token in tokens) == 138 and len(tokens) == 54


def test_merges_of_the_pages_are_kept_and_do_not_follow_the_text(found):
    first = found("byte-pairs", source=byte_pairs.PAGES, merges=50, text="the gradient")
    second = found("byte-pairs", source=byte_pairs.PAGES, merges=50, text="something else")
    assert [j[:1] for j in first["joined"]] == [j[:1] for j in second["joined"]]
    assert first["last"] == second["last"] == byte_pairs.MOST


def test_bytes_that_are_no_character_are_named(drawn):
    shown = drawn("byte-pairs", text="\U0001f600", merges=0)
    assert [row[0] for row in shown.table[1:]] == ["⟨f0⟩", "⟨9f⟩", "⟨98⟩", "⟨80⟩"]


# ------------------------------------------------------------------------------- attention and sampling: models


def restored(root, run):
    """The model and tokenizer of a run as `groundup sample` has them."""
    with Records(root / "runs") as kept:
        row = kept.find(run)
    config = recipes.restore(language_model.Config, row.config, run)
    folder = root / "runs" / run
    tokenizer = text_library.load(folder / "tokenizer.json")
    return language_model.restored(config, folder, tokenizer, Library("groundup")), tokenizer


def test_runs_with_a_model_can_be_chosen_the_newest_first(root):
    assert list(trained.language_models(root).items()) == [("char-lm-2", (2, 2)), ("char-lm-1", (2, 2))]
    assert _runs("attention", root) == ("char-lm-2", "char-lm-1", attention.UNTRAINED)
    assert _runs("sampling", root) == ("char-lm-2", "char-lm-1", sampling.COUNTED)


def test_a_workspace_without_runs_has_a_picture_and_the_command_that_trains_a_model(tmp_path):
    root = make_workspace(tmp_path / "ws").root
    computing = Computing(root)
    try:
        for name in ("attention", "sampling"):
            explorable = find_all()[name].at(root)
            drawn = computing.drawn(explorable, dict(explorable.defaults))
            inert(drawn)
            assert "`groundup run shakespeare-char`" in drawn.says
            assert len(drawn.table) > 5
        assert not (root / "runs").exists()
    finally:
        computing.close()


def test_runs_that_are_unfinished_or_have_lost_their_model_are_not_offered(tmp_path, root):
    other = make_workspace(tmp_path / "ws").root
    with Records(other / "runs") as kept, kept.begin("char-lm", 0, {}, "x") as run:
        assert not trained.language_models(other)
        run.end("finished")
        assert not trained.language_models(other)  # no files
        for name in trained.FILES:
            (run.folder / name).write_bytes(b"{}")
        assert list(trained.language_models(other)) == [run.name]
        with kept.begin("eigenfaces", 0, {}, "x") as face:
            for name in trained.FILES:
                (face.folder / name).write_bytes(b"{}")
        assert list(trained.language_models(other)) == [run.name]
    computing = Computing(other)
    try:
        explorable = find_all()["attention"].at(other)
        with pytest.raises(NotComputed, match="char-lm-1 cannot be read"):  # what lies there is no model
            computing.drawn(explorable, dict(explorable.defaults))
    finally:
        computing.close()


@pytest.mark.parametrize("run", ["char-lm-1", "char-lm-2"])
def test_maps_are_those_of_the_runs_model(run, root, found):
    model, tokenizer = restored(root, run)
    text = "The gradient of a sum is the sum of gradients"
    ids = torch.from_numpy(tokenizer.encode(text).astype(np.int64))[None]
    expected = attention_maps(model, ids)[:, 0]
    for layer, head in product((1, 2), (1, 2)):
        got = found("attention", run=run, text=text, layer=layer, head=head)
        np.testing.assert_allclose(got["maps"], expected[layer - 1], atol=1e-6)
        assert list(got["of"]) == [layer, 2, head, 2]
        assert b"".join(np.asarray(token).tobytes() for token in got["tokens"]).decode() == text
    np.testing.assert_allclose(np.sum(got["maps"], axis=-1), 1, atol=1e-5)


def test_what_attention_proves(found):
    maps = np.asarray(found("attention", run=attention.UNTRAINED)["maps"])
    assert maps.shape[1:] == (32, 32)
    assert (maps == 0).sum() == 496 * len(maps)


def test_a_longer_text_is_read_from_its_end(root, found):
    got = found("attention", run="char-lm-1", text="abc def " * 50)
    assert len(got["tokens"]) == attention.LONGEST
    got = found("sampling", run="char-lm-1", text="abc def " * 50)
    assert abs(np.sum(got["before"]) - 1) < 1e-9


@pytest.mark.parametrize("run", ["char-lm-1", "char-lm-2"])
def test_before_is_what_the_runs_model_says(run, root, found):
    model, tokenizer = restored(root, run)
    for text in ("What is the ", "x", "The loss"):
        ids = torch.from_numpy(tokenizer.encode(text).astype(np.int64))[None]
        with torch.no_grad():
            expected = model(ids)[0, -1].double().softmax(-1)
        np.testing.assert_allclose(found("sampling", run=run, text=text)["before"], expected, atol=1e-6)


def warped(p, temperature, top_k, top_p, min_p):
    """The four rules on probabilities, one token at a time."""
    if temperature == 0:
        return np.eye(len(p))[p.argmax()]
    p = p ** (1 / temperature) / np.sum(p ** (1 / temperature))
    if top_k:
        least = np.sort(p)[::-1][min(top_k, len(p)) - 1]
        p = np.where(p >= least, p, 0) / p[p >= least].sum()
    if top_p < 1:
        kept, reached = [], 0.0
        for i in np.argsort(-p, kind="stable"):
            if reached >= top_p:
                break
            kept.append(i)
            reached += p[i]
        p = np.where(np.isin(np.arange(len(p)), kept), p, 0)
        p = p / p.sum()
    p = np.where(p >= min_p * p.max(), p, 0)
    return p / p.sum()


def test_after_is_what_the_four_rules_leave(found):
    generator = np.random.default_rng(2)
    for _ in range(25):
        values = {
            "temperature": round(float(generator.uniform(0.05, 2)), 2),
            "top_k": int(generator.integers(0, 41)),
            "top_p": round(float(generator.uniform(0.05, 1)), 2),
            "min_p": round(float(generator.uniform(0, 0.5)), 2),
        }
        got = found(
            "sampling", run=sampling.COUNTED, text=str(generator.choice(["What is ", "th", "The gra"])), **values
        )
        before, after = np.asarray(got["before"]), np.asarray(got["after"])
        np.testing.assert_allclose(after, warped(before, **values), atol=1e-9, err_msg=str(values))
        assert ((np.asarray(got["cut"]) > 0) == (after == 0)).all()
    greedy = found("sampling", run=sampling.COUNTED, temperature=0.0)
    np.testing.assert_array_equal(greedy["after"], warped(np.asarray(greedy["before"]), 0, 0, 1, 0))


def test_at_a_temperature_of_a_half_odds_are_squared(found):
    got = found("sampling", run=sampling.COUNTED, temperature=0.5)
    before, after = (np.sort(np.asarray(got[name]))[::-1][:8] for name in ("before", "after"))
    np.testing.assert_allclose(after[:-1] / after[1:], (before[:-1] / before[1:]) ** 2, rtol=1e-9)


@pytest.mark.parametrize("text", ["What is the ", "th", "", "zq"])
def test_counts_are_those_of_the_n_gram_model(text, found):
    alphabet = "".join(sorted(set(pages())))
    ids = {letter: i for i, letter in enumerate(alphabet)}
    counted = KneserNey(sampling.ORDER).fit(np.array([ids[letter] for letter in pages()]), len(alphabet))
    before = ("\n" * sampling.ORDER + text)[1 - sampling.ORDER :]
    got = np.asarray(found("sampling", run=sampling.COUNTED, text=text)["before"])
    assert abs(got.sum() - 1) < 1e-9
    for letter in "a \ntxZ":
        row = np.array([ids[each] for each in before + letter])
        assert abs(got[ids[letter]] - counted.probabilities(row)[-1]) < 1e-9


def test_what_cut_a_token_off_is_said(drawn):
    shown = drawn("sampling", run=sampling.COUNTED, text="th", top_k=12, top_p=0.95, min_p=0.05)
    reasons = [row[3] for row in shown.table[1:]]
    kept = [reason for reason in reasons if not reason]
    assert kept == reasons[: len(kept)]  # the most probable stay
    assert {reason for reason in reasons if reason} <= {"top-k", "top-p", "min-p"}
    assert {row[3] for row in drawn("sampling", run=sampling.COUNTED, temperature=0.0).table[2:]} == {"greedy"}


def test_characters_that_a_model_does_not_know_are_left_out_and_counted(drawn, found):
    plain, strange = (
        found("sampling", run="char-lm-1", text="the los"),
        found("sampling", run="char-lm-1", text="thé日 los"),
    )
    assert strange["left_out"] == 2 and plain["left_out"] == 0
    assert "2 characters are not in the model's alphabet" in drawn("sampling", run="char-lm-1", text="thé日 los").says


# -------------------------------------------------------------------------------------------- text and numbers


def test_the_pages_are_prose_in_ascii():
    assert pages().isascii() and len(pages()) > 50_000
    assert "import numpy" not in pages() and "```" not in pages()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"), (-0.0, "0"), (1, "1"), (0.776, "0.78"), (-1.25, "−1.2"), (1.1e-6, "1.1\u00a0·\u00a010⁻⁶"),
        (-3e-12, "−3\u00a0·\u00a010⁻¹²"), (4e7, "4\u00a0·\u00a010⁷"), (9999, "9,999"), (12345, "1.2\u00a0·\u00a010⁴"),
        (123.4, "123"), (0.001, "0.001"), (9.99, "10"), (float("nan"), "not a number"), (float("inf"), "infinite"),
    ],
)  # fmt: skip
def test_numbers_are_short(value, said):
    assert short(value) == said


def test_a_short_number_is_within_its_digits():
    for value in np.random.default_rng(0).standard_normal(300) * 10.0 ** np.random.default_rng(1).integers(-9, 9, 300):
        for digits in (2, 3):
            said = short(value, digits).replace("−", "-").replace(",", "")
            mantissa, _, power = said.partition("\u00a0·\u00a010")
            exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
            assert abs(float(mantissa) * 10.0**exponent - value) <= 0.51 * abs(value) * 10.0 ** (1 - digits)


def test_what_is_given_to_the_sandbox_is_plain_data(root):
    told = trained.told(root, "char-lm-2")
    assert json.dumps(told["config"]) and json.loads(told["tokenizer"])["kind"] == "bpe"
    assert all(array.dtype == np.float32 for array in told["weights"].values())
    assert "head.weight" not in told["weights"]
