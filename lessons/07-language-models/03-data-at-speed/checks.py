"""What is asked of lesson 7.3: an order that is computed, files that are mapped and cannot lie, and windows that lose nothing."""

import hashlib
import itertools
import os
import struct
import tempfile
import tracemalloc

import numpy as np

from groundup.course import checkpoint

# --------------------------------------------------------------------------------------------- which examples, and whose


@checkpoint("The examples of a step are numbered across ranks and micro-batches", count=40)
def numbering(lib, step, rank, world, batch, accumulate, begin):
    return lib.train.order.numbers(step, rank, world, batch, accumulate, begin)


@numbering.cases
def _(draw):
    world = draw.integer(1, 4)
    begin = draw.choice([(0, 0), (0, 0), (3, 10), (7, 0)])
    return dict(
        step=begin[0] + draw.integer(0, 50),
        rank=draw.integer(0, world - 1),
        world=world,
        batch=draw.integer(1, 4),
        accumulate=draw.integer(1, 3),
        begin=begin,
    )


@numbering.edges
def _():
    one = dict(begin=(0, 0), rank=0, world=1, batch=1, accumulate=1)
    return [
        one | dict(step=0),
        one | dict(step=5, batch=3),
        one | dict(step=1, world=2, rank=1, batch=2),
        one | dict(step=1, world=2, rank=1, batch=2, accumulate=2),
        one | dict(step=10**9, world=4, rank=3, batch=4, accumulate=2),
    ]


@numbering.oracle
def _(step, rank, world, batch, accumulate, begin):
    first, taken = begin
    counted = itertools.count(taken)
    if step - first > 1000:  # whole steps are skipped, not counted out
        counted = itertools.count(taken + (step - first) * world * batch * accumulate)
        first = step
    for _ in range(first, step + 1):
        rows = [[[next(counted) for _ in range(batch)] for _ in range(world)] for _ in range(accumulate)]
    return np.array([row[rank] for row in rows])


@checkpoint("The shuffle is a permutation, place by place", count=20, seconds=5.0)
def shuffle(lib, count, key, some):
    permute = lib.train.order.permute
    key = np.uint64(key)
    return {
        "all": permute(np.arange(count), count, key),
        "some": permute(np.array(some, dtype=np.int64), count, key),
        "one by one": [int(permute(np.array([place]), count, key)[0]) for place in some[:3]],
        "with keys of their own": permute(np.array(some, dtype=np.int64), count, np.full(len(some), key)),
    }


@shuffle.cases
def _(draw):
    count = draw.choice([draw.integer(1, 12), draw.integer(1, 400)])
    return dict(count=count, key=draw.integer(0, 2**62), some=[draw.integer(0, count - 1) for _ in range(5)])


@shuffle.edges
def _():
    return [dict(count=c, key=k, some=[c - 1, 0]) for c in (1, 2, 3, 5, 10) for k in (0, 1)]


@shuffle.accepts
def _(got, count, key, some):
    if sorted(np.ravel(got["all"]).tolist()) != list(range(count)):
        return f"the places 0 to {count - 1} are not sent to 0 to {count - 1}, each once"
    expected = [int(got["all"][place]) for place in some]
    if np.ravel(got["some"]).tolist() != expected or list(got["one by one"]) != expected[:3]:
        return "a place alone is sent elsewhere than among all places"
    if np.ravel(got["with keys of their own"]).tolist() != expected:
        return "a key for each place gives something else than the same key for all"
    return True


@checkpoint("Every shuffle of a few is about as likely as another", count=1, seconds=6.0)
def fair(lib, count, seed):
    order, epochs = lib.train.order, 2400
    keys = np.repeat(order.epoch_keys(seed, np.arange(epochs)), count)
    places = np.tile(np.arange(count), epochs)
    return order.permute(places, count, keys).reshape(epochs, count)


@fair.cases
def _(draw):
    return dict(count=draw.integer(3, 5), seed=draw.seed())


@fair.edges
def _():
    return [dict(count=c, seed=1) for c in (2, 3, 5)]


