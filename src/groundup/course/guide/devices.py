"""What there is to compute on, what it can do and what it costs, from one dated table (`devices.toml`)."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import GuideError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DTYPES = ("bfloat16", "float16", "float32")  # what a job computes in, the first that a device is fast at


class DeviceError(GuideError):
    """A device, or a number type on it, that there is none of."""


@dataclass(frozen=True)
class Offer:
    """A device for nothing, within limits, in hours."""

    by: str
    hours_a_week: float
    session: float  # the longest
    note: str = ""


@dataclass(frozen=True)
class Price:
    """What somebody asks: for an hour, or for the device."""

    price: float
    by: str


@dataclass(frozen=True)
class Device:
    """One device. memory in bytes, peak in operations a second by type, mfu the share of it that training usually gets."""

    name: str
    title: str
    memory: float
    watts: float
    mfu: float
    peak: Mapping[str, float]
    free: tuple[Offer, ...] = ()
    cheap: Price | None = None
    cloud: Price | None = None
    buy: Price | None = None

    @property
    def rent(self) -> Price | None:
        """The lowest price for an hour."""
        return min((each for each in (self.cheap, self.cloud) if each), key=lambda each: each.price, default=None)

    def dtype(self, wanted: str | None = None) -> str:
        """What to compute in: what is wanted, or what the device is fast at. DeviceError if it cannot."""
        if wanted is None:
            return next(name for name in DTYPES if name in self.peak)
        if wanted not in self.peak:
            fast = ", ".join(self.peak)
            raise DeviceError(f"{self.name} has no {wanted} that would pay: --dtype is one of {fast}")
        return wanted


@dataclass(frozen=True)
class Devices:
    """The table: since when its prices are, and its rows."""

    as_of: str  # year and month
    currency: str
    power_price: float  # for a kilowatt-hour
    rows: tuple[Device, ...]

    def __getitem__(self, name: str) -> Device:
        for device in self.rows:
            if device.name == name.lower():
                return device
        names = [device.name for device in self.rows]
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)
        raise DeviceError(
            f"there is no device {name[:40]!r} in the table: {'did you mean ' + near[0] + '?' if near else ', '.join(names)}"
        )


@lru_cache(maxsize=1)
def devices() -> Devices:
    """The table that comes with groundup."""
    found = tomllib.loads(Path(__file__).with_name("devices.toml").read_text(encoding="utf-8"))
    rows = tuple(_device(row) for row in found["device"])
    return Devices(found["as_of"], found["currency"], found["power_price"], rows)


def _device(row: Mapping[str, Any]) -> Device:
    prices = {name: Price(**row[name]) for name in ("cheap", "cloud", "buy") if name in row}
    return Device(
        name=row["name"],
        title=row["title"],
        memory=row["memory"] * 1e9,
        watts=row["watts"],
        mfu=row["mfu"],
        peak={name: tera * 1e12 for name, tera in row["peak"].items()},
        free=tuple(Offer(**offer) for offer in row.get("free", [])),
        **prices,
    )
