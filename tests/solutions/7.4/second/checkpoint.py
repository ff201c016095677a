import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

MANIFEST, BEST = "manifest.json", "best.json"
ORDER = ["model.safetensors", "state.safetensors", "state.json"]


class CheckpointError(OSError):
    pass


def flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def sha(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def place(folder, step):
    return Path(folder) / f"step-{step:08d}"


def pack(value, tensors):
    if isinstance(value, (torch.Tensor, np.ndarray)):
        tensors[str(len(tensors))] = torch.as_tensor(value).clone().contiguous()
        return {"t": len(tensors) - 1, "numpy": isinstance(value, np.ndarray)}
    if isinstance(value, dict):
        return {"d": [[k, pack(v, tensors)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"u": [pack(v, tensors) for v in value]}
    return [pack(v, tensors) for v in value] if isinstance(value, list) else value


def unpack(value, tensors):
    if isinstance(value, list):
        return [unpack(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if "t" in value:
        tensor = tensors[str(value["t"])]
        return tensor.numpy() if value["numpy"] else tensor
    if "u" in value:
        return tuple(unpack(v, tensors) for v in value["u"])
    return {k: unpack(v, tensors) for k, v in value["d"]}


def save(folder, step, model, state, *, keep=2):
    folder, final = Path(folder), place(folder, step)
    if final.is_dir() and not fault_of(final):
        return final
    aside = folder / ".part-saving"
    try:
        os.makedirs(folder, exist_ok=True)
        for left in [name for name in os.listdir(folder) if name.startswith(".part-") and name != ".part-best"]:
            shutil.rmtree(folder / left)
        if final.exists():
            shutil.rmtree(final)
        os.mkdir(aside)
        tensors = {}
        document = {"step": step, "state": pack(state, tensors)}
        save_own({name: value.clone().contiguous() for name, value in model.items()}, aside / ORDER[0])
        save_own(tensors, aside / ORDER[1])
        (aside / ORDER[2]).write_text(json.dumps(document))
        files = {name: {"bytes": (aside / name).stat().st_size, "sha256": sha(aside / name)} for name in ORDER}
        (aside / MANIFEST).write_text(json.dumps({"files": files}))
        for name in [*ORDER, MANIFEST]:
            flush(aside / name)
        flush(aside)
        os.replace(aside, final)
        flush(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise CheckpointError(f"step {step} was not saved: {error.strerror}") from error
    spared = {s for s in steps(folder)[-keep:]} | ({best(folder)[0]} if best(folder) else set())
    for old in set(steps(folder)) - spared:
        os.replace(place(folder, old), folder / ".part-old")
        shutil.rmtree(folder / ".part-old")
    return final


def save_own(tensors, path):
    with open(path, "wb"):  # so that a disk that is full says so to Python
        pass
    save_file(tensors, path)


def mark_best(folder, step, loss):
    aside = Path(folder) / ".part-best"
    aside.write_text(json.dumps([step, loss]))
    flush(aside)
    os.replace(aside, Path(folder) / BEST)


def best(folder):
    path = Path(folder) / BEST
    return tuple(json.loads(path.read_text())) if path.exists() else None


def steps(folder):
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name[5:]) for name in names if name.startswith("step-"))


def latest(folder):
    for step in steps(folder)[::-1]:
        wrong = fault_of(place(folder, step))
        if not wrong:
            return place(folder, step)
        warnings.warn(f"{place(folder, step)}: {wrong}", stacklevel=2)
    return None


def fault_of(path):
    path = Path(path)
    try:
        told = json.loads((path / MANIFEST).read_bytes())["files"]
        wrong = [name for name in ORDER if not (path / name).exists() or sha(path / name) != told[name]["sha256"]]
    except Exception as problem:
        return f"{MANIFEST}: {problem!r}"
    return f"{wrong[0]} is damaged" if wrong else None


def load(path):
    path = Path(path)
    wrong = fault_of(path)
    if wrong:
        raise CheckpointError(wrong)
    document = json.loads((path / ORDER[2]).read_text())
    return document["step"], load_file(path / ORDER[0]), unpack(document["state"], load_file(path / ORDER[1]))
