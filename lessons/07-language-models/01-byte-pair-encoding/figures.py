"""The figure of lesson 7.1."""

import inspect

import matplotlib.pyplot as plt

from groundup.course.figures import INK
from groundup.data.catalogue import DataError
from groundup.data.loading import tinyshakespeare
from groundup.text import bpe

COLD, WARM = "#2b7a9e", "#a8402a"


def sizes():
    """Tokens a character against the size of a vocabulary learnt from Shakespeare, on more of it, and on a Python file."""
    code = inspect.getsource(bpe)
    try:
        text = tinyshakespeare()[:400_000]
        kinds = ((text[300_000:], "more Shakespeare", COLD), (code, "Python", WARM))
        text = text[:300_000]
    except DataError:  # without the data set, what a docstring teaches
        text, kinds = code, ((code, "Python, the same file", WARM),)
    learnt = bpe.train(text, 8192)
    counts = [256 + 2**k for k in range(2, 13) if 2**k <= len(learnt.merges)] + [learnt.vocab_size]
    figure, axes = plt.subplots(figsize=(6.2, 3.3))
    for other, name, colour in kinds:
        shares = [len(bpe.BPE(learnt.merges[: v - 256]).encode(other)) / len(other) for v in counts]
        axes.plot(counts, shares, "o-", color=colour, ms=3, lw=1.4, label=name)
    axes.axhline(1.0, color=INK, lw=0.7, ls=":")
    axes.set_xscale("log", base=2)
    axes.set_xticks([2**k for k in range(8, 14)], [str(2**k) for k in range(8, 14)])
    axes.set_ylim(0, 1.08)
    axes.set_xlabel("vocabulary")
    axes.set_ylabel("tokens a character")
    axes.legend(loc="lower left")
    return figure
