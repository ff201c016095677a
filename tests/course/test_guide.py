"""The guide: its formulas against the library's own and against published numbers, what fits where, and its pages."""

import json
import math
import os
import re
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from groundup.course.guide import GuideError
from groundup.course.guide.advice import about, advice, break_even, money, options, recommended, span
from groundup.course.guide.asking import Question, answer, as_object, job_of
from groundup.course.guide.compute import BYTES, STATES, USABLE, Job, JobError, estimate, fewest_devices, memory
from groundup.course.guide.devices import DeviceError, devices
from groundup.course.guide.pages import NAMES, page
from groundup.course.guide.shape import STYLES, Shape, ShapeError, activations, flops_per_token, parameters
from groundup.course.guide.words import amount, bytes_said, thousands
from groundup.nets import counts
from groundup.nets.attention import SHORT
from groundup.nets.gpt import GPTConfig

GPT2 = Shape(12, 768)
LLAMA_7B = Shape(32, 4096, 32_000, 2048, heads=32, hidden=11_008, style="llama")
H100, A100, T4 = (devices()[name] for name in ("h100", "a100", "t4"))

shapes = st.builds(
    lambda layers, heads, head, vocabulary, context, share, hidden, style: Shape(
        layers, heads * head, vocabulary, context, heads, heads // share if heads % share == 0 else 0, hidden, style
    ),
    st.integers(1, 12), st.integers(1, 8), st.sampled_from([8, 16, 64]), st.integers(2, 60_000), st.integers(1, 2048),
    st.integers(1, 4), st.sampled_from([0, 0, 100, 512]), st.sampled_from(list(STYLES)),
)  # fmt: skip


# Formulas


@given(shapes, st.integers(1, 16), st.booleans(), st.sampled_from(list(STATES)), st.sampled_from(list(BYTES)))
def test_the_formulas_are_those_of_the_library(shape, batch, checkpoint, optimizer, dtype):
    make = GPTConfig.gpt2 if shape.style == "gpt2" else GPTConfig.modern
    llama = {"mlp": "swiglu", "qk_norm": False} if shape.style == "llama" else {}
    config = make(
        vocab_size=shape.vocabulary, context=shape.context, layers=shape.layers, heads=shape.all_heads, width=shape.width,
        kv_heads=shape.kv_heads, hidden=shape.hidden, checkpoint_activations=checkpoint, **llama,
    )  # fmt: skip
    assert parameters(shape) == counts.parameters(config)
    assert flops_per_token(shape) == counts.flops_per_token(config)
    assert flops_per_token(shape, training=False) == counts.flops_per_token(config, training=False)
    fused = shape.context > SHORT
    assert activations(shape, batch, fused, checkpoint) == counts.activations(config, batch)
    reckoned = memory(Job(1e6, shape, optimizer=optimizer, checkpoint=checkpoint), dtype, batch, fused=fused)
    library = counts.memory(config, batch, optimizer=optimizer, dtype=dtype)
    assert (reckoned.parameters, reckoned.gradients) == (library["parameters"], library["gradients"])
    assert (reckoned.optimizer, reckoned.activations) == (library["optimizer"], library["activations"])
    assert reckoned.total == library["total"]


def test_published_sizes():
    """Counts as the models were released: GPT-2 small and XL, Llama 2 7B."""
    assert parameters(GPT2) == 124_439_808
    assert parameters(Shape(48, 1600)) == 1_557_611_200
    assert parameters(LLAMA_7B) == 6_738_415_616


def test_published_compute():
    """GPT-3's table D.1 and Chinchilla's budget are six for each parameter and token; attention adds little at their widths."""
    gpt3 = Job(300e9, size=175e9)
    assert gpt3.flops == pytest.approx(3.14e23, rel=0.01)
    chinchilla = Job(1.4e12, size=70e9)
    assert chinchilla.flops == pytest.approx(5.76e23, rel=0.03)
    with_attention = Job(300e9, Shape(96, 12_288, 50_257, 2048, heads=96))
    assert 1 < with_attention.flops / gpt3.flops < 1.08


