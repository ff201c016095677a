"""The order another way: a balanced Feistel network on the bits of the place, and one place after the other where that is enough."""

import numpy as np

ROUNDS = 20
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(x):
    x = np.atleast_1d(np.asarray(x, np.uint64)) + GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def permute(places, count, keys):
    places = np.asarray(places, np.int64)
    if np.any(places < 0) or np.any(places >= count):
        raise ValueError("a place outside")
    half = np.uint64(max(2, ((int(count) - 1).bit_length() + 1) // 2))
    mask = (np.uint64(1) << half) - np.uint64(1)
    keys = np.array(np.broadcast_to(np.asarray(keys, np.uint64), places.shape))
    now, done = places.astype(np.uint64), np.zeros(places.shape, bool)
    while not done.all():
        left, right = now >> half, now & mask
        for r in range(ROUNDS):
            left, right = right, left ^ (mix(mix(keys ^ np.uint64(977 * r + 1)) ^ right) >> np.uint64(20)) & mask
        now = np.where(done, now, (left << half) | right)
        done = now < np.uint64(count)
    return now.astype(np.int64)


def numbers(step, rank=0, world=1, batch=1, accumulate=1, begin=(0, 0)):
    if rank < 0 or rank >= world or batch < 1 or accumulate < 1 or step < begin[0]:
        raise ValueError("no such rank, size or step")
    size = world * batch * accumulate
    whole = begin[1] + (step - begin[0]) * size + np.arange(size)
    return whole.reshape(accumulate, world, batch)[:, rank]


def epoch_keys(seed, epochs):
    epochs = np.asarray(epochs).astype(np.uint64)
    return mix(np.full(epochs.shape, seed % 2**64, np.uint64) * np.uint64(3) ^ mix(mix(epochs)))


def indices(seed, step, rank, world, batch, accumulate, count, begin=(0, 0)):
    if count < 1:
        raise ValueError("no examples")
    n = numbers(step, rank, world, batch, accumulate, begin)
    out = np.empty_like(n)
    for epoch in range(int(n.min()) // count, int(n.max()) // count + 1):
        here = n // count == epoch
        out[here] = permute(n[here] - epoch * count, count, epoch_keys(seed, np.array([epoch]))[0])
    return out
