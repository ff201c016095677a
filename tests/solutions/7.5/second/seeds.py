"""Generators kept as JSON text and bytes: one class a kind, no tables of functions."""

import contextlib
import hashlib
import json
import numbers
import random

import numpy as np
import torch


def derive(seed, *names):
    digest = hashlib.sha256("/".join(map(str, [seed, *names])).encode("utf-8")).digest()
    return int(digest.hex()[:16], 16) // 2


def seed_everything(seed):
    if type(seed) is bool or not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError("a seed is a whole number, 0 or more")
    random.seed(int(seed))
    np.random.seed(int(seed) & 0xFFFFFFFF)
    torch.manual_seed(int(seed) & 0xFFFFFFFFFFFFFFFF)


class _Python:
    def __init__(self, generator):
        self.generator = generator

    def get(self):
        return {"json": json.dumps(self.generator.getstate())}

    def put(self, kept):
        version, words, gauss = json.loads(kept["json"])
        self.generator.setstate((version, tuple(words), gauss))


class _Torch:
    def __init__(self, generator):
        self.generator = generator

    def get(self):
        return {"state": self.generator.get_state().numpy().copy()}

    def put(self, kept):
        self.generator.set_state(torch.tensor(np.asarray(kept["state"]), dtype=torch.uint8))


def _listed(value):
    if isinstance(value, dict):
        return {name: _listed(inner) for name, inner in value.items()}
    return {"array": value.tolist(), "dtype": str(value.dtype)} if isinstance(value, np.ndarray) else value


def _arrays(value):
    if isinstance(value, dict) and set(value) == {"array", "dtype"}:
        return np.array(value["array"], value["dtype"])
    return {name: _arrays(inner) for name, inner in value.items()} if isinstance(value, dict) else value


class _Numpy:
    def __init__(self, bits):
        self.bits = bits

    def get(self):
        return {"json": json.dumps(_listed(self.bits.state))}

    def put(self, kept):
        self.bits.state = _arrays(json.loads(kept["json"]))


class _Global:
    def get(self):
        return {"json": json.dumps(_listed(np.random.get_state(legacy=False)))}

    def put(self, kept):
        np.random.set_state(_arrays(json.loads(kept["json"])))


def _here(own):
    found = {"python": _Python(random), "numpy": _Global(), "torch": _Torch(torch.default_generator)}
    for name, generator in own.items():
        if isinstance(generator, random.Random):
            found["own:" + name] = _Python(generator)
        elif isinstance(generator, torch.Generator):
            found["own:" + name] = _Torch(generator)
        elif isinstance(generator, np.random.Generator):
            found["own:" + name] = _Numpy(generator.bit_generator)
        else:
            raise TypeError(f"{name}: unknown generator")
    return found


def capture(**own):
    return {f"{name}.{part}": v for name, kind in _here(own).items() for part, v in kind.get().items()}


def restore(state, **own):
    kept = {}
    for key, value in state.items():
        name, _, part = key.partition(".")
        kept.setdefault(name, {})[part] = value
    here = _here(own)
    if not set(here) <= set(kept):
        raise ValueError(f"not in the state: {set(here) - set(kept)}")
    for name in here:
        here[name].put(kept[name])
    return sorted(set(kept) - set(here))


class isolated(contextlib.AbstractContextManager):
    def __init__(self, seed=None):
        self.seed = seed

    def __enter__(self):
        self.kept = capture()
        if self.seed is not None:
            seed_everything(self.seed)

    def __exit__(self, *problem):
        restore(self.kept)
        return False
