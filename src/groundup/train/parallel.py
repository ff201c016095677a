"""Several processes, one model: each computes gradients on its own part of the batch, and they step as one.

`start()` returns one of three objects with the same methods, so that a loop has no branches:

    Alone    one process. Every method is the identity.
    Copies   the whole model in every process; gradients are averaged while the backward pass still runs (DDP; Li et al., 2020).
    Shards   parameters, gradients and optimiser states are split over the processes, and gathered a block at a time
             when it is computed (FSDP2, after ZeRO stage 3; Rajbhandari et al., 2020; Zhao et al., 2023).

    torchrun --standalone --nproc-per-node 2 program.py

starts the processes, tells each its rank, and ends all when one fails; with --max-restarts it starts all of them again, and the
program goes on from its last checkpoint. On CPUs they speak gloo, on NVIDIA's GPUs NCCL.

The order in which a program does things matters: start, build the model, `wrap` it, make its optimisers, load.
"""

import contextlib
import datetime
import os
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.tensor import DTensor, distribute_tensor

LOST = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Timed out waiting",
    "remote process exited",
)
LINGER = 0.2  # seconds: gloo's threads let go of the last results a moment after they are there, and need the GIL for that. A process
# that lets go of its model meanwhile holds the GIL and waits for those threads, for ever; one that ends is aborted.


class ParallelError(RuntimeError):
    """What keeps the processes from working together, and what to do."""


def start(kind="auto", device=None, timeout=600.0):
    """Join the other processes -> Alone, Copies or Shards.

    kind: "alone"; "copies" or "shards"; "auto" is alone for one process and copies for more. How many there are, and which one this is,
    stands in RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, which torchrun sets. device: a torch device; default
    the GPU whose number is LOCAL_RANK, or the CPU. timeout: seconds that one process waits for another before it raises.
    Raises ParallelError when the port is taken, when the others do not come, or when one of these names is not set; ValueError
    for another kind.
    """
    if kind not in ("auto", "alone", "copies", "shards"):
        raise ValueError(f'kind is "auto", "alone", "copies" or "shards", not {kind!r}')
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if kind == "alone" and world > 1:
        raise ParallelError(f"{world} processes were started, and each would train alone: choose copies or shards")
    if kind == "alone" or (kind == "auto" and world == 1):
        return Alone(device or "cpu")
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise ParallelError(f"{', '.join(missing)} not set: start the program with torchrun --nproc-per-node N")
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    if device is None:
        device = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=_meet(rank, world, timeout),
        rank=rank,
        world_size=world,
        timeout=datetime.timedelta(seconds=timeout),
    )
    return (Shards if kind == "shards" else Copies)(device)


