"""The experiment that times a step, made very small: it runs, and its numbers fit together. What they are is not tested."""

import pytest

import groundup.nets.counts
import groundup.nets.gpt
import groundup.text.bpe
import groundup.train.data
import groundup.train.meter
import groundup.train.shards
from groundup.data import loading
from groundup.experiments import step_time
from groundup.lab.record import Records


def test_three_loaders_are_measured_and_what_is_kept_is_what_is_said(tmp_path, monkeypatch):
    try:
        text = loading.tinyshakespeare()
    except Exception as problem:
        pytest.skip(f"the plays cannot be had: {problem}")
    monkeypatch.setattr(loading, "tinyshakespeare", lambda: text[:20_000])
    config = step_time.Config(
        layers=1, width=16, heads=1, context=16, batch=2, vocab_size=270, steps=2, warmup=1, device="cpu"
    )
    said = []
    with Records(tmp_path) as records, records.begin("step-time", 0, {}, "0" * 64) as record:
        record.say = said.append
        step_time.run(config, record, groundup)
        found = step_time.evaluate(config, record.folder, groundup)
        losses = [value for _, value in record.metrics("shards_loss")]
    for name in ("whole", "passages", "shards"):
        assert 0 < found[f"{name}_loading_ms"] < found[f"{name}_ms"]
        assert 0 < found[f"{name}_waiting"] < 1
        assert any(line.startswith(name) and "MFU" in line for line in said)
    assert len(losses) == 2
    assert any("on an A100" in line for line in said)


@pytest.mark.parametrize("loader", [step_time.Whole, step_time.Passages])
def test_the_slow_loaders_are_right(loader):
    """They are slow, not wrong: windows of the text, and the targets follow."""
    from groundup.text.chars import Chars

    text = "".join(chr(97 + i % 26) for i in range(2000))
    tokenizer = Chars.of(text)
    x, y = loader(text, tokenizer, context=12, batch=3, seed=0).at(0)
    assert x.shape == y.shape == (1, 3, 12)
    assert (x[..., 1:] == y[..., :-1]).all()
    for row in x[0]:
        assert tokenizer.decode(row.numpy()) in text
