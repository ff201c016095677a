"""The order of the examples: where a step finds them is computed, not remembered.

Examples are numbered as they are consumed, over all steps and all ranks: 0, 1, 2, ... Number n belongs to epoch n // count, and is
the example at place n % count of that epoch's shuffle. The shuffle is a keyed permutation, which answers for one place without
knowing the others: nothing is stored, a step costs the same in the first epoch and the hundredth, and a run resumes at any step by
asking for it.

The permutation is a generalised Feistel network with cycle walking: Black and Rogaway, Ciphers with Arbitrary Finite Domains (2002),
methods 2 and 3. The hash in its rounds is SplitMix64's: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (2014).
"""

import math

import numpy as np

ROUNDS = 8  # four look random in a large table (Luby and Rackoff, 1988)
FEW = 1000  # below so many examples twice as many rounds: in a table of six cells it takes sixteen
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: odd, and its multiples are spread evenly


def mix(x):  # given
    """A hash of 64 bits: x uint64, any shape (a number becomes an array of one) -> uint64 of that shape.

    Whichever bit of x changes, about half of the bits that come out do.
    """
    x = np.atleast_1d(np.asarray(x, np.uint64)) + GOLDEN  # sums and products of arrays wrap around, as is meant here
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def permute(places, count, keys):
    """Where the shuffle with this key puts each place: a permutation of 0..count-1, entry by entry.

    places (n,) integers in [0, count); keys, one uint64 or (n,) of them -> (n,) int64 in [0, count). For a fixed key different
    places go to different places, and every permutation is about as likely as another. Memory O(n), whatever count is (up to 2^62).
    Raises ValueError for a place outside [0, count).

    0..count-1 is written row by row into a table of about sqrt(count) columns. In turn, each row is rotated by a hash of (key,
    round, row), and each column by a hash of (key, round, column): both can be undone, so nothing is lost. The table may have a few
    cells too many: whoever lands in one goes through the rounds again, until they are inside.
    """
    places = np.asarray(places)
    if places.size and (places.min() < 0 or places.max() >= count):
        raise ValueError(f"places lie in [0, {count}), and these go from {places.min()} to {places.max()}")
    columns = math.isqrt(count - 1) + 1 if count else 1
    rows = -(-count // columns)
    columns, rows, count = np.uint64(columns), np.uint64(rows), np.uint64(count)
    keys = np.broadcast_to(np.asarray(keys, np.uint64), places.shape)
    rounds = range(ROUNDS if count >= FEW else 2 * ROUNDS)
    round_keys = np.stack([mix(keys + np.uint64(r)) for r in rounds])  # (rounds, n)
    found = places.astype(np.uint64)  # (n,)
    outside = np.arange(len(found))  # who still has to go through the rounds
    while len(outside):
        row, column = np.divmod(found[outside], columns)
        for r, key in enumerate(round_keys[:, outside]):
            if r % 2 == 0:
                column = (column + mix(row ^ key) % columns) % columns
            else:
                row = (row + mix(column ^ key) % rows) % rows
        found[outside] = row * columns + column
        outside = outside[found[outside] >= count]
    return found.astype(np.int64)


def numbers(step, rank=0, world=1, batch=1, accumulate=1, begin=(0, 0)):
    """The numbers of the examples that a rank takes in a step: (accumulate, batch) int64.

    A step takes world * batch * accumulate numbers in a row: first the micro-batch 0 of every rank, rank by rank, then micro-batch 1,
    ... So a step is the same set of examples however it is divided, among 4 ranks or among 2 that accumulate twice.

    begin: (step, taken): by this step so many examples had been taken; where the size of a step changes on the way, it goes on from
    there. Raises ValueError for a rank outside [0, world), for sizes below 1, and for a step before begin's.
    """
    if not (0 <= rank < world and batch >= 1 and accumulate >= 1):
        raise ValueError(
            f"rank {rank} of {world}, batch {batch}, accumulate {accumulate}: 0 <= rank < world, sizes >= 1"
        )
    first, taken = begin
    if step < first:
        raise ValueError(f"step {step} lies before step {first}, from which this order is defined")
    micro = np.arange(accumulate)[:, None]  # (accumulate, 1)
    within = (micro * world + rank) * batch + np.arange(batch)  # (accumulate, batch)
    return taken + (step - first) * world * batch * accumulate + within


def epoch_keys(seed, epochs):
    """The keys of the shuffles of these epochs: seed, an integer; epochs, integers >= 0, any shape -> uint64 of that shape.

    Another key for every pair of seed and epoch: seed 1 in its first epoch is not seed 0 in its second.
    """
    return mix(mix(np.uint64(seed % 2**64)) ^ np.asarray(epochs).astype(np.uint64))


def indices(seed, step, rank, world, batch, accumulate, count, begin=(0, 0)):
    """Which of `count` examples a rank takes in a step: (accumulate, batch) int64 in [0, count). A pure function of its arguments.

    Example number n (see `numbers`) is the one at place n % count in the shuffle of epoch n // count; each epoch has a shuffle of its
    own, which seed and epoch decide. So in each epoch every example comes exactly once, two ranks never share one, and a batch may
    lie across two epochs. Raises ValueError for count < 1 and as `numbers` does.
    """
    if count < 1:
        raise ValueError(f"there are {count} examples: an order needs at least one")
    n = numbers(step, rank, world, batch, accumulate, begin)
    epochs, places = np.divmod(n.ravel(), count)
    return permute(places, count, epoch_keys(seed, epochs)).reshape(n.shape)
