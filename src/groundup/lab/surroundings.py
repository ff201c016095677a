"""What a run's numbers may depend on beside its configuration: its sources, the versions, the machine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LIBRARY = ("grad", "classic", "text", "nets", "train", "data", "lab", "experiments")
LAUNCH = "GROUNDUP_LAUNCH"  # set by a program that starts a run, and recorded, so that it knows the run again
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def reference_roots() -> list[Path]:
    """The folders of this package that a run's numbers come from."""
    return [Path(__file__).parents[1] / part for part in LIBRARY]


def source_hash(roots: Sequence[Path]) -> str:
    """A SHA-256 over all Python files below some folders, by their relative paths."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root.parent)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def environment_now() -> dict[str, Any]:
    """Versions, threads, the platform, what was typed, and by which program it was started, if it says so."""
    found: dict[str, Any] = {"python": platform.python_version(), "numpy": np.__version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["torch"] = importlib.metadata.version("torch")
    if LAUNCH in os.environ:
        found["launch"] = os.environ[LAUNCH]
    return found | {
        "platform": platform.platform(),
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "arguments": sys.argv[1:],
    }


def hardware_here() -> dict[str, Any]:
    """The processor's name, how many of its cores there are for us, and the memory in GiB."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": name, "cores": cores, "memory_gib": round(memory, 1)}