@fair.accepts
def _(got, count, seed):
    from scipy.stats import chi2

    if np.shape(got) != (2400, count):
        return f"the places of 2400 epochs went in, and the shape {np.shape(got)} came out"
    rows, times = np.unique(got, axis=0, return_counts=True)
    if not (np.sort(rows, axis=1) == np.arange(count)).all():
        return "not every epoch has a permutation of its own"
    shuffles = len(list(itertools.permutations(range(count))))
    expected = len(got) / shuffles
    statistic = ((times - expected) ** 2 / expected).sum() + expected * (shuffles - len(rows))
    if statistic > chi2.isf(1e-9, shuffles - 1):
        return (
            f"of {shuffles} shuffles {len(rows)} are seen in 2400 epochs, the rarest {times.min()} and the commonest"
            f" {times.max()} times"
        )
    return True


@checkpoint("Neighbours are torn apart, and another seed or epoch is another order", count=4, seconds=4.0)
def spread(lib, count, seeds):
    order = lib.train.order
    rows = [
        order.permute(np.arange(count), count, order.epoch_keys(s, np.array([e]))[0]) for s in seeds for e in range(4)
    ]
    return np.array(rows)


@spread.cases
def _(draw):
    first = draw.seed()
    return dict(count=draw.integer(150, 400), seeds=[first, first + 1, first + 2])


@spread.edges
def _():
    return [dict(count=200, seeds=[0, 1, 2])]


@spread.accepts
def _(got, count, seeds):
    if len({tuple(row) for row in got.tolist()}) != len(got):
        return "two pairs of seed and epoch have the same order"
    gap = np.abs(np.diff(got, axis=1)).mean()
    if abs(gap - count / 3) > 0.05 * count:
        return f"places that follow each other land {gap:.0f} apart on average, and in a shuffle of {count} it is {count / 3:.0f}"
    along = max(abs(np.corrcoef(a, b)[0, 1]) for a, b in itertools.combinations([np.arange(count), *got], 2))
    return True if along < 0.6 else f"two orders are correlated by {along:.2f}: they share a pattern"


