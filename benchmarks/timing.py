"""How the benchmarks time: candidates take turns, and what is compared is the ratio within each turn.

A machine is never at rest: clocks change, other work comes and goes. Two things timed one right after the other suffer
the same weather, so the ratio of each turn is far steadier than either time. Its spread is printed with it.

What runs in one thread and waits for nothing is timed by the processor's clock, which stands while others have the
processor; on an idle machine the clock on the wall says the same.
"""

import gc
import statistics
import time


def interleave(candidates, turns=60, seconds=0.01, clock=time.process_time):
    """candidates: name -> function of no arguments. Returns name -> seconds a call, one number for each turn.

    In a turn each candidate is called in a row for about the given time, in an order that reverses from turn to turn.
    clock: time.process_time, or time.perf_counter for what has several threads or processes, or waits.
    """
    calls = {name: max(1, round(seconds / _once(run, clock))) for name, run in candidates.items()}
    times = {name: [] for name in candidates}
    gc.collect()
    for turn in range(turns):
        names = list(candidates) if turn % 2 == 0 else list(candidates)[::-1]
        for name in names:
            run = candidates[name]
            start = clock()
            for _ in range(calls[name]):
                run()
            times[name].append((clock() - start) / calls[name])
    return times


def _once(run, clock):
    """Seconds a call takes, once warm."""
    run()
    start = clock()
    run()
    run()
    return (clock() - start) / 2


HEADER = f"{'':40} {'ms':>9} {'beside':>9}   {'ratio: min  median     max'}"


def row(label, times, name, to):
    """A line of the table: both median times in milliseconds, and the ratio of the first to the second over the turns."""
    ratio = [a / b for a, b in zip(times[name], times[to])]
    milliseconds = " ".join(f"{statistics.median(times[which]) * 1e3:9.3f}" for which in (name, to))
    return f"{label:40} {milliseconds}   {min(ratio):10.2f} {statistics.median(ratio):7.2f} {max(ratio):7.2f}"
