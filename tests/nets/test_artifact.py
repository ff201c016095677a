"""Artifacts: what comes back is what was stored, no further off than half a scale, and no harm goes unnoticed."""

import numpy as np
import pytest
import torch

from groundup.nets.artifact import (
    OverBudget,
    dequantise,
    pack,
    pack_bits,
    quantise,
    straight_through,
    unpack,
    unpack_bits,
)
from groundup.nets.gpt import GPT, GPTConfig


def model(**over):
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=17, context=8, layers=2, heads=2, width=16, zero_init=False, **over))


@pytest.mark.parametrize("bits", range(2, 9))
def test_no_weight_is_further_off_than_half_a_scale_and_zero_stays_zero(bits):
    rng = np.random.default_rng(bits)
    weight = rng.standard_normal((50, 33)) * 10.0 ** rng.uniform(-9, 4, (50, 1))
    weight[rng.random(weight.shape) < 0.2] = 0.0
    codes, scales = quantise(weight, bits)
    back = codes.astype(float) * scales.astype(float)[:, None]
    assert (np.abs(back - weight) <= scales.astype(float)[:, None] / 2 * (1 + 1e-12)).all()
    assert (back[weight == 0] == 0).all()
    assert np.abs(codes).max() <= 2 ** (bits - 1) - 1
    mirrored, _ = quantise(-weight, bits)
    np.testing.assert_array_equal(mirrored, -codes)


def test_quantising_what_was_quantised_changes_nothing():
    codes, scales = quantise(np.random.default_rng(0).standard_normal((20, 40)), 6)
    again, _ = quantise(dequantise(codes, scales), 6)
    np.testing.assert_array_equal(again, codes)


@pytest.mark.parametrize("bits", range(2, 9))
def test_bits_are_packed_and_unpacked(bits):
    rng, top = np.random.default_rng(bits), 2 ** (bits - 1) - 1
    for n in (0, 1, 7, 8, 9, 1000):
        codes = rng.integers(-top, top + 1, n).astype(np.int8)
        data = pack_bits(codes, bits)
        assert len(data) == -(-n * bits // 8)
        np.testing.assert_array_equal(unpack_bits(data, bits, n), codes)


@pytest.mark.parametrize("over", [{}, {"tied": True}, {"norm": "layer", "bias": True, "position": "learned"}])
def test_a_model_comes_back_and_its_loss_hardly_moves(over):
    whole = model(**over).eval()
    found = unpack(pack(whole.state_dict(), {"a": [1, "é"]}, bits=8, files={"x.py": b"1\r\n\x00"}))
    assert found.meta == {"a": [1, "é"]} and found.files == {"x.py": b"1\r\n\x00"}
    back = model(**over).eval()
    back.load_state_dict(found.state)
    ids = torch.randint(17, (4, 8), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(back(ids), whole(ids), atol=0.05, rtol=0.05)


def test_a_tied_table_is_stored_once():
    tied, untied = model(tied=True), model()
    sizes = [len(pack(m.state_dict(), {}, bits=8)) for m in (tied, untied)]
    assert sizes[0] < sizes[1] - 200
    state = unpack(pack(tied.state_dict(), {}, bits=8)).state
    assert state["head.weight"] is state["tokens.weight"]


def test_fewer_bits_make_a_shorter_file():
    sizes = [len(pack(model().state_dict(), {}, bits=bits)) for bits in range(2, 9)]
    assert sizes == sorted(sizes) and sizes[0] < 0.5 * sizes[-1]


def test_the_same_model_gives_the_same_bytes_and_a_budget_is_kept():
    data = pack(model().state_dict(), {"k": 1}, bits=5)
    assert data == pack(model().state_dict(), {"k": 1}, bits=5, budget=len(data))
    with pytest.raises(OverBudget, match=r"blocks\.\d\.mlp"):
        pack(model().state_dict(), {"k": 1}, bits=5, budget=len(data) - 1)


def test_no_byte_can_be_changed_and_no_end_cut_without_being_noticed():
    data = pack({"w": torch.randn(6, 5, generator=torch.Generator().manual_seed(0))}, {}, bits=6)
    for at in range(len(data)):
        with pytest.raises(ValueError):
            unpack(data[:at])
    for at in range(6, len(data)):  # behind the magic, where a wrong one is another kind of file
        try:
            found = unpack(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        except ValueError:
            continue
        torch.testing.assert_close(
            found.state["w"], unpack(data).state["w"], atol=0, rtol=0
        )  # bits that fill a byte up


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_not_finite_is_refused_by_name(value):
    for shape in ((2, 3), (3,)):
        with pytest.raises(ValueError, match=r"blocks\.0"):
            pack({"blocks.0": torch.full(shape, value)}, {})


def test_a_gradient_passes_through_the_rounding_as_if_it_were_not_there():
    weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    rounded = straight_through(weight, 3)
    np.testing.assert_array_equal(rounded.detach(), dequantise(*quantise(weight.detach(), 3)))
    (rounded**2).sum().backward()
    torch.testing.assert_close(weight.grad, 2 * rounded.detach())
