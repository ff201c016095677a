"""Checkpoints that a crash cannot spoil: written aside, synced, and only then given their name.

    runs/3/step-00000400/model.safetensors    the weights, as any program reads them
                         state.safetensors    every other tensor: moments of the optimisers, generators, averages
                         state.json           everything else, and where in it the tensors belong
                         manifest.json        SHA-256 and size of the three

A folder of this name is complete, or was damaged later; the manifest tells. A rename is atomic (POSIX): there is no moment at which
half a checkpoint has a checkpoint's name. Pillai and others, All File Systems Are Not Created Equal (2014), on what has to be synced.
"""

import concurrent.futures
import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

FILES = ("model.safetensors", "state.safetensors", "state.json")
MANIFEST, BEST = "manifest.json", "best.json"
NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL", torch.uint32: "U32",
}  # fmt: skip  # what safetensors calls them


class CheckpointError(OSError):
    """A checkpoint cannot be written or read: why, and what to do."""


def save(folder, step, model, state, *, keep=2):
    """Writes folder/step-NNNNNNNN and returns its path. One of this step that is sound is kept as it is.

    model: {name: tensor}; state: dicts, lists and tuples of tensors, arrays, numbers, strings and None, nested as one likes. Afterwards
    the `keep` newest are left, and the one marked as best. Raises CheckpointError if the disk is full or the folder cannot be
    written: then what was there before is still there, and nothing else.
    """
    folder = Path(folder)
    target = folder / f"step-{step:08d}"
    if target.exists() and fault_of(target) is None:
        return target
    part = folder / f".part-{target.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".part-*"):  # of a save that was killed
            shutil.rmtree(left)
        part.mkdir()
        _write(part, step, model, state)
        if target.exists():
            shutil.rmtree(target)  # damaged
        part.rename(target)
        _sync(folder)
    except OSError as problem:
        shutil.rmtree(part, ignore_errors=True)
        left = steps(folder)
        last = f"the last one there is step {left[-1]}" if left else "there is none before it"
        reason = problem.strerror or str(problem)
        raise CheckpointError(
            f"cannot save step {step} in {folder} ({reason}): {last}; make room and resume"
        ) from problem
    _prune(folder, keep)
    return target


def mark_best(folder, step, loss):
    """Says which checkpoint is the best one so far: it is not pruned."""
    _write_whole(Path(folder) / BEST, {"step": step, "loss": loss})


def best(folder):
    """(step, loss) of the best one, or None."""
    try:
        found = json.loads((Path(folder) / BEST).read_text(encoding="utf-8"))
        return found["step"], found["loss"]
    except (FileNotFoundError, ValueError, KeyError):
        return None


def steps(folder):
    """The steps of which there is a checkpoint, sound or not, ascending."""
    return sorted(int(path.name[5:]) for path in Path(folder).glob("step-*") if path.name[5:].isdigit())


def latest(folder):
    """The newest checkpoint that is sound, or None. Each newer one that is not is named in a warning, with what is wrong."""
    for step in reversed(steps(folder)):
        path = Path(folder) / f"step-{step:08d}"
        fault = fault_of(path)
        if fault is None:
            return path
        warnings.warn(f"{path} is not whole ({fault}): the one before it is taken", stacklevel=2)
    return None


