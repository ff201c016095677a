"""Reading a run: from what was logged to the cause, with the evidence for it.

A loss that disappoints has a few usual causes, and each leaves a trace in another curve: a loader that cannot keep up, in the share of
time spent waiting; a rate that is too high, in spikes and in the norm of the gradient; chance that was not fixed, in a second run
with the same seed. Every rule here is a number against a threshold, and says both.
"""

from dataclasses import dataclass

import numpy as np

WARM = 0.1  # share of a run, at its beginning, that no rule looks at: caches are cold, the rate is still rising
WAITING = 0.2  # of the time spent waiting for data: above it, the loader is the cause
SPIKE = 1.2  # a loss so many times the median of those before it
SCATTER = 6.0  # and so many times their usual distance above it
BEFORE = 20  # logged losses before it that count
SPIKES = 3  # so many of them are no accident
GROWTH = 1.5  # of the gradient's norm, from one half of the run to the other
RISE = 1.1  # of the loss at the end over its lowest, both smoothed
SLOWER = 0.7  # tokens per second at the end, as a share of those at the beginning
CAUSES = ("rate", "nondeterminism", "loader", "slowing", "healthy")


@dataclass(frozen=True)
class Finding:  # given
    """One thing that was found. cause: one of CAUSES; evidence: the numbers that speak for it, in a sentence."""

    cause: str
    evidence: str


def diagnose(run, twin=None):
    """All findings about a run, in the order of CAUSES; one alone, "healthy", if no rule found anything.

    run: a dict of series (n,), n >= 1, one value for each logged step: "step" and "loss", and as far as they were logged
    "grad_norm", "tokens_per_s", "waiting" (share of the time, 0 to 1). A rule whose series is not there finds nothing.
    twin: a second run with the same seed, if there was one. The first WARM of a run, int(WARM * n) values, is left out, except
    for "nondeterminism".

    rate: the loss is not finite anywhere (this one looks at the warm-up too); or there are at least SPIKES `spikes` and the gradient's norm has a
    `growth` above GROWTH; or the loss has risen: the `ending` of the loss is above RISE.
    nondeterminism: run and twin have a `first_difference`.
    loader: the median of "waiting" is above WAITING.
    slowing: the `growth` of "tokens_per_s" is below SLOWER, and the loader is not the cause.

    Raises ValueError for a series of another length than "step".
    """
    run = _checked(run)
    loss = _later(run["loss"])
    found = []
    if not np.isfinite(run["loss"]).all():
        at = run["step"][~np.isfinite(run["loss"])][0]
        found.append(Finding("rate", f"the loss is not finite from step {at:g} on"))
    else:
        count = len(spikes(loss))
        norm = growth(_later(run["grad_norm"])) if "grad_norm" in run else 0.0
        rise = ending(loss)
        if count >= SPIKES and norm > GROWTH:
            text = f"{count} spikes in the loss, and the norm of the gradient has grown {norm:.1f}-fold"
            found.append(Finding("rate", text))
        elif rise > RISE:
            found.append(Finding("rate", f"the loss ends {rise:.2f} times as high as it has been"))
    if twin is not None and (difference := first_difference(run, _checked(twin))) is not None:
        step, size = difference
        text = f"two runs with one seed differ from step {step:g} on, at first by {size:.1g}"
        found.append(Finding("nondeterminism", text))
    waiting = float(np.median(_later(run["waiting"]))) if "waiting" in run else 0.0
    if waiting > WAITING:
        found.append(Finding("loader", f"{waiting:.0%} of the time is spent waiting for data"))
    elif "tokens_per_s" in run and (speed := growth(_later(run["tokens_per_s"]))) < SLOWER:
        found.append(Finding("slowing", f"tokens per second have fallen to {speed:.0%}, and not for want of data"))
    return found or [Finding("healthy", f"{len(spikes(loss))} spikes, {waiting:.0%} of the time waiting")]


def spikes(loss):
    """Where a loss jumps: indices (k,) into the series (n,), ascending.

    Index i >= BEFORE is a spike if loss[i] is above SPIKE times the median of the BEFORE values before it, and lies more
    than SCATTER times their median absolute deviation (the median of their distances from that median) above it.
    """
    loss = np.asarray(loss, np.float64)
    if len(loss) <= BEFORE:
        return np.empty(0, np.int64)
    before = np.lib.stride_tricks.sliding_window_view(loss[:-1], BEFORE)  # (n - BEFORE, BEFORE)
    usual = np.median(before, axis=1)
    scatter = np.median(np.abs(before - usual[:, None]), axis=1)
    now = loss[BEFORE:]
    return np.flatnonzero((now > SPIKE * usual) & (now - usual > SCATTER * scatter)) + BEFORE


def growth(series):
    """The median of the second half over the median of the first (n // 2 values), as a float; 1 for fewer than four values, or if the first is 0."""
    series = np.asarray(series, np.float64)
    half = len(series) // 2
    first, second = np.median(series[:half]) if half else 0.0, np.median(series[half:]) if half else 0.0
    return float(second / first) if len(series) >= 4 and first > 0 else 1.0


def ending(loss):
    """How high a loss ends, over its lowest: the series is cut into ten parts as equal as can be (np.array_split), and the median of the last
    is divided by the lowest of the ten medians. 1 for fewer than ten values."""
    if len(loss) < 10:
        return 1.0
    medians = [float(np.median(part)) for part in np.array_split(np.asarray(loss, np.float64), 10)]
    return medians[-1] / min(medians) if min(medians) > 0 else 1.0


def first_difference(run, twin):
    """(step, size) of the first step that both have logged and at which their losses are not the same number; None if there is none.

    size: |a - b| / |a|, the first run's loss being a; infinite if a is 0 or if only one of the two is finite. Two NaN are the same. The
    steps of each ascend, and need not be the same ones.
    """
    _, mine, other = np.intersect1d(run["step"], twin["step"], assume_unique=True, return_indices=True)
    a, b = np.asarray(run["loss"], np.float64)[mine], np.asarray(twin["loss"], np.float64)[other]
    differ = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))))
    if not len(differ):
        return None
    i = differ[0]
    fine = np.isfinite(a[i]) and np.isfinite(b[i]) and a[i] != 0
    return float(np.asarray(run["step"])[mine][i]), float(abs(a[i] - b[i]) / abs(a[i])) if fine else float("inf")


def _checked(run):
    series = {name: np.asarray(values, np.float64) for name, values in run.items()}
    for name, values in series.items():
        if values.shape != series["step"].shape:
            raise ValueError(f"{name} has {values.size} values for {series['step'].size} steps")
    return series


def _later(series):
    return series[int(WARM * len(series)) :]
