"""What a training run takes, before it is started: operations, memory, hours, money.

Hours are operations / (devices x peak x MFU): what is lost to waiting, to data and to the wire is in the MFU, the share of the peak that
was useful, and the table's shares are what good loops get, not what a first attempt gets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import GuideError
from .devices import Device, DeviceError
from .shape import Shape, activations, flops_per_token, matrices, parameters

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
STATES = {"adamw": 2, "muon": 1, "sgd": 0}  # numbers that an optimiser remembers of each parameter
USABLE = 0.9  # of a device's memory: the rest goes to the driver, workspaces and gaps
MOST_BATCH = 512  # sequences at a time that are tried
CPU_FUSED_FROM = 512  # positions: up to here attention on a CPU is written as two products (nets/attention.py)


class JobError(GuideError):
    """A job that cannot be reckoned, and what is missing."""


@dataclass(frozen=True)
class Job:
    """What is to be trained: a shape, or a number of parameters alone, on so many tokens. JobError for what makes no job."""

    tokens: float
    shape: Shape | None = None
    size: float = 0  # parameters, where there is no shape
    optimizer: str = "adamw"
    batch: int = 0  # sequences at a time on one device; 0: as many as fit
    checkpoint: bool = False  # compute blocks again instead of keeping them
    shard: bool = False  # weights, gradients and the optimiser's memory divided over the devices

    def __post_init__(self) -> None:
        if (self.shape is None) == (not self.size):
            raise JobError("name a model: --layers and --width, or --parameters alone")
        if not (0 < self.tokens < 1e18 and 0 <= self.size < 1e18) or not math.isfinite(self.tokens + self.size):
            raise JobError("tokens and parameters are numbers above 0, such as 2.5e9")
        if self.optimizer not in STATES:
            raise JobError(f"optimizer is one of {', '.join(STATES)}, not {self.optimizer!r}")
        if self.optimizer == "muon" and self.shape is None:
            raise JobError("for Muon name --layers and --width: it treats matrices apart")
        if self.batch < 0 or self.batch > 10**6:
            raise JobError(f"batch is sequences at a time, from 1 on, not {self.batch}")

    @property
    def parameters(self) -> float:
        return parameters(self.shape) if self.shape else self.size

    @property
    def flops_per_token(self) -> float:
        """Training, attention included where the shape is known; else six for each parameter."""
        return flops_per_token(self.shape) if self.shape else 6 * self.size

    @property
    def flops(self) -> float:
        return self.flops_per_token * self.tokens


@dataclass(frozen=True)
class Memory:
    """Bytes on one device, by what they are for. activations are 0 where the shape is not known."""

    parameters: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        return self.parameters + self.gradients + self.optimizer + self.activations


@dataclass(frozen=True)
class Estimate:
    """A job on so many of a device."""

    job: Job
    device: Device
    devices: int
    dtype: str
    mfu: float
    batch: int  # sequences at a time on one device
    memory: Memory
    hours: float

    @property
    def fits(self) -> bool:
        return self.memory.total <= USABLE * self.device.memory

    @property
    def device_hours(self) -> float:
        return self.hours * self.devices

    def cost(self, price: float) -> float:
        """What it costs at a price for an hour of one device."""
        return self.device_hours * price

    @property
    def kilowatt_hours(self) -> float:
        return self.device_hours * self.device.watts / 1000


def memory(job: Job, dtype: str, batch: int, devices: int = 1, fused: bool = True) -> Memory:
    """Bytes on one device for a step. Parameters, gradients and the optimiser's memory are float32, activations of the dtype."""
    N = job.parameters
    remembered = STATES[job.optimizer] * N
    if job.optimizer == "muon" and job.shape is not None:
        remembered = matrices(job.shape) + 2 * (N - matrices(job.shape))
    share = devices if job.shard else 1
    kept = activations(job.shape, batch, fused, job.checkpoint) if job.shape else 0
    return Memory(4 * N / share, 4 * N / share, 4 * remembered / share, BYTES[dtype] * kept)


def check_use(devices: int, dtype: str | None, mfu: float | None) -> None:
    """JobError for a use of devices that makes no sense."""
    if not 1 <= devices <= 10**6:
        raise JobError(f"devices is a whole number from 1 to a million, not {devices}")
    if dtype is not None and dtype not in BYTES:
        raise JobError(f"dtype is one of {', '.join(BYTES)}, not {dtype[:40]!r}")
    if mfu is not None and not 0 < mfu <= 1:
        raise JobError(f"mfu is a share of the peak, above 0 and at most 1, not {mfu:g}")


def estimate(
    job: Job, device: Device, devices: int = 1, dtype: str | None = None, mfu: float | None = None
) -> Estimate:
    """What the job takes. DeviceError for a dtype that the device has not, JobError for numbers that make no sense."""
    check_use(devices, dtype, mfu)
    share = device.mfu if mfu is None else mfu
    chosen = device.dtype(dtype)
    fused = device.name != "cpu" or job.shape is None or job.shape.context > CPU_FUSED_FROM
    batch = job.batch or _largest_batch(job, device, chosen, devices, fused)
    seconds = job.flops / (devices * device.peak[chosen] * share)
    return Estimate(
        job, device, devices, chosen, share, batch, memory(job, chosen, batch, devices, fused), seconds / 3600
    )


def _largest_batch(job: Job, device: Device, dtype: str, devices: int, fused: bool) -> int:
    """The largest power of two that fits, 1 if none does."""
    batch = 1
    while (
        job.shape is not None
        and batch < MOST_BATCH
        and memory(job, dtype, 2 * batch, devices, fused).total <= USABLE * device.memory
    ):
        batch *= 2
    return batch


def fewest_devices(job: Job, device: Device, dtype: str | None = None) -> int | None:
    """How many have to share weights, gradients and the optimiser's memory for one sequence to fit; None if no number does."""
    try:
        chosen = device.dtype(dtype)
    except DeviceError:
        return None
    alone = memory(job, chosen, 1)
    room = USABLE * device.memory - alone.activations
    return math.ceil((alone.total - alone.activations) / room) if room > 0 else None
