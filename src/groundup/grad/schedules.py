"""Schedules: the rate as a function of the step.

A schedule remembers nothing. Whoever trains asks it for the rate of the step that comes next, 0 for the first, and sets
it:

    opt.lr = warmup(step, 100) * cosine(step, 1e-3, 5000)

So a run that was broken off goes on with the right rate if it only knows its step. The formulas are those of
torch.optim.lr_scheduler, with a step for what is called an epoch there. step: an int, >= 0. Every function returns a
float.
"""

import math


def step_decay(step, rate, every, factor=0.1):
    """Constant, and multiplied by factor after every so many steps. StepLR."""
    return rate * factor ** (step // every)


def cosine(step, rate, steps, floor=0.0):
    """Half a wave from rate, at step 0, down to floor, at `steps`; beyond, it rises again. CosineAnnealingLR.

    Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), equation 5.
    """
    return floor + (rate - floor) * (1.0 + math.cos(math.pi * step / steps)) / 2.0


def cyclic(step, low, high, up, down=None, mode="triangular", gamma=1.0):
    """Up from low to high in `up` steps, straight, and back in `down` (None: as many), again and again. CyclicLR.

    The height over low is multiplied by 1 in the mode "triangular"; by a half for each cycle that is over in
    "triangular2"; and by gamma^step in "exp_range". Raises ValueError for another mode. Smith, Cyclical Learning Rates
    for Training Neural Networks (2017), section 3.1.
    """
    down = up if down is None else down
    cycle, place = divmod(step, up + down)
    height = place / up if place <= up else (up + down - place) / down
    return low + (high - low) * height * _scale(mode, gamma, cycle, step)


def one_cycle(step, peak, steps, warm=0.3, divide=25.0, final_divide=1e4):
    """One rise to peak and one fall far below the start, along half waves. OneCycleLR with its two phases.

    From peak / divide at step 0 to peak at warm * steps - 1, which need not be a whole number; from there down to peak
    / divide / final_divide at steps - 1, where it stays. If the top would not come after step 0, step 0 has the peak.
    Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2018), section
    3.
    """
    top, last = max(warm * steps - 1.0, 0.0), steps - 1
    start = peak / divide
    step = min(step, last)
    if step < top:
        return _wave(start, peak, step / top)
    if last <= top:
        return peak
    return _wave(peak, start / final_divide, (step - top) / (last - top))


def warmup(step, steps, start=1 / 3):
    """A factor for another schedule: from start, at step 0, straight up to 1 at `steps`, and 1 from then on. LinearLR.

    Raises ValueError unless 0 < start <= 1: with a factor of 0 the first step would be for nothing.
    Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017), section 2.2.
    """
    if not 0.0 < start <= 1.0:
        raise ValueError(f"a warm-up starts above 0 and at 1 at most, not at {start}")
    return start + (1.0 - start) * min(step, steps) / steps


def _wave(begin, end, share):
    """From begin to end along half a cosine wave: share 0 to 1."""
    return end + (begin - end) * (1.0 + math.cos(math.pi * share)) / 2.0


def _scale(mode, gamma, cycle, step):
    """What a cycle's height is multiplied by."""
    scales = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": gamma**step}
    if mode not in scales:
        raise ValueError(f"mode is one of {', '.join(scales)}, not {mode!r}")
    return scales[mode]