def test_llama_took_what_a_good_loop_takes():
    """82,432 hours of an A100 for 6.7 billion parameters on a trillion tokens (Touvron and others, 2023, table 15)."""
    reckoned = estimate(Job(1e12, LLAMA_7B), A100, mfu=1.0)
    assert 0.4 < reckoned.hours / 82_432 < 0.6
    assert estimate(Job(1e12, LLAMA_7B), A100).hours == pytest.approx(82_432, rel=0.25)


def test_sixteen_bytes_a_parameter():
    """ZeRO's arithmetic: 16 bytes for each parameter with Adam, shared evenly by those who shard."""
    alone = memory(Job(1e9, size=7.5e9), "bfloat16", 1)
    assert alone.total == 16 * 7.5e9 and alone.activations == 0
    assert memory(Job(1e9, size=7.5e9, shard=True), "bfloat16", 1, devices=64).total == pytest.approx(120e9 / 64)
    assert memory(Job(1e9, size=7.5e9), "bfloat16", 1, devices=64).total == 120e9  # data parallel keeps a copy on each
    assert fewest_devices(Job(1e9, size=7.5e9), A100) == math.ceil(120e9 / (USABLE * 80e9)) == 2


# Monotonicity and units


@given(shapes, st.floats(1e3, 1e13), st.sampled_from(devices().rows), st.integers(1, 64), st.floats(0.01, 1))
def test_more_tokens_take_longer_and_more_devices_shorter(shape, tokens, device, count, mfu):
    one = estimate(Job(tokens, shape), device, mfu=mfu)
    many = estimate(Job(tokens, shape), device, count, mfu=mfu)
    assert many.hours * count == pytest.approx(one.hours)
    assert many.device_hours == pytest.approx(one.device_hours) and many.cost(2) == pytest.approx(2 * one.hours)
    assert estimate(Job(2 * tokens, shape), device, mfu=mfu).hours == pytest.approx(2 * one.hours)
    assert one.hours * 3600 * device.peak[one.dtype] * mfu == pytest.approx(one.job.flops)
    assert one.kilowatt_hours == pytest.approx(one.hours * device.watts / 1000)


@given(shapes, st.integers(1, 64))
def test_a_larger_model_takes_more_of_everything(shape, batch):
    def grown(**over):
        fields = {"layers": shape.layers, "vocabulary": shape.vocabulary, "context": shape.context, **over}
        return Shape(
            width=shape.width,
            heads=shape.heads,
            kv_heads=shape.kv_heads,
            hidden=shape.hidden,
            style=shape.style,
            **fields,
        )

    deeper, longer = grown(layers=shape.layers + 1), grown(context=shape.context + 1)
    assert parameters(deeper) > parameters(shape) and flops_per_token(deeper) > flops_per_token(shape)
    assert flops_per_token(longer) > flops_per_token(shape)
    assert activations(deeper, batch) > activations(shape, batch) and activations(longer, batch) > activations(
        shape, batch
    )
    assert activations(shape, batch + 1) > activations(shape, batch)
    assert activations(shape, batch, fused=True) <= activations(shape, batch, fused=False)
    if shape.layers > 1:
        assert activations(shape, batch, checkpoint=True) < activations(shape, batch)


@given(shapes, st.sampled_from(devices().rows))
def test_the_batch_that_is_chosen_is_the_largest_that_fits(shape, device):
    made = estimate(Job(1e9, shape), device)
    assert made.batch == 1 or made.fits
    twice = estimate(Job(1e9, shape, batch=2 * made.batch), device)
    assert twice.batch == 2 * made.batch and (not twice.fits or made.batch == 512)


@pytest.mark.parametrize(
    "hours, said",
    [
        (0, "under a second"),
        (0.01, "36 s"),
        (0.5, "30 min"),
        (12.34, "12.3 h"),
        (100, "4.2 days"),
        (24 * 40, "40 days"),
        (24 * 365 * 3, "3 years"),
    ],
)
def test_time_is_said_in_the_unit_that_fits(hours, said):
    assert span(hours) == said