def _meet(rank, world, timeout):
    """The store where the processes leave their addresses: torchrun has one, otherwise rank 0 opens it.

    torchrun keeps its store over a restart, and in it the addresses of the processes that are gone (pytorch issue 135712), so each
    attempt puts its number before the names.
    """
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    opens = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    try:
        store = dist.TCPStore(address, port, world, opens, datetime.timedelta(seconds=timeout))
    except dist.DistNetworkError as problem:
        if opens:
            raise ParallelError(
                f"port {port} is in use: choose another --master-port, or take --standalone"
            ) from problem
        raise ParallelError(f"nobody listens at {address}:{port}: has rank 0 been started?") from problem
    except dist.DistStoreError as problem:
        raise ParallelError(f"not all {world} processes came to {address}:{port} within {timeout:g} s") from problem
    return dist.PrefixStore(f"attempt-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


class Alone:
    """One process. rank 0 of a world of 1; the methods are those of the other two."""

    def __init__(self, device="cpu"):
        self.device, self.rank, self.world = torch.device(device), 0, 1

    @property
    def is_main(self):
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def wrap(self, model):
        """The module to call in training. Make the optimisers after it, from `bare(...)`."""
        return model.to(self.device)

    def bare(self, model):
        """The module inside what `wrap` returned, whose parameters have their own names."""
        return model

    def micro(self, model, last):
        """A context for one micro-batch's forward and backward pass; gradients are exchanged in the `last` one alone."""
        return contextlib.nullcontext()

    def total(self, number):
        """The sum of a number over the processes, as a float. Every process has to ask, and all get the same."""
        return float(number)

    def mean(self, number):
        """The mean of a number over the processes, as a float."""
        return self.total(number) / self.world

    def any(self, flag):
        """Whether the flag is up in any process: whoever stops alone leaves the others waiting."""
        return self.total(bool(flag)) > 0

    def barrier(self):
        """Nobody goes on until all are here."""

    def full(self, state):
        """A tensor, or a dict or list of them at any depth (a state dict), with every shard gathered.

        Every process has to ask. What is no shard is not copied.
        """
        return state

    def load_model(self, model, state):
        """Full tensors into the model, bare or wrapped: every process is given all of them."""
        self.bare(model).load_state_dict(state)

    def load_optimizer(self, optimizer, state):
        """A full state, as from full(optimizer.state_dict()), into an optimiser."""
        optimizer.load_state_dict(state)

    def close(self):
        """Take leave of the others. To be called when all went well; a process that fails just ends, and torchrun ends the rest."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()


class Copies(Alone):
    """The whole model in every process. Gradients are means over the processes, so each one's loss is a mean over its own part."""

    def __init__(self, device):
        self.device, self.rank, self.world = device, dist.get_rank(), dist.get_world_size()

    def wrap(self, model):
        model = model.to(self.device)
        index = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=index)  # rank 0's weights are sent to all

    def bare(self, model):
        return model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model

    def micro(self, model, last):
        return contextlib.nullcontext() if last else model.no_sync()

    def total(self, number):
        value = torch.tensor(float(number), dtype=torch.float64, device=self.device)
        dist.all_reduce(value)
        return value.item()

    def barrier(self):
        self.total(0)  # dist.barrier warns on GPUs, and does no more than this

    def close(self):
        if dist.is_initialized():
            self.barrier()
            time.sleep(LINGER)
            dist.destroy_process_group()

    def __exit__(self, kind, error, trace):
        if isinstance(error, RuntimeError) and any(sign in str(error) for sign in LOST):
            raise ParallelError(
                f"rank {self.rank} has lost another process, whose own error is the cause: look for it in the output"
            ) from error
        super().__exit__(kind, error, trace)


class Shards(Copies):
    """A share of every tensor in every process: each of `model.blocks`, where there are any, is gathered by itself, the rest as one."""

    def wrap(self, model):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        model = model.to(self.device)
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                dist.broadcast(tensor, 0)
        mesh = init_device_mesh(self.device.type, (self.world,))
        for block in getattr(model, "blocks", ()):
            fully_shard(block, mesh=mesh)
        return fully_shard(model, mesh=mesh)

    def bare(self, model):
        return model

    @contextlib.contextmanager
    def micro(self, model, last):
        model.set_requires_gradient_sync(last)
        yield

    def full(self, state):
        if isinstance(state, DTensor):
            return state.full_tensor()
        if isinstance(state, dict):
            return {name: self.full(value) for name, value in state.items()}
        if isinstance(state, (list, tuple)):
            return type(state)(self.full(value) for value in state)
        return state

    def load_model(self, model, state):
        own = model.state_dict()
        model.load_state_dict(
            {name: _shard(value, own[name]) if name in own else value for name, value in state.items()}
        )

    def load_optimizer(self, optimizer, state):
        optimizer.load_state_dict(state)
        for parameter, values in optimizer.state.items():
            for name, value in values.items():
                if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                    values[name] = _shard(value, parameter)


def _shard(full, like):
    """This process's part of a full tensor, split as another is."""
    if not isinstance(like, DTensor) or isinstance(full, DTensor):
        return full
    return distribute_tensor(full.to(like.device), like.device_mesh, like.placements)
