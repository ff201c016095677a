"""Rules in plain loops, over lists."""

import math
import statistics
from dataclasses import dataclass

WARM = 0.1
WAITING = 0.2
SPIKE = 1.2
SCATTER = 6.0
BEFORE = 20
SPIKES = 3
GROWTH = 1.5
RISE = 1.1
SLOWER = 0.7
CAUSES = ("rate", "nondeterminism", "loader", "slowing", "healthy")


@dataclass(frozen=True)
class Finding:
    cause: str
    evidence: str


def spikes(loss):
    loss, found = [float(x) for x in loss], []
    for i in range(BEFORE, len(loss)):
        window = loss[i - BEFORE : i]
        m = statistics.median(window)
        spread = statistics.median(abs(x - m) for x in window)
        if loss[i] > SPIKE * m and loss[i] > m + SCATTER * spread:
            found.append(i)
    return found


def growth(series):
    series = [float(x) for x in series]
    if len(series) < 4:
        return 1.0
    half = len(series) // 2
    first = statistics.median(series[:half])
    return statistics.median(series[half:]) / first if first > 0 else 1.0


def ending(loss):
    loss = [float(x) for x in loss]
    if len(loss) < 10:
        return 1.0
    parts, begin = [], 0
    for i in range(10):
        size = len(loss) // 10 + (i < len(loss) % 10)
        parts.append(statistics.median(loss[begin : begin + size]))
        begin += size
    return parts[-1] / min(parts) if min(parts) > 0 else 1.0


def first_difference(run, twin):
    theirs = dict(zip(map(float, twin["step"]), map(float, twin["loss"])))
    for step, a in zip(map(float, run["step"]), map(float, run["loss"])):
        if step in theirs:
            b = theirs[step]
            if a != b and not (math.isnan(a) and math.isnan(b)):
                if a == 0 or not math.isfinite(a) or not math.isfinite(b):
                    return step, math.inf
                return step, abs(a - b) / abs(a)
    return None


def diagnose(run, twin=None):
    for log in (run, twin):
        if log is not None and len({len(series) for series in log.values()}) > 1:
            raise ValueError("series of different lengths")
    n = len(run["step"])

    def later(name):
        return [float(x) for x in run[name]][int(WARM * n) :]

    found = []
    bad = [step for step, loss in zip(run["step"], run["loss"]) if not math.isfinite(loss)]
    if bad:
        found.append(Finding("rate", f"not finite at step {bad[0]}"))
    else:
        jumps = len(spikes(later("loss")))
        grown = growth(later("grad_norm")) if "grad_norm" in run else 0
        if jumps >= SPIKES and grown > GROWTH:
            found.append(Finding("rate", f"{jumps} spikes, gradient times {grown}"))
        elif ending(later("loss")) > RISE:
            found.append(Finding("rate", f"ends {ending(later('loss'))} times its lowest"))
    if twin is not None and first_difference(run, twin):
        found.append(Finding("nondeterminism", f"twins part: {first_difference(run, twin)}"))
    wait = statistics.median(later("waiting")) if "waiting" in run else 0
    if wait > WAITING:
        found.append(Finding("loader", f"waits {wait}"))
    if wait <= WAITING and "tokens_per_s" in run and growth(later("tokens_per_s")) < SLOWER:
        found.append(Finding("slowing", f"speed times {growth(later('tokens_per_s'))}"))
    if not found:
        found.append(Finding("healthy", "no rule spoke"))
    return found