def test_amounts_are_said_with_three_digits():
    assert (
        amount(124_439_808) == "124 M"
        and amount(2.5e9) == "2.5 B"
        and amount(640) == "640"
        and amount(1.4e12) == "1.4 T"
    )
    assert bytes_said(18_320_000_000) == "18.3 GB" and bytes_said(498e6) == "498 MB" and bytes_said(0) == "0 kB"
    assert (
        thousands(33_184.2) == "33,200"
        and thousands(1.0512) == "1.05"
        and thousands(2413) == "2,410"
        and thousands(99.95) == "100"
    )
    assert about(0.34) == "about $0.34" and about(0.0004) == "under a cent"
    assert money(0.34) == "$0.34" and money(1600.4) == "$1,600"


# The table, and what it advises


def test_the_table_is_dated_and_whole():
    table = devices()
    assert re.fullmatch(r"20\d\d-\d\d", table.as_of) and table.currency == "USD" and table.power_price > 0
    names = [device.name for device in table.rows]
    assert len(set(names)) == len(names)
    for device in table.rows:
        assert 1e9 <= device.memory <= 1e12 and 0.05 <= device.mfu <= 0.6 and 5 <= device.watts <= 2000
        assert "float32" in device.peak and all(1e11 <= peak <= 1e16 for peak in device.peak.values())
        assert all(0 < offer.session <= 168 and 0 < offer.hours_a_week <= 168 and offer.by for offer in device.free)
        for price in (device.cheap, device.cloud):
            assert price is None or (0.01 <= price.price <= 50 and price.by)
        if device.cheap and device.cloud:
            assert device.cheap.price <= device.cloud.price, device.name


def test_peaks_are_dense_and_as_the_makers_say():
    assert H100.peak["bfloat16"] == 989e12 and A100.peak["bfloat16"] == 312e12 and T4.peak["float16"] == 65e12
    assert T4.dtype() == "float16" and A100.dtype() == "bfloat16" and devices()["cpu"].dtype() == "float32"
    with pytest.raises(DeviceError, match="no bfloat16"):
        T4.dtype("bfloat16")
    with pytest.raises(DeviceError, match="did you mean h100"):
        devices()["h10"]
    with pytest.raises(DeviceError, match="in the table: cpu, m1, t4"):
        devices()["tpu"]


@given(shapes, st.floats(1e3, 1e12))
def test_what_is_recommended_fits_and_nothing_usable_is_cheaper(shape, tokens):
    job = Job(tokens, shape)
    ways = options(job)
    best = recommended(ways)
    assert {way.tier for way in ways} <= {"free", "cheap", "cloud"}
    usable = [way for way in ways if way.usable]
    assert (best is None) == (not usable) and advice(job, ways)
    if best is not None:
        assert best.estimate.fits and best.cost == min(way.cost for way in usable)
        assert not any(way.tier == "free" for way in usable) or best.tier == "free"


def test_small_runs_stay_at_home_middle_ones_are_free_and_large_ones_are_paid():
    at_home = recommended(options(Job(1e7, Shape(4, 256, 65, 256))))
    assert at_home.estimate.device.name == "cpu"
    job = Job(1e8, Shape(4, 256, 65, 256))
    assert "NVIDIA T4, Kaggle, would take 2 min" in advice(job, options(job))
    free = recommended(options(Job(2.5e9, GPT2)))
    assert free.tier == "free" and free.estimate.device.name == "t4" and free.sessions > 1
    assert recommended(options(Job(1e11, GPT2))).tier in ("cheap", "cloud")


def test_what_fits_no_single_device_is_said():
    def said(job):
        return advice(job, options(job))

    says = said(Job(1.4e12, size=70e9))
    assert "no single device" in says and "8.5" in says
    assert "would take" in said(Job(1e15, Shape(12, 768)))
    assert "whatever is shared" in said(Job(1e9, Shape(200, 65_536, context=1_000_000)))
    found = answer(Question(parameters=13e9, tokens=1e9, device="a100"))
    assert not found.estimate.fits and any("3 of them" in each for each in found.says)
    shared = answer(Question(parameters=13e9, tokens=1e9, device="a100", devices=3, shard=True))
    assert shared.estimate.fits
    crowded = answer(Question(layers=12, width=768, tokens=1e9, device="t4", batch=256))
    assert any("256 sequences" in each for each in crowded.says)


