"""How the benchmarks time: candidates take turns, and what is compared is the ratio within each turn.

A machine is never at rest: clocks change, other work comes and goes. Two things timed one right after the other suffer
the same weather, so the ratio of each turn is far steadier than either time. Its spread is printed with it.
"""

import gc
import statistics
import time


def interleave(candidates, turns=60, seconds=0.01):
    """candidates: name -> function of no arguments. Returns name -> seconds a call, one number for each turn.

    In a turn each candidate is called in a row for about the given time, in an order that reverses from turn to turn.
    """
    calls = {name: max(1, round(seconds / _once(run))) for name, run in candidates.items()}
    times = {name: [] for name in candidates}
    gc.collect()
    for turn in range(turns):
        names = list(candidates) if turn % 2 == 0 else list(candidates)[::-1]
        for name in names:
            run = candidates[name]
            start = time.perf_counter()
            for _ in range(calls[name]):
                run()
            times[name].append((time.perf_counter() - start) / calls[name])
    return times


def _once(run):
    """Seconds a call takes, once warm."""
    run()
    start = time.perf_counter()
    run()
    run()
    return (time.perf_counter() - start) / 2


def ratios(times, name, to):
    """The ratio of one candidate's time to another's, in each turn."""
    return [a / b for a, b in zip(times[name], times[to])]


HEADER = f"{'':44} {'ms':>9}  {'ratio: min  median     max'}"


def row(label, seconds, ratio):
    """A line of the table: the median time in milliseconds, and the spread of the ratio."""
    low, middle, high = min(ratio), statistics.median(ratio), max(ratio)
    return f"{label:44} {statistics.median(seconds) * 1e3:9.3f}  {low:10.2f} {middle:7.2f} {high:7.2f}"