@checkpoint("In every epoch each example comes once, and no two ranks share one", count=15, seconds=8.0)
def once(lib, seed, count, batch, world, accumulate, epochs):
    steps = -(-epochs * count // (batch * world * accumulate))
    order, found, again = lib.train.order, [], True
    for step in range(steps):
        ranks = [order.indices(seed, step, rank, world, batch, accumulate, count) for rank in range(world)]
        found.append(np.stack(ranks, axis=1))  # (accumulate, world, batch)
    for step in reversed(range(steps)):  # whoever remembers what was asked before answers otherwise now
        again = again and np.array_equal(
            order.indices(seed, step, 0, world, batch, accumulate, count), found[step][:, 0]
        )
    return {"found": np.stack(found), "the same when asked again": bool(again)}


@once.cases
def _(draw):
    return dict(
        seed=draw.seed(),
        count=draw.integer(1, 40),
        batch=draw.integer(1, 4),
        world=draw.integer(1, 3),
        accumulate=draw.integer(1, 3),
        epochs=3,
    )


@once.edges
def _():
    one = dict(seed=0, batch=1, world=1, accumulate=1, epochs=2)
    return [
        one | dict(count=1),
        one | dict(count=5),
        one | dict(count=3, batch=4, world=2),
        one | dict(count=20, batch=2),
    ]


@once.accepts
def _(got, seed, count, batch, world, accumulate, epochs):
    found = got["found"]
    if found.shape[1:] != (accumulate, world, batch):
        return f"a rank's indices have the shape {(found.shape[1], *found.shape[3:])}, and not {(accumulate, batch)}"
    row = found.ravel()
    for epoch in range(epochs):
        examples = row[epoch * count : (epoch + 1) * count]
        if sorted(examples.tolist()) != list(range(count)):
            lost, twice = count - len(set(examples.tolist())), [x for x in range(count) if (examples == x).sum() > 1]
            return f"epoch {epoch} of {count} examples: {lost} are lost" + (
                f", {twice[:3]} come more than once" if twice else ""
            )
    orders = {tuple(row[epoch * count : (epoch + 1) * count].tolist()) for epoch in range(epochs)}
    if count >= 15 and len(orders) < epochs:
        return f"two of {epochs} epochs have the same order"
    return got["the same when asked again"] or "a step that is asked for again, out of order, has other examples"


@checkpoint("A step is the same set of examples among four ranks or one", count=15, seconds=4.0)
def divided(lib, seed, step, count, ways):
    order = lib.train.order
    return [
        np.sort(
            np.concatenate(
                [order.indices(seed, step, r, world, batch, accumulate, count).ravel() for r in range(world)]
            )
        )
        for world, batch, accumulate in ways
    ]


@divided.cases
def _(draw):
    ways = [(4, 3, 1), (2, 3, 2), (1, 12, 1), (1, 3, 4), (2, 6, 1)]
    return dict(seed=draw.seed(), step=draw.integer(0, 1000), count=draw.integer(100, 100_000), ways=ways)


@divided.accepts
def _(got, seed, step, count, ways):
    bad = [way for way, found in zip(ways, got) if not np.array_equal(found, got[0])]
    return not bad or f"(world, batch, accumulate) = {bad[0]} takes other examples in step {step} than {ways[0]}"


@checkpoint("A trillion examples cost no more memory than ten", count=4, seconds=4.0)
def boundless(lib, count, seed, step):
    order = lib.train.order
    order.indices(seed, 0, 0, 1, 8, 1, 10)
    tracemalloc.start()
    found = order.indices(seed, step, 5, 8, 16, 2, count)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    inside = int(found.min()) >= 0 and int(found.max()) < count
    return {"at most a megabyte": peak < 1_000_000, "inside": inside, "different": len(np.unique(found))}


@boundless.cases
def _(draw):
    return dict(count=draw.choice([10**12, 2**40 + 1, 2**61]), seed=draw.seed(), step=draw.integer(0, 10**9))


@boundless.edges
def _():
    return [dict(count=10**12, seed=0, step=0)]


@boundless.oracle
def _(count, seed, step):
    return {"at most a megabyte": True, "inside": True, "different": 32}


@checkpoint("What cannot be is refused", count=1)
def refused(lib, asked):
    order, names = lib.train.order, []
    for step, rank, world, batch, accumulate, count, begin in asked:
        try:
            order.indices(0, step, rank, world, batch, accumulate, count, begin)
        except ValueError:
            names.append("ValueError")
        else:
            names.append("accepted")
    try:
        order.permute(np.array([0, 7]), 7, np.uint64(0))
    except ValueError:
        names.append("ValueError")
    else:
        names.append("accepted")
    return names


@refused.edges
def _():
    good = [0, 0, 1, 1, 1, 5, (0, 0)]
    changes = [{1: 1}, {1: -1}, {3: 0}, {4: 0}, {5: 0}, {0: 4, 6: (5, 100)}, {}]
    return [dict(asked=[[change.get(i, value) for i, value in enumerate(good)] for change in changes])]


@refused.oracle
def _(asked):
    return ["ValueError"] * (len(asked) - 1) + ["accepted", "ValueError"]


# ---------------------------------------------------------------------------------------------------------- the files

TOKENIZER, OTHER = "5a" * 32, "c3" * 32


def as_bytes(ids, vocab_size, tokenizer, end, part, parts):
    """A shard's bytes, put together by hand."""
    width = 2 if vocab_size <= 65536 else 4
    body = np.asarray(ids).astype(f"<u{width}").tobytes()
    table = b"".join(hashlib.sha256(body[i : i + 1048576]).digest() for i in range(0, len(body), 1048576))
    header = b"GROUNDUP" + struct.pack("<IIII", 1, width, part, parts)
    header += struct.pack("<qqq", vocab_size, -1 if end is None else end, len(ids))
    header += bytes.fromhex(tokenizer) + bytes(32)
    return header + hashlib.sha256(header + bytes(32) + table).digest() + body + table


def put_down(files):
    """Files (name -> bytes as an array) in a new folder."""
    folder = tempfile.mkdtemp(dir=os.getcwd())
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content.tobytes())
    return folder


@checkpoint("A shard's bytes are as the layout says", count=12)
def written(lib, ids, vocab_size, end, part, parts):
    folder = tempfile.mkdtemp(dir=os.getcwd())
    path = os.path.join(folder, "train-00000.shard")
    header = lib.train.shards.write(path, ids, vocab_size, "5a" * 32, end=end, part=part, parts=parts)
    with open(path, "rb") as file:
        content = np.frombuffer(file.read(), np.uint8)
    return {"bytes": content, "tokens": header.tokens, "width": header.width, "files": sorted(os.listdir(folder))}


@written.cases
def _(draw):
    vocab_size = draw.choice([10, 65, 50_257, 65_536, 65_537, 200_000])
    parts = draw.integer(1, 3)
    return dict(
        ids=draw.integers(0, vocab_size - 1, draw.integer(1, 60)),
        vocab_size=vocab_size,
        end=draw.choice([None, 0, 9]),
        part=draw.integer(0, parts - 1),
        parts=parts,
    )


