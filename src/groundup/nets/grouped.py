"""Grouped queries: several heads of queries read the same keys and values.

With H heads of queries and K heads of keys, head h reads group h // (H / K). A cache of keys and values is K / H as large.
K = H is attention as it was, K = 1 is multi-query attention.

Ainslie and others, GQA (2023). Shazeer, Fast Transformer Decoding: One Write-Head is All You Need (2019).
"""


def repeated(x, times):
    """x (B, K, T, D) -> (B, K * times, T, D): each head `times` times in a row. The slow, obvious definition."""
    return x.repeat_interleave(times, dim=1) if times > 1 else x


def folded(q, groups):
    """q (B, H, T, D) -> (B, K, H/K * T, D) with K = groups: the heads that share keys become rows of one product.

    So no key is copied: folded(q, K) @ k.mT for k (B, K, S, D) is all of their comparisons, (B, K, H/K * T, S).
    ValueError where H is no multiple of K.
    """
    B, H, T, D = q.shape
    if H % groups:
        raise ValueError(f"{H} heads of queries cannot share {groups} heads of keys evenly")
    return q.reshape(B, groups, H // groups * T, D)


def unfolded(y, heads):
    """What folded did, undone: y (B, K, H/K * T, D) -> (B, H, T, D) with H = heads."""
    B, K, rows, D = y.shape
    return y.reshape(B, heads, rows * K // heads, D)