@given(st.floats(0.01, 50), st.floats(1, 1e5), st.floats(0, 2))
def test_buying_beats_renting_just_where_both_have_cost_the_same(rent, buy, power_price):
    found = break_even(devices()["rtx4090"], power_price, rent, buy)
    assume(found is not None)
    if rent <= found.power:
        assert found.hours is None
    else:
        assert found.hours * rent == pytest.approx(buy + found.hours * found.power, rel=1e-6)


def test_a_device_that_cannot_be_had_both_ways_has_no_break_even():
    assert break_even(T4, 0.3) is None
    assert break_even(T4, 0.3, buy=1000).rent == T4.rent.price


# Questions


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({}, "name a model"),
        ({"layers": 12}, "name both"),
        ({"layers": 12, "width": 768, "parameters": 1e9}, "leave one of them out"),
        ({"layers": 12, "width": 770, "heads": 12}, "cannot be cut"),
        ({"layers": 12, "width": 768, "kv_heads": 5}, "cannot share"),
        ({"layers": -1, "width": 768}, "layers is a whole number"),
        ({"layers": 10**12, "width": 768}, "layers is a whole number"),
        ({"layers": 1, "width": 64, "style": "bert"}, "style is one of"),
        ({"parameters": -5}, "numbers above 0"),
        ({"parameters": math.inf}, "numbers above 0"),
        ({"parameters": math.nan}, "numbers above 0"),
        ({"parameters": 1e9, "tokens": -1}, "numbers above 0"),
        ({"parameters": 1e9, "device": "abacus"}, "no device"),
        ({"parameters": 1e9, "device": "t4", "dtype": "float8"}, "dtype is one of"),
        ({"parameters": 1e9, "device": "t4", "dtype": "bfloat16"}, "t4 has no bfloat16"),
        ({"parameters": 1e9, "device": "t4", "devices": 0}, "devices is"),
        ({"parameters": 1e9, "device": "t4", "mfu": 1.5}, "mfu is a share"),
        ({"parameters": 1e9, "device": "t4", "mfu": math.nan}, "mfu is a share"),
        ({"parameters": 1e9, "price": -1}, "amount of money"),
        ({"parameters": 1e9, "power": math.inf}, "amount of money"),
        ({"parameters": 1e9, "optimizer": "adam"}, "optimizer is one of"),
        ({"parameters": 1e9, "optimizer": "muon"}, "for Muon"),
        ({"parameters": 1e9, "batch": -1}, "batch is"),
        ({"parameters": 0}, "numbers above 0"),
        ({"parameters": 1e9, "tokens": 0}, "numbers above 0"),
        ({"layers": 0, "width": 768}, "layers is"),
        ({"layers": 12, "width": 768, "kv_heads": 0}, "kv-heads is"),
        ({"parameters": 70e9, "devices": 0}, "devices is"),  # where no device is named, and none will do
        ({"parameters": 70e9, "mfu": 0}, "mfu is a share"),
        ({"parameters": 70e9, "dtype": "float8"}, "dtype is one of"),
        ({"parameters": 1e9, "devices": 8}, "name the --device of which there are 8"),
    ],
)
def test_what_cannot_be_reckoned_is_said_in_a_sentence(wrong, says):
    with pytest.raises(GuideError, match=says):
        answer(Question(**wrong))


def test_errors_have_their_kinds():
    assert (
        issubclass(JobError, GuideError) and issubclass(ShapeError, GuideError) and issubclass(DeviceError, GuideError)
    )


def test_without_tokens_twenty_for_each_parameter():
    job = job_of(Question(layers=12, width=768))
    assert job.tokens == 20 * 124_439_808
    assert any("8.7" in each for each in answer(Question(layers=12, width=768, tokens=1e12)).says)


def test_what_is_said_of_ones_own_loop_holds_for_every_way():
    slow = answer(Question(layers=12, width=768, tokens=1e9, device="h100", mfu=0.1))
    [rented] = [way for way in slow.options if way.estimate.device is H100 and way.tier == "cheap"]
    assert rented.estimate.hours == slow.estimate.hours and rented.cost == slow.cost
    exact = answer(Question(layers=12, width=768, tokens=1e9, dtype="float32"))
    assert {way.estimate.dtype for way in exact.options} == {"float32"}
    assert T4 not in [way.estimate.device for way in answer(Question(parameters=1e9, dtype="bfloat16")).options]


