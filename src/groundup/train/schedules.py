"""Schedules: what share of the peak rate is used, as a function of how far the run has come.

Progress goes from 0, where the run begins, to 1, where its budget is spent. It does not say what the budget is made of: with
1,000 steps the fifth has made (4 + 0.5) / 1,000 of the way, with 60 seconds the one that begins after 15 has made 0.25. So one
function serves both, and a run that goes on after a break finds its rate again if it knows how far it had come.

    rate = peak * scheduled("wsd", progress, warmup=0.02, decay=0.6)

All are plain functions of floats and return a float in [0, 1]. Progress above 1 counts as 1, below 0 as 0.
"""

import math

NAMES = ("constant", "cosine", "linear", "wsd")


def constant(progress):
    """1, always."""
    return 1.0


def cosine(progress, floor=0.1):
    """Half a wave from 1 down to floor. Loshchilov and Hutter, SGDR (2017), equation 5; the floor of a tenth is GPT-3's (2020)."""
    return floor + (1.0 - floor) * (1.0 + math.cos(math.pi * _within(progress))) / 2.0


def linear(progress, floor=0.0):
    """A straight line from 1 down to floor."""
    return 1.0 - (1.0 - floor) * _within(progress)


def wsd(progress, decay=0.2, floor=0.0):
    """Stable, then a straight line down to floor over the last `decay` of the run (0: no decay at all).

    Hu and others, MiniCPM (2024), section 4; the line in place of their exponential is Hägele and others' (2024).
    """
    left = 1.0 - _within(progress)
    return 1.0 if left >= decay else floor + (1.0 - floor) * left / decay


def warmed(progress, share):
    """A straight line from 0 up to 1 over the first `share` of the run, and 1 from there on; 1 throughout if share is 0."""
    return 1.0 if share <= 0.0 else min(1.0, _within(progress) / share)


def scheduled(name, progress, *, warmup=0.0, decay=0.2):
    """The schedule of a name ("constant", "cosine", "linear", "wsd"), begun by a warm-up.

    warmup and decay are shares of the whole run, and only wsd uses decay. Where a warm-up and a schedule meet they are multiplied:
    the schedule does not wait. Raises ValueError for another name, and for a warm-up or a decay that is not in [0, 1].
    """
    if name not in NAMES:
        raise ValueError(f"there is no schedule {name!r}: choose one of {', '.join(NAMES)}")
    if not (0.0 <= warmup <= 1.0 and 0.0 <= decay <= 1.0):
        raise ValueError(f"warm-up ({warmup}) and decay ({decay}) are shares of the run, from 0 to 1")
    shapes = {"constant": constant, "cosine": cosine, "linear": linear, "wsd": lambda progress: wsd(progress, decay)}
    value = shapes[name](progress)
    return value * warmed(progress, warmup)


def _within(progress):
    return min(1.0, max(0.0, progress))