def fault_of(path):
    """What is wrong with a checkpoint, in a few words, or None: every byte is read, and compared with the manifest."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        told = {name: (entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} cannot be read"
    for name in FILES:
        if name not in told:
            return f"{name} is not in the manifest"
        size, digest = told[name]
        if not (path / name).is_file():
            return f"{name} is missing"
        if (path / name).stat().st_size != size:
            return f"{name} has {(path / name).stat().st_size} bytes of {size}"
        if _digest(path / name) != digest:
            return f"{name} is not what was written"
    return None


def load(path):
    """A checkpoint -> (step, model, state) as they were given to `save`, on the CPU. CheckpointError if it is not sound."""
    path = Path(path)
    fault = fault_of(path)
    if fault is not None:
        raise CheckpointError(f"{path} is not whole: {fault}")
    kept = json.loads((path / "state.json").read_text(encoding="utf-8"))
    model = load_file(path / "model.safetensors")
    for name, first in kept["tied"].items():
        model[name] = model[first]
    return kept["step"], model, planted(kept["state"], load_file(path / "state.safetensors"))


def uprooted(tree, tensors, at=""):  # given
    """JSON for a tree, and its tensors put into the dict `tensors` by their place in it. Keys that are numbers, and tuples, survive.

    Raises TypeError for what is neither a tensor, an array, a dict, a list, a tuple, a number, a string nor None.
    """
    if isinstance(tree, torch.Tensor):
        tensors[at] = tree
        return {"tensor": at}
    if isinstance(tree, np.ndarray):
        tensors[at] = torch.from_numpy(np.ascontiguousarray(tree))
        return {"array": at}
    if isinstance(tree, dict):
        return {"dict": [[key, uprooted(value, tensors, f"{at}/{key}")] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [uprooted(value, tensors, f"{at}/{i}") for i, value in enumerate(tree)]}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    raise TypeError(f"a checkpoint cannot hold {at}, which is a {type(tree).__name__}")


def planted(described, tensors):  # given
    """The tree again, from what `uprooted` made of it."""
    if not isinstance(described, dict):
        return described
    ((kind, value),) = described.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "array":
        return tensors[value].numpy()
    if kind == "dict":
        return {key: planted(part, tensors) for key, part in value}
    parts = [planted(part, tensors) for part in value]
    return parts if kind == "list" else tuple(parts)


def write_tensors(path, tensors):  # given
    """{name: tensor} as a safetensors file, synced -> its entry in the manifest.

    The format: the length of a header as 8 bytes, the header in JSON, the tensors' bytes one after the other.
    """
    header, end = {}, 0
    for name, value in tensors.items():
        size = value.numel() * value.element_size()
        header[name] = {"dtype": NAMES[value.dtype], "shape": list(value.shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    bodies = (value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy() for value in tensors.values())
    return write_bytes(path, (len(text).to_bytes(8, "little"), text, *bodies))


def write_bytes(path, parts):  # given
    """Several buffers as one file, synced to the disk -> {"bytes": its size, "sha256": its hash}."""
    parts = [memoryview(part) for part in parts]
    with concurrent.futures.ThreadPoolExecutor(1) as beside, open(path, "wb") as file:
        digest = beside.submit(hashed, parts)  # while the disk is at work
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
        return {"bytes": sum(part.nbytes for part in parts), "sha256": digest.result()}


def hashed(parts):  # given
    """The SHA-256 of several buffers, one after the other, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _write(part, step, model, state):
    tensors = {}
    described = uprooted(state, tensors, "")
    own, tied = _untied(model)
    document = json.dumps({"step": step, "state": described, "tied": tied}).encode()
    with concurrent.futures.ThreadPoolExecutor(len(FILES)) as pool:
        jobs = [
            pool.submit(write_tensors, part / FILES[0], own),
            pool.submit(write_tensors, part / FILES[1], tensors),
            pool.submit(write_bytes, part / FILES[2], [document]),
        ]
        entries = [job.result() for job in jobs]
    manifest = {"format": 1, "files": dict(zip(FILES, entries))}
    write_bytes(part / MANIFEST, [json.dumps(manifest, indent=1).encode()])
    _sync(part)


def _untied(model):
    """Tensors that share their memory once, and {name: name of the first} for the others."""
    own, tied, first = {}, {}, {}
    for name, value in model.items():
        place = (value.data_ptr(), value.shape, value.stride())
        if value.numel() and place in first:
            tied[name] = first[place]
        else:
            own[name], first[place] = value, name
    return own, tied


def _write_whole(path, document):
    """A small JSON file, replaced in one step."""
    part = path.with_name(f".part-{path.name}")
    write_bytes(part, [json.dumps(document).encode()])
    part.replace(path)
    _sync(path.parent)


def _digest(path):
    with open(path, "rb") as file:
        return hashed(iter(lambda: file.read(1 << 22), b""))


def _sync(folder):
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(folder, keep):
    marked = best(folder)
    for step in steps(folder)[: -max(keep, 1)]:
        if marked is None or step != marked[0]:
            path = folder / f"step-{step:08d}"
            going = folder / f".part-{path.name}"
            path.rename(going)  # never half of one under its name
            shutil.rmtree(going)
