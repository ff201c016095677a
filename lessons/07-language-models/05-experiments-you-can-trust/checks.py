"""What is asked of lesson 7.5: generators that can be set, kept and put back, and a reader of logs that names the cause."""

import json
import random

import numpy as np
import torch

from groundup.course import checkpoint

# ----------------------------------------------------------------------------------------------------------- seeds


def drawn(python, numpy, generator, count):
    """A few numbers of each: normals among them, of which generators make two at a time and keep the second."""
    found = []
    for _ in range(count):
        found += [python.random(), python.gauss(0.0, 1.0), numpy.random_sample(), numpy.standard_normal()]
        found += torch.rand(1, generator=generator, dtype=torch.float64).tolist()
        found += torch.randn(1, generator=generator, dtype=torch.float64).tolist()
    return found


def at_hand():
    """The global generators, as `drawn` wants them."""
    return random, np.random, torch.default_generator


def seeded(seed):
    """The same three as they ought to be after one seed, without touching the global ones."""
    return random.Random(seed), np.random.RandomState(seed % 2**32), torch.Generator().manual_seed(seed % 2**64)


@checkpoint("One seed sets Python's, NumPy's and torch's generator")
def one_seed(lib, seed, count):
    random.seed(99), np.random.seed(99), torch.manual_seed(99)
    lib.train.seeds.seed_everything(seed)
    first = drawn(*at_hand(), count)
    lib.train.seeds.seed_everything(seed)
    return {"numbers": first, "again": drawn(*at_hand(), count)}


@one_seed.cases
def _(draw):
    return dict(
        seed=draw.choice([draw.integer(0, 10**6), draw.integer(2**31, 2**40), 2**64 + draw.integer(0, 9)]),
        count=draw.integer(1, 3),
    )


@one_seed.edges
def _():
    return [dict(seed=0, count=1), dict(seed=1, count=1), dict(seed=2**32 + 5, count=2)]


@one_seed.oracle
def _(seed, count):
    numbers = drawn(*seeded(seed), count)
    return {"numbers": numbers, "again": numbers}


@one_seed.shown
def _(seed, count):
    return f"seed_everything({seed}), then random.random(), random.gauss(0, 1), np.random.random_sample(), ..."


@checkpoint("What is no seed is refused", count=0)
def refuses(lib, seed):
    try:
        lib.train.seeds.seed_everything(seed)
    except ValueError:
        return "ValueError"
    return "taken"


@refuses.edges
def _():
    return [dict(seed=-1), dict(seed=1.0), dict(seed="1"), dict(seed=True), dict(seed=None)]


@refuses.oracle
def _(seed):
    return "ValueError"


@checkpoint("Seeds for many purposes, as the docstring derives them")
def derived(lib, seed, names):
    return [lib.train.seeds.derive(seed, *names), lib.train.seeds.derive(seed + 1, *names)]


@derived.cases
def _(draw):
    names = [draw.choice(["data", "dropout", "init", 0, 1, 17]) for _ in range(draw.integer(0, 3))]
    return dict(seed=draw.integer(0, 10**9), names=names)


@derived.edges
def _():
    return [dict(seed=0, names=[]), dict(seed=1, names=["data"]), dict(seed=0, names=["rank", 3])]


