"""`groundup doctor`: what works on this machine, and the one command that mends what does not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from dataclasses import dataclass

from .extras import how_to_get
from .sandbox import layers
from .sandbox.host import SandboxError, kind_here
from .terminal import HINT, MISS, PASS, SOFT, paint


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `needed` things make the doctor's exit status 1 when they are not there."""

    name: str
    good: bool
    says: str
    mend: str = ""
    needed: bool = False


def findings() -> list[Finding]:
    """Everything the doctor looks at, the needed first."""
    found = [_python(), *(_package(*row) for row in PACKAGES), _git(), _disk()]
    return found + _sandbox()


PACKAGES = [
    ("numpy", "what you build with", True, "pip install -U groundup"),
    ("matplotlib", "figures", True, "pip install -U groundup"),
    ("torch", "phases 4 and up, and an oracle: checks that need it are skipped without", False, how_to_get("torch")),
    ("regex", "tokenizers", False, how_to_get("regex")),
    ("optuna", "sweeps", False, how_to_get("optuna")),
    ("ipykernel", "notebooks", False, how_to_get("ipykernel")),
]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    inside = "in a virtual environment" if sys.prefix != sys.base_prefix else "not in a virtual environment"
    return Finding(
        "Python", sys.version_info >= (3, 10), f"{version}, {inside}", "install Python 3.10 or newer", needed=True
    )


def _package(name: str, use: str, needed: bool, mend: str) -> Finding:
    try:
        return Finding(name, True, f"{importlib.metadata.version(name)}, {use}")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, f"not installed: {use}", mend, needed)


def _git() -> Finding:
    there = shutil.which("git") is not None
    return Finding(
        "git", there, "keeps what you pass" if there else "not installed: what you pass is not committed", "install git"
    )


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    return Finding("disk", free > 0.5, f"{free:.1f} GiB free here", "make room: half a GiB is needed", needed=True)


def _sandbox() -> list[Finding]:
    try:
        kind = kind_here()
    except SandboxError as problem:
        return [Finding("sandbox", False, str(problem), needed=True)]
    how = {
        "zygote": "children forked from a warm zygote",
        "spawn": "spawned workers, guarded in Python: accidents are stopped, malice is not",
    }
    found = [Finding("sandbox", True, how[kind])]
    for name, status in layers.available().items():
        good = status.startswith("at work")
        unused = kind == "spawn" and name in ("files", "system calls")
        found.append(Finding(f"  {name}", good and not unused, "not used by spawned workers" if unused else status))
    return found


def report() -> int:
    """Prints the findings; 1 if something needed is not there."""
    found = findings()
    wide = max(len(f.name) for f in found)
    for f in found:
        mark = paint("●", PASS) if f.good else (paint("✗", MISS) if f.needed else paint("○", HINT))
        mend = paint(f"   {f.mend}", SOFT) if f.mend and not f.good else ""
        print(f"{mark} {f.name.ljust(wide)}  {f.says}{mend}")
    return int(any(f.needed and not f.good for f in found))