@written.edges
def _():
    one = dict(end=None, part=0, parts=1)
    return [
        one | dict(ids=np.array([3]), vocab_size=5),
        one | dict(ids=np.array([65_535, 0]), vocab_size=65_536),
        one | dict(ids=np.array([65_536, 1], dtype=np.int32), vocab_size=65_537),
        one | dict(ids=np.zeros(0, dtype=np.int64), vocab_size=5),
        one | dict(ids=np.arange(600_000) % 5, vocab_size=5),
    ]


@written.oracle
def _(ids, vocab_size, end, part, parts):
    content = np.frombuffer(as_bytes(ids, vocab_size, TOKENIZER, end, part, parts), np.uint8)
    width = 2 if vocab_size <= 65536 else 4
    return {"bytes": content, "tokens": len(ids), "width": width, "files": ["train-00000.shard"]}


@written.shown
def _(ids, vocab_size, end, part, parts):
    shown = ids.tolist() if len(ids) <= 12 else f"{len(ids):,} ids, up to {ids.max()}"
    return f'write("train-00000.shard", {shown}, {vocab_size}, "5a" * 32, end={end}, part={part}, parts={parts})'


@checkpoint("Ids that do not fit are refused, and no file is left", count=1)
def unwritten(lib, rows, vocab_size):
    names, folder = [], tempfile.mkdtemp(dir=os.getcwd())
    for row in rows:
        try:
            lib.train.shards.write(os.path.join(folder, "a.shard"), row, vocab_size, "5a" * 32)
        except ValueError:
            names.append("ValueError")
        else:
            names.append("accepted")
    return {"names": names, "files": os.listdir(folder)}


@unwritten.edges
def _():
    rows = [
        np.array([5]),
        np.array([0, -1]),
        np.array([65_537]),
        np.zeros((2, 2), dtype=np.int64),
        np.array([0.0, 1.0]),
    ]
    return [dict(rows=rows, vocab_size=5)]


@unwritten.oracle
def _(rows, vocab_size):
    return {"names": ["ValueError"] * len(rows), "files": []}


def a_set(ids, cuts, vocab_size, end=None, tokenizer=TOKENIZER):
    """name -> bytes of a set of shards: the ids, cut at these places."""
    pieces = np.split(ids, cuts)
    return {
        f"train-{part:05}.shard": np.frombuffer(
            as_bytes(piece, vocab_size, tokenizer, end, part, len(pieces)), np.uint8
        )
        for part, piece in enumerate(pieces)
    }


@checkpoint("Shards read as one long row, also across their borders", count=20)
def mapped(lib, files, starts, length):
    found = lib.train.shards.ShardSet(put_down(files), tokenizer="5a" * 32)
    windows = found.windows(starts, length)
    try:
        found.windows(np.array([len(found) - length + 1]), length)
    except IndexError:
        beyond = "IndexError"
    else:
        beyond = "accepted"
    return {
        "windows": np.asarray(windows, dtype=np.int64),
        "width": windows.dtype.itemsize,
        "len": len(found),
        "end": found.end,
        "vocab_size": found.vocab_size,
        "beyond": beyond,
        "verified": found.verify(),
        "first shard": [int(token) for token in found.shards[0].tokens[:3]],
    }


@mapped.cases
def _(draw):
    vocab_size = draw.choice([50, 70_000])
    ids = draw.integers(0, vocab_size - 1, draw.integer(1, 60))
    cuts = sorted(draw.integer(0, len(ids)) for _ in range(draw.integer(0, 4)))
    length = draw.integer(1, len(ids))
    starts = draw.integers(0, len(ids) - length, draw.integer(1, 5))
    return dict(files=a_set(ids, cuts, vocab_size, draw.choice([None, 3])), starts=starts, length=length)


@mapped.edges
def _():
    ids = np.arange(10, 22)
    return [
        dict(files=a_set(ids, [], 50), starts=np.array([0, 9]), length=3),
        dict(files=a_set(ids, [4, 8], 50, 7), starts=np.array([4, 3, 2, 0]), length=4),
        dict(files=a_set(ids, [4, 4, 5], 50), starts=np.array([4, 0]), length=8),
    ]