def test_of_a_small_model_it_is_said_that_times_are_best_cases():
    tiny, larger = (answer(Question(layers=4, width=width, vocabulary=65, tokens=1e8)).says for width in (256, 1024))
    assert any("best cases" in each for each in tiny) and not any("best cases" in each for each in larger)


def test_memory_is_said_also_where_no_single_device_will_do():
    assert any("112 GB" in each for each in answer(Question(parameters=7e9)).says)


def test_many_devices_that_do_are_not_answered_with_one():
    found = answer(Question(parameters=7e9, tokens=1e12, device="a100", devices=2048, shard=True))
    assert found.estimate.fits and not any("B200" in each for each in found.says)
    assert any("143 tokens a parameter are many" in each for each in found.says)


def test_a_price_of_ones_own_is_used():
    mine = answer(Question(parameters=1e9, tokens=1e9, device="h100", price=1.5))
    assert mine.cost == pytest.approx(1.5 * mine.estimate.hours) and mine.price_by == "as you say"
    assert answer(Question(parameters=1e9, tokens=1e9, device="h100")).price == H100.cheap.price


def test_the_answer_is_json_of_schema_one():
    for question in (
        Question(layers=12, width=768, device="h100"),
        Question(parameters=1e13),
        Question(parameters=5e5, tokens=1e6),
    ):
        found = json.loads(json.dumps(as_object(answer(question)), allow_nan=False))
        assert found["schema"] == 1 and found["prices"]["as_of"] == devices().as_of and found["says"]
        if found["estimate"]:
            parts = found["estimate"]["memory"]
            known = sum(parts[name] or 0 for name in ("parameters", "gradients", "optimizer", "activations"))
            assert known == pytest.approx(parts["total"])


# Pages, and the command


def test_every_page_is_there_with_its_title_and_its_links():
    for name in NAMES:
        found = page(name)
        assert found.title and not found.text.startswith("#") and len(found.text.split()) > 300
        assert not re.search(r"!(?!\[)(?=\s|$)", found.text), name  # nothing is shouted
        for link in re.findall(r"\]\(([^)]+)\)", found.text):
            assert link.startswith("https://"), link
    for word in ("fraud", "Perfectionism", "Diminishing", "Notes"):
        assert word in page("habits").text
    for name in ("../compute", "", "compute.md"):
        with pytest.raises(GuideError):
            page(name)


def run(folder, *arguments):
    command = [sys.executable, "-m", "groundup", "guide", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, env={**os.environ, "NO_COLOR": "1"}
    )


def test_the_command_needs_neither_a_workspace_nor_torch(tmp_path):
    done = run(tmp_path, "compute", "--layers", "12", "--width", "768", "--tokens", "2.5e9", "--device", "h100")
    assert done.returncode == 0, done.stderr
    assert "124 M parameters" in done.stdout and devices().as_of in done.stdout and "approximate" in done.stdout
    assert "nothing at Kaggle; rented about $21" in run(tmp_path, "compute", "--layers", "12", "--width", "768").stdout
    found = json.loads(run(tmp_path, "compute", "--parameters", "7e9", "--json").stdout)
    assert found["parameters"] == 7e9 and found["recommended"] is None and found["estimate"] is None
    assert all(f"groundup guide {name}" in run(tmp_path).stdout for name in NAMES)
    assert run(tmp_path, "habits").stdout.startswith("# " + page("habits").title)
    assert json.loads(run(tmp_path, "puzzles", "--json").stdout)["title"] == page("puzzles").title
    wrong = ["nothing"], ["compute", "--layers", "12"], ["compute", "--parameters", "0"], ["habits", "--layers", "12"]
    for arguments in (*wrong, ["compute", "--parameters", "1e9", "--device", "x"]):
        refused = run(tmp_path, *arguments)
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and not refused.stdout, arguments
    probe = "import sys; import groundup.course.guide.asking, groundup.cli.guiding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], timeout=60).returncode == 0
