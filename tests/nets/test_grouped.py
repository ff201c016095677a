"""Grouped queries: folding is repeating without copies."""

import pytest
import torch

from groundup.nets.grouped import folded, repeated, unfolded


@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (4, 1), (4, 2), (6, 3), (6, 6)])
def test_folded_products_equal_those_with_repeated_keys(heads, groups):
    q, k, v = torch.randn(2, heads, 5, 8), torch.randn(2, groups, 7, 8), torch.randn(2, groups, 7, 3)
    slow = (q @ repeated(k, heads // groups).mT) @ repeated(v, heads // groups)
    fast = unfolded(folded(q, groups) @ k.mT @ v, heads)
    torch.testing.assert_close(fast, slow)


def test_neighbouring_heads_share_a_key():
    k = torch.arange(3.0).view(1, 3, 1, 1)
    assert repeated(k, 2).flatten().tolist() == [0, 0, 1, 1, 2, 2]


def test_heads_that_cannot_be_shared_evenly_are_refused():
    with pytest.raises(ValueError, match="evenly"):
        folded(torch.zeros(1, 5, 2, 2), 2)