@mapped.oracle
def _(files, starts, length):
    bodies, first = [], None
    for content in files.values():
        raw = content.tobytes()
        _, width, _, _, vocab_size, end, tokens = struct.unpack_from("<IIIIqqq", raw, 8)
        bodies.append(np.frombuffer(raw, f"<u{width}", tokens, 144).astype(np.int64))
        first = bodies[0][:3].tolist()
    row = np.concatenate(bodies)
    return {
        "windows": np.array([row[s : s + length] for s in starts.tolist()]),
        "width": width,
        "len": len(row),
        "end": None if end < 0 else end,
        "vocab_size": vocab_size,
        "beyond": "IndexError",
        "verified": None,
        "first shard": first,
    }


@mapped.shown
def _(files, starts, length):
    return f"{len(files)} shards of {[(len(f) - 144) // 2 for f in files.values()]} tokens or so; windows({starts.tolist()}, {length})"


@checkpoint("A truncated, a changed, another tokenizer's, an incomplete set: each is named", count=12, seconds=4.0)
def damaged(lib, files, tokenizer):
    shards = lib.train.shards
    try:
        shards.ShardSet(put_down(files), tokenizer=tokenizer).verify()
    except shards.Truncated:
        return "Truncated"
    except shards.Changed:
        return "Changed"
    except shards.OtherTokenizer:
        return "OtherTokenizer"
    except FileNotFoundError:
        return "FileNotFoundError"
    return "whole"


