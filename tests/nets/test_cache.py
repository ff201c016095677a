"""The cache: what comes back is what went in, and a model fed through it computes what it computes without."""

import types

import pytest
import torch

from groundup.nets.cache import KVCache

from .small_models import gpt


def shape(**over):
    return types.SimpleNamespace(**{**dict(layers=2, heads=4, kv_heads=2, width=8, context=10), **over})


def test_what_comes_back_is_everything_that_went_in():
    cache, put = KVCache(shape(), 3), [[], []]
    for t in (1, 4, 2):
        for layer in (0, 1):
            k, v = torch.randn(2, 3, 2, t, 2)
            put[layer].append((k, v))
            keys, values = cache.extend(layer, k, v)
            assert torch.equal(keys, torch.cat([k for k, _ in put[layer]], dim=2))
            assert torch.equal(values, torch.cat([v for _, v in put[layer]], dim=2))
        cache.advance(t)
    assert cache.length == 7 and cache.room == 10


def test_memory_is_made_once_and_of_the_key_heads_alone():
    cache = KVCache(shape(), 3, 6, dtype=torch.bfloat16)
    assert cache.keys.shape == cache.values.shape == (2, 3, 2, 6, 2) and cache.keys.dtype == torch.bfloat16
    where = cache.keys.data_ptr()
    cache.extend(0, torch.ones(3, 2, 4, 2), torch.ones(3, 2, 4, 2))
    assert cache.keys.data_ptr() == where
    assert KVCache(shape(kv_heads=0), 1).keys.shape[2] == 4


def test_what_was_cropped_is_written_over():
    cache = KVCache(shape(layers=1), 1)
    first, second = torch.randn(2, 1, 2, 5, 2)
    cache.extend(0, first, first)
    cache.advance(5)
    cache.crop(2)
    keys, _ = cache.extend(0, second[:, :, :3], second[:, :, :3])
    assert torch.equal(keys, torch.cat([first[:, :, :2], second[:, :, :3]], dim=2))


def test_too_much_is_refused_and_changes_nothing():
    cache = KVCache(shape(layers=1), 1, 3)
    cache.advance(2)
    two = torch.ones(1, 2, 2, 2)
    with pytest.raises(ValueError, match="room for 3 tokens"):
        cache.extend(0, two, two)
    with pytest.raises(ValueError, match="room for 3 tokens"):
        cache.advance(2)
    for n in (-1, 3):
        with pytest.raises(ValueError, match="cropped"):
            cache.crop(n)
    assert cache.length == 2 and not cache.keys.any()


@pytest.mark.parametrize("position", ["rope", "learned", "none"])
@pytest.mark.parametrize("kv_heads", [0, 2, 1])
@pytest.mark.parametrize("sizes", [[1] * 20, [4] * 5, [7, 1, 5, 7]])
def test_a_model_fed_in_pieces_computes_what_it_computes_at_once(position, kv_heads, sizes):
    model = gpt(position=position, kv_heads=kv_heads)
    ids = torch.randint(11, (3, 20), generator=torch.Generator().manual_seed(1))
    inside = []
    model.norm.register_forward_hook(lambda module, inputs, output: inside.append(output))
    with torch.no_grad():
        whole, before_head = model(ids), inside.pop()
        cache = KVCache.of(model, 3, 20)
        pieces = torch.cat([model(part, cache=cache) for part in ids.split(sizes, dim=1)], dim=1)
    # the same numbers in another order: products with other numbers of rows run other machine code
    torch.testing.assert_close(torch.cat(inside, dim=1), before_head, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(pieces, whole, rtol=1e-6, atol=1e-6)
    assert cache.length == 20


def test_rows_rearranged_go_on_as_if_they_had_been_read_there():
    model, rows = gpt(), torch.tensor([2, 0, 2, 1])
    ids = torch.randint(11, (3, 9), generator=torch.Generator().manual_seed(1))
    more = torch.randint(11, (4, 2), generator=torch.Generator().manual_seed(2))
    cache = KVCache.of(model, 3, 11)
    with torch.no_grad():
        model(ids, cache=cache)
        cache.reorder(rows)
        torch.testing.assert_close(
            model(more, cache=cache), model(torch.cat([ids[rows], more], dim=1))[:, 9:], rtol=1e-6, atol=1e-6
        )
