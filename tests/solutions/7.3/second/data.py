"""Batches another way: a window at a time, as tensors."""

import numpy as np
import torch

from .order import epoch_keys, indices, mix, numbers

NOT_COUNTED = -1


class OneRow:
    """An array with the interface of a set of shards."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return self.ids.shape[0]

    def windows(self, starts, length):
        return np.stack([self.ids[s : s + length] for s in np.asarray(starts).tolist()])


class Batches:
    def __init__(self, source, context, batch, *, seed=0, rank=0, world=1, accumulate=1, begin=(0, 0), slide=False):
        if not hasattr(source, "windows"):
            ids = source.detach().numpy() if torch.is_tensor(source) else np.asarray(source)
            if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
                raise ValueError("one row of integers")
            source = OneRow(ids)
        if len(source) < 2 or min(context, batch, accumulate, world) < 1 or not 0 <= rank < world:
            raise ValueError("too small")
        self.source, self.context, self.batch, self.accumulate = source, context, batch, accumulate
        self.seed, self.rank, self.world, self.begin, self.slide = seed, rank, world, begin, slide
        self.tokens = len(source)
        self.count = 0
        most = self.tokens - 1 + (context - 1) * slide
        self.count = most // context + (most % context > 0)
        self.step_tokens = world * accumulate * batch * context

    def pair(self, start, length):
        row = torch.from_numpy(self.source.windows(np.array([start]), length + 1)[0].astype(np.int64))
        return row[:-1], row[1:]

    def at(self, step):
        last = self.tokens - 1 - self.context
        if last < 0:
            raise ValueError("too short")
        of = (self.rank, self.world, self.batch, self.accumulate)
        which = indices(self.seed, step, *of, self.count, self.begin)
        n = numbers(step, *of, self.begin)
        x = torch.empty(*which.shape, self.context, dtype=torch.int64)
        y = torch.empty_like(x)
        for place, w in np.ndenumerate(which):
            start = int(w) * self.context
            if self.slide:
                start -= int(mix(epoch_keys(self.seed, np.array([n[place] // self.count])))[0]) % self.context
            x[place], y[place] = self.pair(max(0, min(start, last)), self.context)
        return x, y

    def taken(self, step):
        size = self.world * self.batch * self.accumulate
        return self.begin[1] + step * size - self.begin[0] * size

    def resized(self, step, *, batch=None, accumulate=None, rank=0, world=1):
        return type(self)(
            self.source,
            self.context,
            self.batch if batch is None else batch,
            seed=self.seed,
            rank=rank,
            world=world,
            accumulate=self.accumulate if accumulate is None else accumulate,
            begin=(step, self.taken(step)),
            slide=self.slide,
        )

    def full(self):
        rows = []
        for number, start in enumerate(range(0, self.tokens - 1, self.context)):
            if number % self.world != self.rank:
                continue
            x, y = self.pair(start, min(self.context, self.tokens - 1 - start))
            short = self.context - len(x)
            rows.append((torch.cat([x, x.new_zeros(short)]), torch.cat([y, y.new_full((short,), NOT_COUNTED)])))
            if len(rows) == self.batch:
                yield torch.stack([x for x, _ in rows]), torch.stack([y for _, y in rows])
                rows = []
        if rows:
            yield torch.stack([x for x, _ in rows]), torch.stack([y for _, y in rows])


def pack(documents, end):
    row = []
    for document in documents:
        row.extend(int(i) for i in document)
        row.append(end)
    return np.array(row, dtype=np.int64)


def documents(x, end):
    out = torch.zeros_like(x, dtype=torch.int64)
    for i in range(1, x.shape[-1]):
        out[..., i] = out[..., i - 1] + (x[..., i - 1] == end)
    return out
