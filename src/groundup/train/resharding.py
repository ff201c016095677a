"""Checkpoints in shards: each process writes what it holds, and any number of processes reads it again.

By torch.distributed.checkpoint (DCP), which knows of every tensor which part lies in which file, and in the format safetensors, which is
no pickle. What one process can hold in whole is better kept by `checkpoint.py`: one file, checked by its hash.
"""

import contextlib
import json
import os
import shutil
import warnings
from pathlib import Path

import torch
import torch.distributed as dist

NUMBERS = "numbers.json"  # beside the tensors: everything that is none


def save_shards(folder, model, optimizers=(), numbers=None):
    """Each process writes the tensors that it holds: a folder that any number of processes can read (torch's DCP, as safetensors).

    model: bare or wrapped; optimizers: one or several; numbers: whatever JSON can hold. The folder appears under its name when it is complete
    and on disk; an older one of that name goes. Every process has to call this, on a file system that all of them see.
    """
    import torch.distributed.checkpoint as dcp

    folder = Path(folder)
    part = folder.with_name(f".{folder.name}.part")
    tensors, scalars = _split(model, optimizers)
    if _rank() == 0:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    _wait()
    writer = dcp.HuggingFaceStorageWriter(str(part), save_distributed=True)
    with _one_is_enough():
        dcp.save(tensors, storage_writer=writer, no_dist=not dist.is_initialized())
    if _rank() == 0:
        with open(part / NUMBERS, "w", encoding="utf-8") as file:
            json.dump({"optimizers": scalars, "numbers": numbers}, file)
            file.flush()
            os.fsync(file.fileno())
        old = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    _wait()


def load_shards(folder, model, optimizers=()):
    """What `save_shards` wrote, into this model and these optimisers, however many processes there are now. Returns the numbers.

    Raises ValueError if the folder holds no such checkpoint, or none of this model.
    """
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

    folder = Path(folder)
    if not (folder / NUMBERS).is_file():
        raise ValueError(f"{folder} holds no complete checkpoint: {NUMBERS} is missing")
    kept = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
    tensors, _ = _split(model, optimizers)
    try:
        with _one_is_enough():
            reader = dcp.HuggingFaceStorageReader(str(folder))
            dcp.load(tensors, storage_reader=reader, no_dist=not dist.is_initialized())
    except (dcp.CheckpointException, RuntimeError, ValueError) as problem:
        raise ValueError(f"{folder} is no checkpoint of this model: {problem}") from problem
    weights = {name[len("model.") :]: value for name, value in tensors.items() if name.startswith("model.")}
    states = {name[len("optim.") :]: value for name, value in tensors.items() if name.startswith("optim.")}
    set_state_dict(
        model,
        optimizers,
        model_state_dict=weights,
        optim_state_dict=states | kept["optimizers"],
        options=StateDictOptions(flatten_optimizer_state_dict=True),
    )
    return kept["numbers"]


def _split(model, optimizers):
    """All state by full names: the tensors, and the rest of the optimisers' (rates, betas)."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(flatten_optimizer_state_dict=True)
    weights, states = get_state_dict(model, optimizers, options=options)
    tensors = {f"model.{name}": value for name, value in weights.items()}
    tensors |= {f"optim.{name}": value for name, value in states.items() if isinstance(value, torch.Tensor)}
    return tensors, {name: value for name, value in states.items() if not isinstance(value, torch.Tensor)}


def _rank():
    return dist.get_rank() if dist.is_initialized() else 0


def _wait():
    if dist.is_initialized():
        dist.barrier()


@contextlib.contextmanager
def _one_is_enough():
    """DCP warns when there is one process. That is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        yield
