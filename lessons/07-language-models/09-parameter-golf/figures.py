"""The figures of lesson 7.9."""

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.nets.artifact import dequantise, quantise

COLD, WARM = "#2b7a9e", "#a8402a"
MEASURED = {3: (187_258, 2.628), 4: (258_646, 2.392), 5: (346_590, 2.366), 6: (423_842, 2.363)}  # the page's table
EXACT = 2.360


def ladder():
    """Many normal rows with four bits: the density of the weights over the scale, and the share of each code."""
    rows = np.random.default_rng(0).standard_normal((2000, 128))
    codes, scales = quantise(rows, 4)
    figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 3.8), sharex=True, gridspec_kw={"hspace": 0.1})
    above.hist((rows / scales.astype(float)[:, None]).ravel(), bins=120, color=COLD, alpha=0.6, density=True)
    above.set_ylabel("weights")
    above.set_yticks([])
    values, counts = np.unique(codes, return_counts=True)
    below.bar(values, 100 * counts / codes.size, width=0.82, color=WARM)
    below.set_ylabel("share, per cent")
    below.set_xlabel("code")
    below.set_xticks(range(-7, 8))
    for edge in np.arange(-6.5, 7):
        above.axvline(edge, color=INK, lw=0.4, ls=":")
    assert np.abs(dequantise(codes, scales) - rows).max() <= scales.max()  # what is drawn is what is built
    return figure


def price():
    """Bits per byte after the round trip against bytes, as the page's table has them; dashed, before it."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    bytes_, bits = zip(*MEASURED.values())
    axes.plot(np.array(bytes_) / 1000, bits, "o-", color=COLD, lw=1.6)
    for name, (x, y) in MEASURED.items():
        axes.annotate(f"{name} bits", (x / 1000, y), (6, 7), textcoords="offset points", color=COLD)
    axes.axhline(EXACT, color=INK, lw=0.8, ls="--")
    axes.text(330, EXACT - 0.024, "before rounding", color=INK, fontsize=9)
    axes.axvline(250, color=WARM, lw=0.9, ls=":")
    axes.text(252, 2.55, "250,000 bytes", color=WARM, fontsize=9)
    axes.set_xlim(170, 470)
    axes.set_ylim(2.32, 2.67)
    axes.set_xlabel("thousands of bytes")
    axes.set_ylabel("bits per byte")
    return figure