@derived.oracle
def _(seed, names):
    import hashlib

    found = []
    for first in (seed, seed + 1):
        digest = hashlib.sha256("/".join([str(first), *map(str, names)]).encode()).hexdigest()
        found.append(int(digest[:16], 16) % 2**64 // 2)
    return found


@derived.shown
def _(seed, names):
    return f"derive({', '.join(map(repr, [seed, *names]))})"


@checkpoint("A generator that is restored goes on where it was captured")
def resumed(lib, seed, used, count, through_json):
    seeds = lib.train.seeds
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    drawn(*at_hand(), used // 2)
    if used % 2:  # half of a pair of normals
        random.gauss(0.0, 1.0), np.random.standard_normal()
    state = seeds.capture()
    if through_json:
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.items()}
        state = json.loads(json.dumps(plain))
    before = drawn(*at_hand(), count)
    left = seeds.restore(state)
    after = drawn(*at_hand(), count)
    drawn(*at_hand(), 1)
    seeds.restore(state)
    return {"before": before, "after": after, "once more": drawn(*at_hand(), count), "left out": list(left)}


@resumed.cases
def _(draw):
    return dict(
        seed=draw.integer(0, 10**6), used=draw.integer(0, 7), count=draw.integer(1, 3), through_json=draw.boolean()
    )


@resumed.edges
def _():
    return [dict(seed=0, used=used, count=1, through_json=False) for used in (0, 1, 2, 3)]


@resumed.oracle
def _(seed, used, count, through_json):
    python, numpy, generator = seeded(seed)
    drawn(python, numpy, generator, used // 2)
    if used % 2:
        python.gauss(0.0, 1.0), numpy.standard_normal()
    numbers = drawn(python, numpy, generator, count)
    return {"before": numbers, "after": numbers, "once more": numbers, "left out": []}


@resumed.shown
def _(seed, used, count, through_json):
    return f"state = capture() after {used // 2} rounds of draws{' and two normals' if used % 2 else ''} from seed {seed}; draw; restore(state); draw again"


def fresh(kind, seed):
    """A generator of one's own."""
    if kind == "torch":
        return torch.Generator().manual_seed(seed)
    if kind == "python":
        return random.Random(seed)
    bits = {
        "PCG64": np.random.PCG64,
        "MT19937": np.random.MT19937,
        "Philox": np.random.Philox,
        "SFC64": np.random.SFC64,
    }
    return np.random.Generator(bits[kind](seed))


def draws_of(generator, count):
    if isinstance(generator, torch.Generator):
        return torch.randn(count, generator=generator, dtype=torch.float64).tolist()
    if isinstance(generator, random.Random):
        return [generator.gauss(0.0, 1.0) for _ in range(count)]
    found = []
    for _ in range(count):  # int32s are halves of a word: a generator keeps the other half
        found += [float(generator.integers(0, 10**6, dtype=np.int32)), generator.standard_normal()]
    return found


@checkpoint("Generators of one's own are kept beside the global ones")
def ones_own(lib, kinds, seed, used, count):
    seeds = lib.train.seeds
    mine = {f"g{i}": fresh(kind, seed + i) for i, kind in enumerate(kinds)}
    for generator in mine.values():
        draws_of(generator, used)
    random.seed(seed)
    state = seeds.capture(**mine)
    before = [draws_of(generator, count) for generator in mine.values()] + [random.random()]
    others = {f"g{i}": fresh(kind, 0) for i, kind in enumerate(kinds)}
    left = seeds.restore(state, **others)
    after = [draws_of(generator, count) for generator in others.values()] + [random.random()]
    without = seeds.restore(state)
    return {"before": before, "after": after, "left out": list(left), "left out without them": sorted(without)}


@ones_own.cases
def _(draw):
    kinds = [draw.choice(["PCG64", "torch", "python", "MT19937", "Philox", "SFC64"]) for _ in range(draw.integer(1, 3))]
    return dict(kinds=kinds, seed=draw.integer(0, 10**6), used=draw.integer(0, 3), count=draw.integer(1, 3))


@ones_own.edges
def _():
    return [dict(kinds=[kind], seed=0, used=1, count=1) for kind in ("PCG64", "torch", "python", "MT19937")]


@ones_own.oracle
def _(kinds, seed, used, count):
    numbers = []
    for i, kind in enumerate(kinds):
        generator = fresh(kind, seed + i)
        draws_of(generator, used)
        numbers.append(draws_of(generator, count))
    numbers.append(random.Random(seed).random())
    names = sorted(f"own:g{i}" for i in range(len(kinds)))
    return {"before": numbers, "after": numbers, "left out": [], "left out without them": names}


@ones_own.shown
def _(kinds, seed, used, count):
    return f"capture and restore with generators {', '.join(kinds)} from seed {seed}, {used} draws used"


@checkpoint("A state holds arrays and plain values, and is nobody else's")
def plain(lib, seed, used):
    seeds = lib.train.seeds
    mine = {"old": fresh("MT19937", seed), "new": fresh("Philox", seed)}
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    first = seeds.capture(**mine)
    copies = {name: np.array(value) for name, value in first.items() if isinstance(value, np.ndarray)}
    odd = [type(v).__name__ for v in first.values() if not isinstance(v, (np.ndarray, int, float, str, type(None)))]
    seeds.restore(first, **mine)  # neither drawing nor restoring may change it
    for _ in range(used):
        drawn(*at_hand(), 1)
        np.random.random_sample(700)
        torch.rand(700)
        for generator in mine.values():
            draws_of(generator, 700)
    moved = sorted(name for name, copy in copies.items() if not np.array_equal(first[name], copy))
    return {"neither": odd, "arrays": len(copies) > 0, "changed while they went on": moved}


@plain.cases
def _(draw):
    return dict(seed=draw.integer(0, 1000), used=draw.integer(1, 2))


@plain.oracle
def _(seed, used):
    return {"neither": [], "arrays": True, "changed while they went on": []}


plain.count = 5


@checkpoint("A state in which a generator is missing moves nothing", count=8)
def missing(lib, seed, kind):
    seeds = lib.train.seeds
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    state = seeds.capture()
    truth = drawn(*at_hand(), 1)
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    drawn(*at_hand(), 1)
    there = drawn(*at_hand(), 1)
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    drawn(*at_hand(), 1)
    try:
        seeds.restore(state, mine=fresh(kind, 0))
        said = "taken"
    except ValueError:
        said = "ValueError"
    try:
        seeds.capture(mine=np.random.RandomState(0))
        kinds = "taken"
    except TypeError:
        kinds = "TypeError"
    now = drawn(*at_hand(), 1)
    own = fresh(kind, seed)
    state = seeds.capture(mine=own)
    first = draws_of(own, 1)
    seeds.restore(state, mine=own)
    return {
        "restore": said,
        "RandomState": kinds,
        "moved": now != there,
        "back at the start": now == truth,
        "with its state": draws_of(own, 1) == first,
    }


@missing.cases
def _(draw):
    return dict(seed=draw.integer(0, 1000), kind=draw.choice(["PCG64", "torch", "python"]))


@missing.oracle
def _(seed, kind):
    return {
        "restore": "ValueError",
        "RandomState": "TypeError",
        "moved": False,
        "back at the start": False,
        "with its state": True,
    }


@checkpoint("What is isolated leaves no trace, even when it fails")
def apart(lib, seed, inner, count, fails):
    seeds = lib.train.seeds
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    first = drawn(*at_hand(), 1)
    inside = []
    try:
        with seeds.isolated(inner):
            inside = drawn(*at_hand(), count)
            if fails:
                raise KeyError("inside")
        ended = "well"
    except KeyError:
        ended = "KeyError"
    return {"first": first, "inside": inside, "ended": ended, "after": drawn(*at_hand(), count)}


@apart.cases
def _(draw):
    inner = draw.choice([None, draw.integer(0, 1000)])
    return dict(seed=draw.integer(0, 1000), inner=inner, count=draw.integer(1, 3), fails=draw.boolean())


@apart.edges
def _():
    return [dict(seed=0, inner=inner, count=1, fails=fails) for inner in (1, 0, None) for fails in (False, True)]


@apart.oracle
def _(seed, inner, count, fails):
    outside = seeded(seed)
    first = drawn(*outside, 1)
    after = drawn(*outside, count)
    inside = after if inner is None else drawn(*seeded(inner), count)
    return {"first": first, "inside": inside, "ended": "KeyError" if fails else "well", "after": after}


@apart.shown
def _(seed, inner, count, fails):
    return f"seed {seed}; one round of draws; with isolated({inner}): {count} rounds{', KeyError' if fails else ''}; {count} rounds"


# ------------------------------------------------------------------------------------------------- the rules, one by one


def middle(values):
    """The median, from the definition."""
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


@checkpoint("Spikes: far above the twenty values before", seconds=4)
def jumps(lib, loss):
    return [int(i) for i in lib.train.diagnosis.spikes(loss)]


@jumps.cases
def _(draw):
    n = draw.choice([draw.integer(21, 60), draw.integer(0, 25)])
    loss = draw.uniform(1.0, 4.0) * np.exp(draw.choice([0.005, 0.05, 0.3]) * draw.normal(n))
    loss *= np.linspace(1.0, draw.choice([0.3, 1.0, 1.6]), n)
    for _ in range(draw.integer(0, 6) if n > 21 else 0):
        loss[draw.integer(15, n - 1)] *= draw.choice([1.5, 1.15, 1.25, 3.0])
    return dict(loss=loss)


@jumps.edges
def _():
    step = np.r_[np.ones(20), 1.5, np.ones(10)]
    quiet = np.r_[np.tile([1.0, 1.1], 10), 1.3, 1.4, 3.0]  # above by a fifth, but not by six times the scatter
    flat = np.r_[np.ones(22), 1.1, 1.2, 1.21, np.ones(4)]
    run = np.r_[np.ones(20), np.full(25, 2.0)]  # after a while it is a new level
    return [dict(loss=loss) for loss in (step, quiet, flat, run, np.ones(20), np.ones(0))]


@jumps.oracle
def _(loss):
    found = []
    for i in range(20, len(loss)):
        before = list(loss[i - 20 : i])
        usual = middle(before)
        scatter = middle([abs(value - usual) for value in before])
        if loss[i] > 1.2 * usual and loss[i] - usual > 6.0 * scatter:
            found.append(i)
    return found


@checkpoint("Growth of a half over the other, and how high a loss ends", atol=1e-9)
def trends(lib, series):
    diagnosis = lib.train.diagnosis
    return {"growth": diagnosis.growth(series), "ending": diagnosis.ending(series)}


@trends.cases
def _(draw):
    n = draw.choice([draw.integer(4, 80), draw.integer(0, 12)])
    series = (
        draw.log_uniform(0.01, 100) * np.exp(0.5 * draw.normal(n)) * np.linspace(1.0, draw.choice([1.0, 0.1, 5.0]), n)
    )
    return dict(series=series * (np.arange(n) >= draw.choice([0, 0, n])))


@trends.edges
def _():
    return [
        dict(series=np.array([1.0, 1.0, 5.0, 2.0, 2.0, 9.0])),
        dict(series=np.arange(10.0, 0.0, -1.0)),
        dict(series=np.r_[4.0, 3.0, 2.0, np.ones(6), 2.0]),
        dict(series=np.array([1.0, 2.0, 9.0])),
        dict(series=np.zeros(12)),
        dict(series=np.ones(0)),
    ]


@trends.oracle
def _(series):
    values = [float(value) for value in series]
    half = len(values) // 2
    growth = 1.0
    if len(values) >= 4 and middle(values[:half]) > 0:
        growth = middle(values[half:]) / middle(values[:half])
    ending = 1.0
    if len(values) >= 10:
        size, longer = divmod(len(values), 10)  # the first parts are longer by one
        cuts = [i * size + min(i, longer) for i in range(11)]
        medians = [middle(values[cuts[i] : cuts[i + 1]]) for i in range(10)]
        ending = medians[-1] / min(medians) if min(medians) > 0 else 1.0
    return {"growth": growth, "ending": ending}


@checkpoint("The first step at which two runs are not the same", atol=1e-12)
def parting(lib, a, b):
    found = lib.train.diagnosis.first_difference(a, b)
    return None if found is None else [float(found[0]), float(found[1])]


@parting.cases
def _(draw):
    steps = np.cumsum(draw.integers(1, 3, draw.integer(1, 12)))
    loss = draw.uniform(1.0, 3.0, len(steps))
    other = loss.copy()
    if draw.boolean():
        at = draw.integer(0, len(steps) - 1)
        other[at:] *= 1.0 + draw.choice([0.1, 1e-7, -0.01])
    if draw.boolean(0.3):
        at = draw.integer(0, len(steps) - 1)
        loss[at:] = np.nan
        other[at:] = draw.choice([np.nan, np.nan, 2.0])
    keep = draw.uniform(0.0, 1.0, len(steps)) < draw.choice([1.1, 0.6])
    return dict(a={"step": steps, "loss": loss}, b={"step": steps[keep], "loss": other[keep]})


@parting.edges
def _():
    def series(steps, loss):
        return {"step": np.array(steps), "loss": np.array(loss)}

    first = series([1, 2, 4], [2.0, 1.0, 0.5])
    return [
        dict(a=first, b=first),
        dict(a=first, b=series([1, 2, 4], [2.0, 1.1, 0.4])),
        dict(a=first, b=series([1, 3, 4], [2.0, 7.0, 0.5])),
        dict(a=first, b=series([5, 6], [2.0, 7.0])),
        dict(a=series([1, 2], [0.0, np.nan]), b=series([1, 2], [0.0, np.nan])),
        dict(a=series([1, 2], [0.0, 1.0]), b=series([1, 2], [1e-3, 1.0])),
        dict(a=series([1, 2], [1.0, 2.0]), b=series([1, 2], [1.0, np.inf])),
    ]


@parting.oracle
def _(a, b):
    theirs = {int(step): float(loss) for step, loss in zip(b["step"], b["loss"])}
    for step, x in zip(a["step"], a["loss"]):
        if int(step) not in theirs:
            continue
        y = theirs[int(step)]
        if x == y or (x != x and y != y):
            continue
        fine = abs(x) < float("inf") and abs(y) < float("inf") and x != 0
        return [float(step), abs(x - y) / abs(x) if fine else float("inf")]
    return None


# --------------------------------------------------------------------------------------------------------- planted logs


def well(rng, n):
    """The log of a run with nothing wrong: a cold cache, a warm-up, a gradient that drifts, the noise of batches."""
    step = np.arange(1, n + 1) * int(rng.choice([1, 5, 10, 50]))
    place = np.linspace(0.0, 1.0, n)
    loss = rng.uniform(1.2, 2.5) + rng.uniform(1.5, 3.0) * np.exp(-place / rng.uniform(0.1, 0.4))
    loss = loss * rng.normal(1.0, rng.uniform(0.003, 0.02), n)
    norm = rng.uniform(0.3, 2.0) * np.linspace(1.0, rng.uniform(0.7, 1.25), n) * rng.lognormal(0.0, 0.08, n)
    norm[:3] *= 5.0
    waiting = rng.uniform(0.0, 0.12) * rng.uniform(0.8, 1.2, n)
    waiting[: max(1, n // 12)] = rng.uniform(0.5, 0.9)
    speed = rng.choice([2e3, 2e4, 1e6]) * (1.0 - waiting) * rng.uniform(0.95, 1.05, n)
    return {"step": step, "loss": loss, "grad_norm": norm, "tokens_per_s": speed, "waiting": waiting}


def spiky(run, rng, count):
    """Spikes at least thirty values from the beginning, and no two within three."""
    places = rng.permutation(np.arange(32, len(run["loss"]), 4))[:count]
    run["loss"][places] *= rng.uniform(1.5, 3.0, count)


def plant(run, twin, what, rng):
    """Puts one cause, or what only looks like one, into a log. Returns the twin."""
    n = len(run["step"])
    if what == "loader":
        run["waiting"] = rng.uniform(0.26, 0.85) * rng.uniform(0.95, 1.05, n)
    elif what == "a cold start":
        run["waiting"][: n // 3] = 0.9
    elif what == "a long cold start":  # more than half of the run, less than half of what is behind the warm-up
        run["waiting"][: round(0.53 * n)] = 0.9
    elif what == "slowing late":  # less than a quarter of the run, more than a quarter of what is behind the warm-up
        run["tokens_per_s"] = run["tokens_per_s"] * np.where(
            np.arange(n) < round(0.7625 * n), 1.0, rng.uniform(0.2, 0.5)
        )
    elif what == "rate":
        spiky(run, rng, int(rng.integers(4, 9)))
        run["grad_norm"] = run["grad_norm"] * np.geomspace(1.0, rng.uniform(6.0, 40.0), n)
    elif what == "a bad batch":
        spiky(run, rng, 1)
    elif what == "bad batches, quiet gradient":
        spiky(run, rng, 5)
    elif what == "growing gradient, no spikes":
        run["grad_norm"] = run["grad_norm"] * np.geomspace(1.0, 6.0, n)
    elif what == "diverged":
        at = int(rng.uniform(0.75, 0.85) * n)
        run["loss"][at:] = run["loss"][at:] * rng.uniform(1.5, 3.0)
    elif what == "not finite":
        run["loss"][int(rng.integers(1, n)) :] = rng.choice([np.nan, np.inf])
    elif what == "slowing":
        at = int(rng.uniform(0.45, 0.6) * n)
        run["tokens_per_s"] = run["tokens_per_s"] * np.where(np.arange(n) < at, 1.0, rng.uniform(0.2, 0.5))
    elif what == "slowed by the loader":
        share = np.where(np.arange(n) < 0.45 * n, rng.uniform(0.0, 0.1), rng.uniform(0.6, 0.8))
        run["waiting"], run["tokens_per_s"] = share, 1e4 * (1.0 - share)
    twin = {name: series.copy() for name, series in run.items()} if twin else None
    if what == "another order of sums":
        at = int(rng.integers(0, n - 1))
        twin["loss"][at:] = twin["loss"][at:] * (1.0 + 1e-7 * np.arange(1, n - at + 1))
    elif what == "another seed":
        twin["loss"] = twin["loss"] * rng.uniform(0.9, 0.99, n)
    return twin


CAUSE = {
    "nothing": "healthy", "loader": "loader", "rate": "rate", "another order of sums": "nondeterminism", "diverged": "rate",
    "not finite": "rate", "slowing": "slowing", "another seed": "nondeterminism", "slowed by the loader": "loader",
    "slowing late": "slowing", "a cold start": "healthy", "a long cold start": "healthy", "a bad batch": "healthy", "bad batches, quiet gradient": "healthy",
    "growing gradient, no spikes": "healthy",
}  # fmt: skip


def causes(diagnosis, run, twin):
    found = diagnosis.diagnose(run, twin)
    bare = any(not isinstance(finding.evidence, str) or not finding.evidence.strip() for finding in found)
    return {"causes": [finding.cause for finding in found], "without evidence": bare}


@checkpoint("The cause that was planted in a log is the one that is named", count=60, seconds=4)
def planted(lib, run, twin):
    return causes(lib.train.diagnosis, run, twin)


@planted.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    what = draw.choice(list(CAUSE))
    run = well(rng, draw.integer(80, 160))
    twin = plant(run, draw.boolean(0.8) or CAUSE[what] == "nondeterminism", what, rng)
    return dict(run=run, twin=twin, _what=what)


@planted.edges
def _():
    found = []
    for i, what in enumerate(CAUSE):
        rng = np.random.default_rng(i)
        run = well(rng, 100)
        found.append(dict(run=run, twin=plant(run, True, what, rng), _what=what))
    return found


@planted.oracle
def _(run, twin, what):
    return {"causes": [CAUSE[what]], "without evidence": False}


@planted.shown
def _(run, twin):
    return f"diagnose(run, twin): {len(run['step'])} logged steps, twin {'given' if twin else 'None'}"


@checkpoint("Several causes are all named, in their order", count=20)
def several(lib, run, twin):
    return causes(lib.train.diagnosis, run, twin)


@several.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    run, expected = well(rng, draw.integer(80, 160)), []
    for what in ("rate", "nondeterminism", "loader"):
        if draw.boolean():
            expected.append(what)
            plant(run, False, "nothing" if what == "nondeterminism" else what, rng)
    twin = plant(run, True, "another seed" if "nondeterminism" in expected else "nothing", rng)
    if "loader" not in expected and draw.boolean():
        expected.append("slowing")
        plant(run, False, "slowing", rng)
    return dict(run=run, twin=twin, _expected=expected or ["healthy"])


@several.oracle
def _(run, twin, expected):
    return {"causes": expected, "without evidence": False}


@checkpoint("A series that was not logged finds nothing, one of another length is refused", count=12)
def partial(lib, run, drop, cut):
    diagnosis = lib.train.diagnosis
    some = {name: series for name, series in run.items() if name not in drop}
    short = {**some, "waiting": run["waiting"][:-cut]}
    try:
        diagnosis.diagnose(short)
        said = "taken"
    except ValueError:
        said = "ValueError"
    return causes(diagnosis, some, None) | {"other length": said}


@partial.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    run = well(rng, draw.integer(80, 120))
    what = draw.choice(["loader", "rate", "slowing"])
    plant(run, False, what, rng)
    drop = {"loader": ["waiting"], "rate": ["grad_norm"], "slowing": ["tokens_per_s"]}[what]
    return dict(run=run, drop=drop + draw.choice([[], ["grad_norm"]]), cut=draw.integer(1, 5))


@partial.edges
def _():
    run = well(np.random.default_rng(0), 90)
    return [dict(run=run, drop=["grad_norm", "tokens_per_s", "waiting"], cut=1)]


@partial.oracle
def _(run, drop, cut):
    return {"causes": ["healthy"], "without evidence": False, "other length": "ValueError"}
