"""What PyTorch is here and what it can compute on, asked in a process of its own: importing it takes seconds, and may never end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

DEADLINE = 60.0  # seconds
ASK = """
import json, torch
found = []
if torch.cuda.is_available():
    for i in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(i)
        found.append(f"{about.name}, {about.total_memory / 2**30:.0f} GiB")
if getattr(torch.backends, "mps", None) and torch.backends.mps.is_available():
    found.append("Apple's GPU (mps)")
if getattr(torch, "xpu", None) and torch.xpu.is_available():
    found += [torch.xpu.get_device_name(i) for i in range(torch.xpu.device_count())]
print(json.dumps({"version": torch.__version__, "devices": found, "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True)
class Torch:
    """PyTorch as it is here. problem: why it cannot be used; then the rest is empty."""

    version: str = ""
    devices: tuple[str, ...] = ()  # beside the processor
    threads: int = 0
    problem: str = ""


def torch_here(command: Sequence[str] = (sys.executable, "-c", ASK), deadline: float = DEADLINE) -> Torch:
    """Asks PyTorch what it is and has. It answers within the deadline, whatever PyTorch does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=deadline, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Torch(problem=f"importing it took longer than {deadline:g} s")
    except OSError as problem:
        return Torch(problem=str(problem))
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        return Torch(answer["version"], tuple(answer["devices"]), answer["threads"])
    except (ValueError, KeyError, IndexError, TypeError):
        said = done.stderr.strip().splitlines()
        return Torch(problem=said[-1] if said else f"importing it ended with status {done.returncode}")
