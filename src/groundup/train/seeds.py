"""Seeds: where chance comes from in a run, how to fix it, and how to keep it.

A run draws from several generators at once: Python's `random`, NumPy's global one, torch's on the CPU and one on each device. A run
that is to be repeated sets all of them; a run that is to be resumed writes down where each of them stood. States are plain
arrays, numbers and strings, so that they can be kept without pickle. (PYTHONHASHSEED, which orders sets of strings, is read
when Python starts. No function here can set it.)
"""

import contextlib
import hashlib
import os
import random

import numpy as np
import torch


def derive(seed, *names):
    """A seed for one purpose: derive(seed, "dropout", rank) -> int in [0, 2**63).

    The parts as text, joined with "/"; of the SHA-256 of that (UTF-8) the first eight bytes, as a big-endian number; of that the
    upper 63 bits. It is the same on every machine, and what one purpose draws has nothing to do with what another draws,
    which cannot be said of seed and seed + 1.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def seed_everything(seed):
    """Set the global generators of Python, NumPy and torch (CPU and every device) from one seed, an int >= 0.

    Python's gets the seed as it is, NumPy's modulo 2**32 and torch's modulo 2**64, for they take no more. Raises ValueError for
    what is no such int (True is none; NumPy's integers are).
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"a seed is an int >= 0, not {seed!r}")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed % 2**64)  # the devices' too


def capture(**own):
    """Where every generator stands: a flat dict from dotted names to arrays, ints, floats, strings or None.

    The global ones are "python", "numpy", "torch", and "cuda:0" and so on where there are devices. own: further generators by
    name, each a random.Random, np.random.Generator or torch.Generator, kept under "own:NAME". A key is the generator's
    name, a dot, and the place in its state. Nothing is drawn, and nothing in the dict is shared with a generator: it stays as it
    is while they go on. Raises TypeError for another kind of generator.
    """
    state = {}
    for name, (get, _) in _sources(own).items():
        state.update(_flat(get(), name))
    return state


def restore(state, **own):
    """Put every generator back to where `capture` found it. Returns the names in the state that have no generator here.

    So a run that was kept on a GPU can go on without one, and its caller can say so. state: as from `capture`, or read from a
    file, where arrays may have become lists; it stays as it is. Raises ValueError if a generator that is here has no
    entry in the state, and TypeError as capture does; then none of them is touched.
    """
    sources, kept = _sources(own), _nested(state)
    missing = sorted(sources.keys() - kept.keys())
    if missing:
        raise ValueError(f"the state has no entry for {', '.join(missing)}: it was captured without")
    for name, (_, put) in sources.items():
        put(kept[name])
    return sorted(kept.keys() - sources.keys())


@contextlib.contextmanager
def isolated(seed=None):
    """Inside, all global generators are seeded with `seed` (for None, they go on); afterwards they stand where they stood before.

    So an evaluation that draws does not change what the training draws next, also when it ends with an exception.
    """
    before = capture()
    try:
        if seed is not None:
            seed_everything(seed)
        yield
    finally:
        restore(before)


# given
def deterministic(on=True):
    """Ask torch for algorithms whose sums have one order. Slower on a GPU; on a CPU with one number of threads they have it anyway.

    An operation that has no such algorithm raises RuntimeError from then on. https://docs.pytorch.org/docs/stable/notes/randomness.html
    """
    if on:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # has to be there before the first product on a GPU
    torch.use_deterministic_algorithms(on)
    torch.backends.cudnn.benchmark = not on and torch.backends.cudnn.benchmark


def _sources(own):
    """Every generator by name: a function that returns its state as a dict, and one that takes it back."""
    sources = {
        "python": _python(random),
        "numpy": (lambda: np.random.get_state(legacy=False), np.random.set_state),
        "torch": _torch(torch.default_generator),
    }
    for kind in ("cuda", "xpu"):
        module = getattr(torch, kind, None)
        for i in range(module.device_count() if module and module.is_available() else 0):
            sources[f"{kind}:{i}"] = _device(module, i)
    if torch.backends.mps.is_available():
        sources["mps:0"] = _device(torch.mps)
    for name, generator in own.items():
        if isinstance(generator, random.Random):
            pair = _python(generator)
        elif isinstance(generator, np.random.Generator):
            pair = _numpy(generator.bit_generator)
        elif isinstance(generator, torch.Generator):
            pair = _torch(generator)
        else:
            raise TypeError(f"{name} is a {type(generator).__name__}, and no generator of Python, NumPy or torch")
        sources[f"own:{name}"] = pair
    return sources


def _python(generator):
    def get():
        version, words, gauss = generator.getstate()  # 624 words of the Mersenne Twister and its position
        return {"version": version, "words": np.array(words, np.uint32), "gauss": gauss}

    def put(state):
        words = tuple(int(word) for word in state["words"])
        generator.setstate((int(state["version"]), words, state["gauss"]))

    return get, put


def _numpy(bits):
    def put(state):
        bits.state = state

    return lambda: bits.state, put


def _torch(generator):
    return lambda: _bytes(generator.get_state()), lambda state: generator.set_state(_tensor(state))


def _device(module, *index):
    return lambda: _bytes(module.get_rng_state(*index)), lambda state: module.set_rng_state(_tensor(state), *index)


def _bytes(tensor):
    return {"bytes": tensor.numpy()}


def _tensor(state):
    return torch.from_numpy(np.array(state["bytes"], np.uint8))


def _flat(value, name):
    """{"a": {"b": 1}} -> {"name.a.b": 1}, arrays copied."""
    if not isinstance(value, dict):
        return {name: value.copy() if isinstance(value, np.ndarray) else value}
    return {key: leaf for part, inner in value.items() for key, leaf in _flat(inner, f"{name}.{part}").items()}


def _nested(state):
    """What _flat made flat: the first part of a name is the generator's, the rest the place in its state."""
    nested = {}
    for name, value in state.items():
        *path, last = name.split(".")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value.copy() if isinstance(value, np.ndarray) else value
    return nested