def damage(how, place, size=40):
    """A case: a set of two shards with this damage."""
    files = a_set(np.arange(size) % 50, [size // 2], 50)
    first, second = files
    content = files[second].copy()
    if how == "cut":
        files[second] = content[: place % len(content)]
    elif how == "grown":
        files[second] = np.append(content, np.uint8(0))
    elif how == "changed":
        content[place % len(content)] ^= 1
        files[second] = content
    elif how == "gone":
        del files[first if place % 2 else second]
    elif how == "mixed":
        files[second] = a_set(np.arange(size) % 50, [size // 2], 51)[second]
    elif how == "swapped":
        files = {first: files[second], second: files[first]}
    elif how == "empty folder":
        files = {}
    elif how == "another file":
        files[second] = np.arange(400, dtype=np.uint16).view(np.uint8)
    return dict(files=files, tokenizer=OTHER if how == "tokenizer" else TOKENIZER, _how=how)


@damaged.cases
def _(draw):
    how = draw.choice(["cut", "changed", "changed", "gone"])
    beyond_the_numbers = 48 if how == "changed" else 0  # what changes these may read as a shorter file
    return damage(how, beyond_the_numbers + draw.integer(0, 143 if how == "changed" else 10_000))


@damaged.edges
def _():
    hows = ["whole", "cut", "grown", "gone", "mixed", "swapped", "tokenizer", "empty folder", "another file"]
    inside = [damage("changed", place, 1_200_000) for place in (144, 1_199_000)]  # the first block, and the second
    return [damage(how, 0) for how in hows] + [damage("cut", 200), damage("changed", 150)] + inside


@damaged.oracle
def _(files, tokenizer, how):
    names = {
        "cut": "Truncated",
        "grown": "Truncated",
        "gone": "Truncated",
        "another file": "Truncated",
        "whole": "whole",
    }
    names |= {"tokenizer": "OtherTokenizer", "empty folder": "FileNotFoundError"}
    return names.get(how, "Changed")


@damaged.shown
def _(files, tokenizer, how=""):
    return f"{how or 'damaged'}: files of {[len(f) for f in files.values()]} bytes"


# -------------------------------------------------------------------------------------------------------- the batches


def as_arrays(pair):
    """x and y as arrays, and their types: tensors of int64 are asked for."""
    import torch

    return [
        part.numpy() if isinstance(part, torch.Tensor) and part.dtype == torch.int64 else str(type(part))
        for part in pair
    ]


@checkpoint("Batches are windows of the source, and each token's target follows it", count=30, seconds=5.0)
def windows(lib, ids, context, batch, accumulate, seed, kind):
    import torch

    source = torch.from_numpy(ids) if kind == "tensor" else ids
    batches = lib.train.data.Batches(source, context, batch, seed=seed, accumulate=accumulate)
    steps = -(-batches.count // (batch * accumulate))
    pairs = [as_arrays(batches.at(step)) for step in range(steps)]
    return {
        "x": np.concatenate([x for x, _ in pairs]),
        "y": np.concatenate([y for _, y in pairs]),
        "count": batches.count,
        "again": np.array_equal(as_arrays(batches.at(0))[0], pairs[0][0]),
        "step_tokens": batches.step_tokens,
    }


@windows.cases
def _(draw):
    n = draw.integer(2, 60)
    return dict(
        ids=5 + 3 * draw.permutation(n),
        context=draw.integer(1, min(n - 1, 9)),
        batch=draw.integer(1, 3),
        accumulate=draw.integer(1, 2),
        seed=draw.integer(0, 100),
        kind=draw.choice(["array", "tensor"]),
    )


@windows.edges
def _():
    one = dict(batch=1, accumulate=1, seed=0, kind="array")
    return [
        one | dict(ids=np.array([4, 9]), context=1),
        one | dict(ids=np.array([4, 9, 7, 1, 5]), context=2),  # two windows, and nothing over
        one | dict(ids=np.array([4, 9, 7, 1, 5, 8]), context=2),  # the last one moves back
        one | dict(ids=np.array([4, 9, 7, 1, 5, 8, 2]), context=4, batch=2, accumulate=2),
        one | dict(ids=np.array([4, 9, 7, 1, 5, 8], dtype=np.uint16), context=5),
    ]


@windows.accepts
def _(got, ids, context, batch, accumulate, seed, kind):
    x, y, last = got["x"], got["y"], len(ids) - 1 - context
    starts = sorted({min(w * context, last) for w in range(-(-(len(ids) - 1) // context))})
    if got["count"] != len(starts):
        return f"an epoch has {len(starts)} windows, not {got['count']}"
    if x.ndim != 3 or x.shape[1:] != (batch, context) or x.shape != y.shape or x.shape[0] % accumulate:
        return f"x and y of a step have the shape {(accumulate, batch, context)}; all together they have {x.shape}, {y.shape}"
    where = {token: i for i, token in enumerate(ids.tolist())}
    found = []
    for xs, ys in zip(x.reshape(-1, context).tolist(), y.reshape(-1, context).tolist()):
        at = where.get(xs[0], -1)
        if xs != ids[at : at + context].tolist():
            return f"{xs} is no window of the source"
        if ys != ids[at + 1 : at + context + 1].tolist():
            return f"the targets of {xs} are {ys}, and what follows in the source is {ids[at + 1 : at + context + 1].tolist()}"
        found.append(at)
    if sorted(found[: len(starts)]) != starts:
        return f"the windows of an epoch begin at {sorted(found[: len(starts)])}, not at {starts}"
    if not got["again"]:
        return "the same step, asked for again, is another batch"
    tokens = context * batch * accumulate
    return got["step_tokens"] == tokens or f"a step has {tokens} targets, not {got['step_tokens']}"


@checkpoint("Shards and an array give the same batches, to every rank", count=8, seconds=4.0)
def same_source(lib, files, ids, context, rank, world):
    Batches = lib.train.data.Batches
    ways = [
        Batches(source, context, 2, rank=rank, world=world)
        for source in (ids, lib.train.shards.ShardSet(put_down(files)))
    ]
    pairs = [[np.stack(as_arrays(way.at(step))) for step in (0, 1, 70)] for way in ways]
    return {"same": all(np.array_equal(a, b) for a, b in zip(*pairs)), "shape": list(pairs[0][0].shape)}


@same_source.cases
def _(draw):
    ids = draw.integers(0, 49, draw.integer(12, 60))
    cuts = sorted(draw.integer(0, len(ids)) for _ in range(draw.integer(0, 3)))
    world = draw.integer(1, 3)
    context = draw.integer(1, 8)
    return dict(files=a_set(ids, cuts, 50), ids=ids, context=context, rank=draw.integer(0, world - 1), world=world)


@same_source.oracle
def _(files, ids, context, rank, world):
    return {"same": True, "shape": [2, 1, 2, context]}


@checkpoint("An evaluation has every target once, in order, and counts no padding", count=20)
def evaluation(lib, ids, context, batch, rank, world):
    batches = lib.train.data.Batches(ids, context, batch, rank=rank, world=world)
    return [as_arrays(pair) for pair in batches.full()]


@evaluation.cases
def _(draw):
    world = draw.integer(1, 3)
    return dict(
        ids=draw.integers(1, 90, draw.integer(2, 60)),
        context=draw.integer(1, 12),
        batch=draw.integer(1, 3),
        rank=draw.integer(0, world - 1),
        world=world,
    )


@evaluation.edges
def _():
    one = dict(batch=2, rank=0, world=1)
    return [
        one | dict(ids=np.array([4, 9, 7, 1, 5]), context=2),
        one | dict(ids=np.array([4, 9, 7, 1, 5, 8]), context=2),
        one | dict(ids=np.array([4, 9]), context=5),
    ]


@evaluation.oracle
def _(ids, context, batch, rank, world):
    rows = []
    for begin in range(0, len(ids) - 1, context):
        x, y = [0] * context, [-1] * context
        for i in range(begin, min(begin + context, len(ids) - 1)):
            x[i - begin], y[i - begin] = int(ids[i]), int(ids[i + 1])
        rows.append((x, y))
    mine = rows[rank::world]
    groups = [mine[i : i + batch] for i in range(0, len(mine), batch)]
    return [[np.array([x for x, _ in group]), np.array([y for _, y in group])] for group in groups]


@checkpoint("Ranks that come and go lose nothing and repeat nothing", count=12, seconds=5.0)
def elastic(lib, n, context, seed, phases):
    batches, step, found = lib.train.data.Batches(np.arange(n), context, 1, seed=seed), 0, []
    for world, batch, accumulate, steps in phases:
        ranks = [
            batches.resized(step, batch=batch, accumulate=accumulate, rank=rank, world=world) for rank in range(world)
        ]
        for later in range(step, step + steps):
            starts = np.stack(
                [as_arrays(way.at(later))[0][..., 0] for way in ranks], axis=1
            )  # (accumulate, world, batch)
            found.append(starts.ravel())
        step, batches = step + steps, ranks[-1]
    try:
        batches.resized(step).at(step - 1)
    except ValueError:
        before = "ValueError"
    else:
        before = "accepted"
    return {"starts": np.concatenate(found), "taken": int(batches.taken(step)), "before": before}


@elastic.cases
def _(draw):
    phases = [[draw.integer(1, 3) for _ in range(4)] for _ in range(draw.integer(2, 4))]
    context = draw.integer(1, 4)
    return dict(n=context * draw.integer(5, 20) + 1, context=context, seed=draw.integer(0, 99), phases=phases)


@elastic.edges
def _():
    return [dict(n=25, context=2, seed=0, phases=[[2, 1, 1, 3], [1, 1, 1, 6]])]


@elastic.accepts
def _(got, n, context, seed, phases):
    total, count = sum(w * b * a * s for w, b, a, s in phases), (n - 1) // context
    if got["taken"] != total or len(got["starts"]) != total:
        return f"{total} windows have been taken, not {got['taken']}"
    for epoch in range(total // count + 1):
        examples = got["starts"][epoch * count : (epoch + 1) * count].tolist()
        whole = len(examples) < count or sorted(examples) == list(range(0, n - 1, context))
        if len(set(examples)) != len(examples) or not whole:
            return f"in epoch {epoch} windows are repeated: {sorted(x for x in set(examples) if examples.count(x) > 1)[:4]}"
    return (
        got["before"] == "ValueError"
        or "a step from before the change is answered, and its batch is none that was ever taken"
    )


class Boundless:
    """A source of any length that holds no token: token i is i modulo 1000. It counts what is asked of it."""

    def __init__(self, length):
        self.length, self.asked = length, 0

    def __len__(self):
        return self.length

    def windows(self, starts, length):
        self.asked += len(starts) * length
        return ((np.asarray(starts)[:, None] + np.arange(length)) % 1000).astype(np.uint16)


def measured(make, step):
    """Batches of a source, one step of them, and the memory that took."""
    tracemalloc.start()
    x, y = as_arrays(make().at(step))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return x, y, peak


@checkpoint("A step of a terabyte looks at its own tokens and no others", count=3, seconds=4.0)
def speed(lib, tokens, context, batch, step):
    Batches = lib.train.data.Batches
    source = Boundless(tokens)
    Batches(np.arange(50), 4, 2).at(0)
    x, y, peak = measured(lambda: Batches(source, context, batch, seed=1), step)
    flat = np.broadcast_to(np.uint16(7), tokens)  # an array of that length whose tokens are one and the same two bytes
    _, ys, flat_peak = measured(lambda: Batches(flat, context, batch, seed=1), step)
    return {
        "tokens asked for": source.asked <= batch * (context + 1),
        "memory with shards": peak < 2_000_000,
        "memory with an array": flat_peak < 2_000_000,
        "targets follow": bool(((x + 1) % 1000 == y).all()),
        "target": int(ys[0, 0, 0]),
    }


@speed.cases
def _(draw):
    return dict(
        tokens=10**12 + draw.integer(0, 99), context=256, batch=draw.choice([4, 8]), step=draw.integer(0, 10**6)
    )


@speed.edges
def _():
    return [dict(tokens=10**12, context=256, batch=8, step=10**6)]


@speed.oracle
def _(tokens, context, batch, step):
    return {
        "tokens asked for": True,
        "memory with shards": True,
        "memory with an array": True,
        "targets follow": True,
        "target": 7,
    }


@checkpoint("Documents are packed with an end behind each, and can be told apart", count=20)
def packing(lib, rows, end):
    import torch

    data = lib.train.data
    packed = data.pack(rows, end)
    found = data.documents(torch.from_numpy(np.tile(np.asarray(packed), (2, 1))), end)
    return {"packed": packed, "documents": found.numpy()}


@packing.cases
def _(draw):
    rows = [draw.integers(0, 8, draw.integer(0, 5)).tolist() for _ in range(draw.integer(1, 5))]
    return dict(rows=rows, end=9)


@packing.edges
def _():
    return [dict(rows=[[1, 2], [3]], end=9), dict(rows=[[1], [], [2, 3]], end=9), dict(rows=[[]], end=0)]


@packing.oracle
def _(rows, end):
    packed, belongs = [], []
    for k, row in enumerate(rows):
        packed += [*row, end]
        belongs += [k] * (len(row) + 1)
    return {"packed": np.array(packed), "documents": np.array([belongs, belongs])}


@checkpoint("A source that is none is refused", count=1)
def no_source(lib, sources, options):
    names = []
    for source, changed in zip(sources, options):
        try:
            lib.train.data.Batches(source, **({"context": 4, "batch": 2} | changed)).at(0)
        except ValueError:
            names.append("ValueError")
        else:
            names.append("accepted")
    return names


@no_source.edges
def _():
    good = np.arange(30)
    sources = [
        np.zeros((3, 9), dtype=np.int64),
        np.zeros(30),
        np.zeros(1, dtype=np.int64),
        good,
        good,
        good,
        np.arange(4),
        good,
    ]
    options = [{}, {}, {}, {"context": 0}, {"batch": 0}, {"rank": 2, "world": 2}, {}, {}]
    return [dict(sources=sources, options=options)]


@no_source.oracle
def _(sources, options):
    return ["ValueError"] * (len(sources) - 1) + ["accepted"]


@checkpoint(
    "Windows that slide begin elsewhere each epoch, and still lose no token", stretch=True, count=6, seconds=6.0
)
def sliding(lib, n, context, seed):
    batches = lib.train.data.Batches(np.arange(n), context, 1, seed=seed, slide=True)
    epochs = [[as_arrays(batches.at(e * batches.count + w)) for w in range(batches.count)] for e in range(5)]
    return {
        "starts": np.array([[int(x[0, 0, 0]) for x, _ in epoch] for epoch in epochs]),
        "runs": all(np.array_equal(x.ravel(), x[0, 0, 0] + np.arange(context)) for epoch in epochs for x, _ in epoch),
    }


@sliding.cases
def _(draw):
    context = draw.integer(1, 8)
    return dict(n=draw.integer(2 * context + 1, 60), context=context, seed=draw.integer(0, 99))


@sliding.edges
def _():
    return [dict(n=113, context=16, seed=0)]


@sliding.accepts
def _(got, n, context, seed):
    if got["starts"].shape[1] != -(-(n + context - 2) // context):
        return (
            f"{n - 1} targets in windows of {context} that may begin anywhere need {-(-(n + context - 2) // context)}"
        )
    if not got["runs"]:
        return "a window is no run of the source"
    for starts in got["starts"]:
        if {t for s in starts.tolist() for t in range(s + 1, s + context + 1)} != set(range(1, n)):
            return f"windows from {sorted(starts.tolist())} do not have every target"
        inner = sorted(s for s in starts.tolist() if 0 < s < n - 1 - context)
        if any((b - a) % context for a, b in itertools.pairwise(inner)):
            return f"the windows of one epoch, {sorted(starts.tolist())}, are not all moved by one number"
    if context == 16 and len({int(np.bincount(s % 16).argmax()) for s in got["starts"]}) < 2:
        return "in five epochs the windows begin at the same places"
    return True
