"""Numbers as one says them: 124 M, 2.5 B, 18.3 GB, 33,200."""

from __future__ import annotations


def amount(number: float) -> str:
    """124 M, 2.5 B, 640."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{_three(number / size)} {letter}"
    return f"{number:g}"


def bytes_said(number: float) -> str:
    """18.3 GB, by powers of ten, as devices are sold."""
    for size, letter in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if number >= size:
            return f"{_three(number / size)} {letter}"
    return f"{_three(number / 1e3)} kB"


def thousands(number: float) -> str:
    """1.05, 33,200: three digits that count, thousands apart."""
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.3g}"


def _three(number: float) -> str:
    """Three digits that count, no exponent."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
