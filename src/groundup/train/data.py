"""Batches for a language model: windows of a long row of tokens, and for each token the one that follows.

The row is cut into windows of `context` tokens, which are the examples. `order.py` says which of them a step takes, so a batch is a
pure function of (seed, step, rank, world), and there is nothing to save: a run that goes on at step 700 asks for step 700.
"""

import numpy as np
import torch

from . import order

NOT_COUNTED = -1  # as a target: the loss leaves it out


class Batches:
    """Inputs and targets of every step, for one rank.

    source: one row of token ids (n,), an array or a tensor of integers, or what has len() and windows(starts, length), such as a
    ShardSet; n >= 2. It is only read, and never copied as a whole. context: tokens in a window. batch, accumulate: windows in a
    micro-batch, micro-batches in a step. seed, rank, world, begin: see order.indices. slide: whether windows begin elsewhere in each epoch.
    Raises ValueError for ids that are not one row of integers, for fewer than two, for context < 1, and as order.numbers does.

    Attributes: all of these under their names; tokens, n; count, windows in an epoch; step_tokens, targets in a step over all ranks.

    n tokens have n - 1 targets. Window w has the tokens [w context, (w + 1) context), and their targets lie one further. The last
    window is moved back until its last target is the last token: so every window is full, and in an epoch every token but the first is
    a target, up to context - 1 of them twice. With slide, all windows of an epoch begin 0 to context - 1 tokens earlier, as seed and
    epoch decide. There are as many as the most that can be needed, and those that stick out at either end are moved inside.
    """

    def __init__(self, source, context, batch, *, seed=0, rank=0, world=1, accumulate=1, begin=(0, 0), slide=False):
        if isinstance(source, torch.Tensor):
            source = source.numpy()
        if not hasattr(source, "windows"):
            source = np.asarray(source)
            if source.ndim != 1 or source.dtype.kind not in "iu":
                raise ValueError(f"token ids are one row of integers, not {source.dtype} of shape {source.shape}")
        if len(source) < 2 or context < 1:
            raise ValueError(f"{len(source)} tokens, windows of {context}: two tokens and windows of one are the least")
        order.numbers(begin[0], rank, world, batch, accumulate, begin)  # refuses what cannot be
        self.source, self.context, self.batch = source, context, batch
        self.seed, self.rank, self.world, self.accumulate = seed, rank, world, accumulate
        self.begin, self.slide = tuple(begin), slide
        self.tokens = len(source)
        self.count = -(-(self.tokens - 1 + (context - 1 if slide else 0)) // context)
        self.step_tokens = context * batch * accumulate * world

    def at(self, step):
        """The inputs x and targets y of a step: two int64 tensors (accumulate, batch, context), y[..., i] following x[..., i].

        Raises ValueError where the source is too short for one full window.
        """
        if self.tokens <= self.context:
            raise ValueError(
                f"{self.tokens} tokens have no window of {self.context}: take a context below {self.tokens}"
            )
        share = (self.rank, self.world, self.batch, self.accumulate)
        which = order.indices(self.seed, step, *share, self.count, self.begin)  # (accumulate, batch)
        starts = which * self.context
        if self.slide:
            epochs = order.numbers(step, *share, self.begin) // self.count
            keys = order.mix(order.epoch_keys(self.seed, epochs))  # hashed once more: not the keys of the shuffle
            starts = starts - (keys % np.uint64(self.context)).astype(np.int64)
        starts = np.clip(starts, 0, self.tokens - 1 - self.context)
        windows = self._windows(starts.ravel(), self.context + 1).reshape(
            *which.shape, -1
        )  # (accumulate, batch, context + 1)
        return windows[..., :-1].contiguous(), windows[..., 1:].contiguous()

    def taken(self, step):
        """How many examples all ranks together have taken before a step."""
        return self.begin[1] + (step - self.begin[0]) * self.world * self.batch * self.accumulate

    def resized(self, step, *, batch=None, accumulate=None, rank=0, world=1):
        """Batches that go on at this step among other ranks, or with steps of another size: what has not been taken comes, and nothing else.

        batch, accumulate: as they were unless given. Asking the result for an earlier step raises ValueError.
        """
        batch, accumulate = batch or self.batch, accumulate or self.accumulate
        options = dict(seed=self.seed, rank=rank, world=world, accumulate=accumulate, slide=self.slide)
        return Batches(self.source, self.context, batch, begin=(step, self.taken(step)), **options)

    def full(self):
        """Every target once, in order, for an evaluation: yields x, y, two int64 tensors (b, context), b <= batch.

        Rank r of world has the windows r, r + world, r + 2 world, ... The last window is not moved, and may be shorter: behind its
        tokens x is 0 and y is -1, a target that the loss does not count.
        """
        windows = np.arange(self.rank, -(-(self.tokens - 1) // self.context), self.world)
        for first in range(0, len(windows), self.batch):
            starts = windows[first : first + self.batch] * self.context
            x = torch.zeros(len(starts), self.context, dtype=torch.int64)
            y = torch.full((len(starts), self.context), NOT_COUNTED)
            whole = int((starts + self.context < self.tokens).sum())  # all but the very last, perhaps
            filled = self._windows(starts[:whole], self.context + 1)
            x[:whole], y[:whole] = filled[:, :-1], filled[:, 1:]
            if whole < len(starts):
                rest = self._windows(starts[-1:], self.tokens - int(starts[-1]))[0]
                x[-1, : len(rest) - 1], y[-1, : len(rest) - 1] = rest[:-1], rest[1:]
            yield x, y

    def _windows(self, starts, length):
        """(n,) starts -> (n, length) int64 tensor."""
        if hasattr(self.source, "windows"):
            windows = self.source.windows(starts, length)
        else:
            windows = self.source[starts[:, None] + np.arange(length)]  # one gather, not a slice for each row
        return torch.from_numpy(windows.astype(np.int64))


def pack(documents, end):
    """Documents, each a row of ids, as one row with the id `end` behind each: (n,) int64. Nothing is cut, and nothing padded."""
    parts = [part for document in documents for part in (np.asarray(document, np.int64), [end])]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)


def documents(x, end):
    """Which of a window's documents each token belongs to, from 0: x (..., context) -> int64 tensor of that shape.

    The end of a document belongs to it, what follows to the next. Two tokens may attend to each other where the numbers are equal.
    """
    ends = (x == end).long()
    return ends.cumsum(-1) - ends
