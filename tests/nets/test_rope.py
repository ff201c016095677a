"""Rotary positions: only the distance counts; tables keep their precision."""

import cmath

import pytest
import torch

from groundup.nets.rope import Rotary, rotate, tables


def test_rotation_is_multiplication_by_a_complex_number():
    x = torch.randn(3, 6, dtype=torch.float64)  # (T, D)
    cos, sin = tables(3, 6, base=100.0)
    y = rotate(x, cos.double(), sin.double())
    for p in range(3):
        for i in range(3):
            turned = complex(x[p, i], x[p, i + 3]) * cmath.exp(1j * p * 100.0 ** (-2 * i / 6))
            assert abs(turned - complex(y[p, i], y[p, i + 3])) < 1e-6


@pytest.mark.parametrize("shift", [1, 7, 200])
def test_comparisons_depend_on_the_distance_alone(shift):
    q, k = torch.randn(5, 8), torch.randn(5, 8)
    rotary = Rotary(256, 8)
    here, there = rotary(0, 5), rotary(shift, 5)
    near = rotate(q, *here) @ rotate(k, *here).T
    far = rotate(q, *there) @ rotate(k, *there).T
    torch.testing.assert_close(near, far, atol=1e-4, rtol=1e-4)


def test_lengths_are_kept_and_position_zero_is_not_turned():
    x = torch.randn(2, 3, 10, 8)
    y = rotate(x, *Rotary(10, 8)(0, 10))
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(y[..., 0, :], x[..., 0, :])


def test_a_slice_starts_where_it_is_asked_to():
    rotary = Rotary(20, 4)
    for whole, part in zip(rotary(0, 20), rotary(13, 5)):
        assert torch.equal(whole[13:18], part)


def test_late_positions_are_exact_to_float32():
    cos, _ = tables(50_000, 4)
    expected = torch.cos(torch.tensor(49_999.0, dtype=torch.float64)).float()
    assert cos[49_999, 0] == expected


def test_tables_are_not_saved_and_stay_float32():
    rotary = Rotary(10, 4).to(torch.bfloat16)
    assert rotary.state_dict() == {}
    assert rotary.cos.dtype == rotary.sin.dtype == torch.float32
    assert torch.equal(rotary.cos, tables(10, 4)[0])
    assert rotate(torch.randn(10, 4).bfloat16(), *rotary(0, 10)).dtype == torch.bfloat16


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="even"):
        tables(4, 5)
