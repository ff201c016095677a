"""Schedules written another way: by walking through the steps."""

import math


def step_decay(step, rate, every, factor=0.1):
    for i in range(1, step + 1):
        if i % every == 0:
            rate = rate * factor
    return rate


def cosine(step, rate, steps, floor=0.0):
    share = math.cos(math.pi * step / (2 * steps)) ** 2  # (1 + cos 2x) / 2 = cos(x)^2
    return share * rate + (1 - share) * floor


def cyclic(step, low, high, up, down=None, mode="triangular", gamma=1.0):
    if mode not in ("triangular", "triangular2", "exp_range"):
        raise ValueError(mode)
    down = down or up
    place, size = 0, 1.0
    for _ in range(step):
        place += 1
        if place == up + down:
            place, size = 0, size / 2
    rising = place / up
    falling = 1 - (place - up) / down
    top = high - low
    if mode == "triangular2":
        top *= size
    if mode == "exp_range":
        top *= math.exp(step * math.log(gamma))
    return low + top * min(rising, falling)


def one_cycle(step, peak, steps, warm=0.3, divide=25.0, final_divide=1e4):
    low, end = peak / divide, peak / divide / final_divide
    step = min(step, steps - 1)
    top = max(warm * steps - 1, 0)
    if step < top:
        return low + (peak - low) * math.sin(math.pi / 2 * step / top) ** 2
    left = steps - 1 - step
    if steps - 1 == top:
        return peak
    return end + (peak - end) * math.sin(math.pi / 2 * left / (steps - 1 - top)) ** 2


def warmup(step, steps, start=1 / 3):
    if not (start > 0 and start <= 1):
        raise ValueError(start)
    if step >= steps:
        return 1.0
    return (start * (steps - step) + step) / steps
