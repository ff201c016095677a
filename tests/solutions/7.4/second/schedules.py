import numpy as np


def clipped(p):
    return float(np.clip(p, 0, 1))


def constant(progress):
    return 1.0


def cosine(progress, floor=0.1):
    half = np.cos(clipped(progress) * np.pi / 2) ** 2  # the same wave, by the double angle
    return float(floor + (1 - floor) * half)


def linear(progress, floor=0.0):
    return float(np.interp(progress, [0, 1], [1, floor]))


def wsd(progress, decay=0.2, floor=0.0):
    if decay == 0:
        return 1.0
    return float(np.interp(progress, [1 - decay, 1], [1, floor]))


def warmed(progress, share):
    return float(np.interp(progress, [0, share], [0, 1])) if share > 0 else 1.0


def scheduled(name, progress, *, warmup=0.0, decay=0.2):
    for share in (warmup, decay):
        if share < 0 or share > 1:
            raise ValueError("a share is from 0 to 1")
    if name == "wsd":
        rate = wsd(progress, decay)
    elif name == "cosine":
        rate = cosine(progress)
    elif name == "linear":
        rate = linear(progress)
    elif name == "constant":
        rate = constant(progress)
    else:
        raise ValueError(f"no schedule {name}")
    return rate * warmed(progress, warmup)


SCHEDULES = {"constant": constant, "cosine": cosine, "linear": linear, "wsd": wsd}
