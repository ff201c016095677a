"""How a number is written in a sentence or a table: short, with a real minus, large and small ones by powers of ten."""

from __future__ import annotations

import math

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float, digits: int = 2) -> str:
    """So many significant digits: 0.78, −1.3, 1.1 · 10⁻⁶; a whole number up to 9,999 keeps all of its own."""
    value = float(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "−infinite"
    if value == round(value) and abs(value) < 10_000:
        return f"{int(value):,}".replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -3 <= int(exponent) < 4:
        text = f"{value:,.{max(digits - 1 - int(exponent), 0)}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}\u00a0·\u00a010{str(int(exponent)).translate(RAISED)}".replace("-", "−")
