"""Where a job would run: which free or cheap tier fits, what fits no single device, when buying beats renting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .compute import Estimate, Job, estimate, fewest_devices
from .devices import Device, Offer, devices

PATIENCE = 2.0  # weeks that one may wait for what is free
LONGEST = 30 * 24.0  # hours that one device may take before it is no answer
NIGHT = 10.0  # hours that one's own machine may take while one sleeps, before another is looked for
MONTH = 30 * 24.0


@dataclass(frozen=True)
class Option:
    """A way to run a job on one device. cost in the table's currency; weeks of the free hours, where it is free."""

    estimate: Estimate
    tier: str
    by: str
    cost: float
    weeks: float = 0.0
    sessions: int = 1

    @property
    def usable(self) -> bool:
        """Whether it fits, and ends while one still wants the answer."""
        return self.estimate.fits and (
            self.weeks <= PATIENCE if self.tier == "free" else self.estimate.hours <= LONGEST
        )


def options(job: Job, dtype: str | None = None, mfu: float | None = None) -> list[Option]:
    """Every way on one device, usable ones first: one's own machine if a night will do, then what is free, then by cost.

    dtype leaves out the devices that have it not; mfu is what one gets on each.
    """
    found: list[Option] = []
    for device in devices().rows:
        if dtype is not None and dtype not in device.peak:
            continue
        made = estimate(job, device, dtype=dtype, mfu=mfu)
        found += [_free(made, offer) for offer in device.free]
        for tier, price in (("cheap", device.cheap), ("cloud", device.cloud)):
            if price is not None:
                found.append(Option(made, tier, price.by, made.cost(price.price)))
    return sorted(found, key=_rank)


def _rank(option: Option) -> tuple[bool, bool, bool, float, float]:
    overnight = option.tier == "free" and option.estimate.device.name == "cpu" and option.estimate.hours <= NIGHT
    return (not option.usable, not overnight, option.tier != "free", option.cost, option.estimate.hours)


def _free(made: Estimate, offer: Offer) -> Option:
    weeks = made.hours / offer.hours_a_week
    return Option(made, "free", offer.by, 0.0, weeks, math.ceil(made.hours / offer.session))


def recommended(ways: Sequence[Option]) -> Option | None:
    """The first that can be used: free if anything free will do, else the cheapest. None if no single device will do."""
    return ways[0] if ways and ways[0].usable else None


def advice(job: Job, ways: Sequence[Option], dtype: str | None = None, mfu: float | None = None) -> str:
    """What to run it on, in a sentence or two."""
    best = recommended(ways)
    if best is None:
        return _too_large(job, dtype, mfu)
    device, hours = best.estimate.device, best.estimate.hours
    if best.tier != "free":
        return f"Nothing free will do. The cheapest that fits is {device.title} at {best.by}: {span(hours)}, {about(best.cost)}."
    says = f"It fits what is free: {device.title}, {best.by}, {span(hours)}"
    sooner = next((way for way in ways if way.usable and way.tier == "free" and way.estimate.hours < hours / 4), None)
    if sooner is not None:
        return f"{says}. {sooner.estimate.device.title}, {sooner.by}, would take {span(sooner.estimate.hours)}."
    if best.sessions > 1:
        return f"{says}, in {best.sessions} sittings: save often, and resume (lesson 7.4)."
    return f"{says}."


def _too_large(job: Job, dtype: str | None, mfu: float | None) -> str:
    """What it would take, said of the device with the most memory."""
    largest = max(devices().rows, key=lambda device: device.memory)
    made, fewest = estimate(job, largest, dtype=dtype, mfu=mfu), fewest_devices(job, largest, dtype)
    if fewest is None:
        return "One sequence alone fits no device of the table, whatever is shared: try --checkpoint, or a shorter context."
    if not made.fits:
        enough = math.ceil(made.hours / MONTH)
        when = f"{enough:,} of them to end in a month" if enough > fewest else f"{span(made.hours / fewest)} of theirs"
        return (
            f"It fits no single device: it takes {fewest:,} x {largest.title} at least, which share weights, gradients and the "
            f"optimiser's memory (lesson 8.5), and {when}. "
            "Weights that stay as they are cost a quarter of that or less: see LoRA (lesson 10.2)."
        )
    many = math.ceil(made.hours / MONTH)
    return (
        f"It fits one {largest.title}, which would take {span(made.hours)}; {many:,} of them would end in a month (lesson 8.4). "
        "A smaller model, or fewer tokens, may answer the same question (lesson 8.7)."
    )


@dataclass(frozen=True)
class BreakEven:
    """When buying beats renting: after so many hours of use, None if never. A card alone: a computer around it comes on top."""

    device: Device
    buy: float
    rent: float  # for an hour
    power: float  # for an hour, at home
    hours: float | None


def break_even(
    device: Device, power_price: float, rent: float | None = None, buy: float | None = None
) -> BreakEven | None:
    """Of a device that can be had both ways; None if it cannot."""
    asked = rent if rent is not None else device.rent.price if device.rent else None
    paid = buy if buy is not None else device.buy.price if device.buy else None
    if asked is None or paid is None:
        return None
    power = device.watts / 1000 * power_price
    return BreakEven(device, paid, asked, power, paid / (asked - power) if asked > power else None)


def break_even_says(found: BreakEven, hours: float) -> str:
    """The same in a sentence, beside the hours that a job takes."""
    bought = f"{found.device.title} costs about {money(found.buy)}"
    if found.hours is None:
        return f"{bought}, and its power at home costs more than renting it: rent."
    says = f"{bought}: it beats renting at {money(found.rent)} an hour after {found.hours:,.0f} hours of use"
    runs = found.hours / hours if hours > 0 else math.inf
    return f"{says}, {runs:,.0f} runs like this one." if runs >= 2 else f"{says}; this one run takes {hours:,.0f}."


def span(hours: float) -> str:
    """12 s, 5 min, 3.2 h, 7.5 days, 12 days, 4 years."""
    seconds = hours * 3600
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "under a second"
    if hours < 1.5:
        return f"{hours * 60:.0f} min"
    if hours < 72:
        return f"{hours:.1f} h"
    if hours < 240:
        return f"{hours / 24:.1f} days"
    if hours < 24 * 365 * 2:
        return f"{hours / 24:,.0f} days"
    return f"{hours / 24 / 365:,.0f} years"


def paid(option: Option) -> str:
    """What a way asks for: 1.2 free weeks, about $12."""
    if option.tier != "free":
        return about(option.cost)
    return f"{option.weeks:.1f} free weeks" if option.weeks >= 0.1 else "nothing"


def about(amount: float) -> str:
    """about $0.34; under a cent."""
    return f"about {money(amount)}" if amount >= 0.01 else "under a cent"


def money(amount: float) -> str:
    """$0.34, $12, $1,600."""
    return f"${amount:,.2f}" if amount < 10 else f"${amount:,.0f}"
