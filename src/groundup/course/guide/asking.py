"""A question to the calculator, as it comes from a command line or a form, and its answer as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .advice import BreakEven, Option, about, advice, break_even, break_even_says, money, options, recommended
from .compute import Estimate, Job, JobError, check_use, estimate, fewest_devices, memory
from .devices import devices
from .shape import Shape
from .words import bytes_said, thousands

TOKENS_A_PARAMETER = 20  # that a budget of compute is best spent on: Hoffmann and others, 2022
SMALL = 30e6  # parameters below which the usual share of a GPU's peak is out of reach


@dataclass(frozen=True)
class Question:
    """What is given; None and "" for what is left out."""

    layers: int | None = None
    width: int | None = None
    vocabulary: int = 50_257
    context: int = 1024
    heads: int | None = None
    kv_heads: int | None = None
    hidden: int | None = None
    style: str = "gpt2"
    parameters: float | None = None
    tokens: float | None = None  # None: twenty for each parameter
    device: str = ""
    devices: int = 1
    dtype: str | None = None
    optimizer: str = "adamw"
    batch: int | None = None
    checkpoint: bool = False
    shard: bool = False
    mfu: float | None = None
    price: float | None = None  # an hour of one device
    buy: float | None = None
    power: float | None = None  # a kilowatt-hour


@dataclass(frozen=True)
class Answer:
    """A question reckoned. estimate is for the device that was named, or that is recommended; None if no single one will do."""

    job: Job
    estimate: Estimate | None
    options: list[Option]
    recommended: Option | None
    says: list[str]
    price: float | None  # an hour of that device
    price_by: str
    cost: float | None
    power_cost: float | None  # of the run, at home
    break_even: BreakEven | None


def job_of(question: Question) -> Job:
    """What is to be trained. ShapeError and JobError for what makes no sense."""
    q = question
    for name in ("layers", "width", "heads", "kv_heads", "hidden", "batch"):
        given = getattr(q, name)
        if given is not None and given < 1:
            raise JobError(f"{name.replace('_', '-')} is a whole number from 1 on, not {given}")
    if q.parameters == 0 or q.tokens == 0:
        raise JobError("tokens and parameters are numbers above 0, such as 2.5e9")
    if (q.layers is None) != (q.width is None):
        raise JobError("a model has --layers and --width: name both, or --parameters alone")
    shape = None
    if q.layers is not None and q.width is not None:
        shape = Shape(q.layers, q.width, q.vocabulary, q.context, q.heads or 0, q.kv_heads or 0, q.hidden or 0, q.style)
    if shape is not None and q.parameters is not None:
        raise JobError("--parameters are reckoned from --layers and --width: leave one of them out")

    def made(tokens: float) -> Job:
        return Job(tokens, shape, q.parameters or 0, q.optimizer, q.batch or 0, q.checkpoint, q.shard)

    return made(TOKENS_A_PARAMETER * made(1).parameters if q.tokens is None else q.tokens)


def answer(question: Question) -> Answer:
    """Everything that the guide has to say about a job. Raises what `job_of` and `estimate` raise, and DeviceError."""
    table, job = devices(), job_of(question)
    check_use(question.devices, question.dtype, question.mfu)
    if question.devices > 1 and not question.device:
        raise JobError(f"name the --device of which there are {question.devices}")
    for name, value in (("price", question.price), ("buy", question.buy), ("power", question.power)):
        if value is not None and not (0 <= value < 1e9 and math.isfinite(value)):
            raise JobError(f"{name} is an amount of money, not {value:g}")
    ways = options(job, dtype=question.dtype, mfu=question.mfu)
    best = recommended(ways)
    device = table[question.device] if question.device else best.estimate.device if best else None
    made = estimate(job, device, question.devices, question.dtype, question.mfu) if device else None
    power_price = question.power if question.power is not None else table.power_price
    price, by = question.price, "as you say"
    if price is None and device is not None and device.rent is not None:
        price, by = device.rent.price, device.rent.by
    even = break_even(device, power_price, question.price, question.buy) if device else None
    says = _says(job, made, question)
    if made is None or made.devices == 1 or not made.fits:
        says.append(advice(job, ways, dtype=question.dtype, mfu=question.mfu))
    if even is not None and made is not None:
        says.append(break_even_says(even, made.hours))
    return Answer(
        job,
        made,
        ways,
        best,
        says,
        price if made else None,
        by if price is not None and made else "",
        made.cost(price) if made and price is not None else None,
        made.kilowatt_hours * power_price if made else None,
        even,
    )


def _says(job: Job, made: Estimate | None, question: Question) -> list[str]:
    said = []
    ratio = job.tokens / job.parameters
    if question.tokens is not None and not 5 <= ratio <= 100:
        less = "few" if ratio < 5 else "many"
        said.append(
            f"{thousands(ratio)} tokens a parameter are {less}: compute is best spent on about {TOKENS_A_PARAMETER} (lesson 8.7)."
        )
    if made is None:
        alone = memory(job, "float32", 1)
        said.append(f"Weights, gradients and the optimiser's memory are {bytes_said(alone.total - alone.activations)}.")
    if job.parameters < SMALL:
        said.append("A model this small leaves a GPU waiting: times on one are best cases (measure yours, then --mfu).")
    if job.shape is None:
        said.append("Activations are not counted: for them name --layers and --width.")
    if made is not None and not made.fits:
        said.append(_does_not_fit(job, made))
    return said


def _does_not_fit(job: Job, made: Estimate) -> str:
    title, fewest = made.device.title, fewest_devices(job, made.device, made.dtype)
    if job.batch > 1 and estimate(_with_batch(job, 1), made.device, made.devices, made.dtype).fits:
        return f"{job.batch} sequences at a time do not fit {title}: fewer do, with accumulation (lesson 4.8)."
    if not job.checkpoint and job.shape is not None and made.memory.activations > made.memory.total / 2:
        return f"It does not fit {title}, and most of it is activations: --checkpoint computes them again (lesson 4.8)."
    if fewest is None:
        return f"One sequence alone does not fit {title}, whatever is shared."
    return f"It does not fit {title}: {fewest} of them, sharing weights, gradients and the optimiser's memory (--devices {fewest} --shard, lesson 8.5)."


def _with_batch(job: Job, batch: int) -> Job:
    return Job(job.tokens, job.shape, job.size, job.optimizer, batch, job.checkpoint, job.shard)


def cost_said(found: Answer) -> str:
    """What the device that was named or is recommended costs; nothing where it has no price."""
    made, best = found.estimate, found.recommended
    if made is None or found.cost is None or found.price is None:
        return ""
    free = best is not None and best.tier == "free" and best.estimate.device == made.device
    nothing = f"nothing at {best.by}; rented " if best is not None and free else ""
    return f"{nothing}{about(found.cost)}, at {money(found.price)} an hour ({found.price_by})"


def as_object(found: Answer) -> dict[str, Any]:
    """The answer as JSON, schema 1."""
    table, made = devices(), found.estimate
    return {
        "schema": 1,
        "parameters": found.job.parameters,
        "tokens": found.job.tokens,
        "flops_per_token": found.job.flops_per_token,
        "flops": found.job.flops,
        "prices": {"as_of": table.as_of, "currency": table.currency, "approximate": True},
        "estimate": _estimate(made, found) if made else None,
        "options": [_option(each) for each in found.options],
        "recommended": _option(found.recommended) if found.recommended else None,
        "says": found.says,
    }


def _estimate(made: Estimate, found: Answer) -> dict[str, Any]:
    memory, even = made.memory, found.break_even
    return {
        "device": made.device.name,
        "devices": made.devices,
        "dtype": made.dtype,
        "mfu": made.mfu,
        "batch": made.batch,
        "memory": {
            "parameters": memory.parameters,
            "gradients": memory.gradients,
            "optimizer": memory.optimizer,
            "activations": memory.activations if found.job.shape else None,
            "total": memory.total,
            "of": made.device.memory,
        },
        "fits": made.fits,
        "hours": made.hours,
        "kilowatt_hours": made.kilowatt_hours,
        "power_cost": found.power_cost,
        "price": found.price,
        "price_by": found.price_by or None,
        "cost": found.cost,
        "break_even": None
        if even is None
        else {"buy": even.buy, "rent": even.rent, "power": even.power, "hours": even.hours},
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "device": option.estimate.device.name,
        "tier": option.tier,
        "by": option.by,
        "fits": option.estimate.fits,
        "usable": option.usable,
        "hours": option.estimate.hours,
        "cost": option.cost,
        "weeks": option.weeks if option.tier == "free" else None,
        "sessions": option.sessions,
    }
