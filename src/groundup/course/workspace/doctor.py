"""`groundup doctor`: what works on this machine, and the one command that mends what does not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...lab.sqlite import StoreError
from ..checking.client import workspace_root
from ..lessons.extras import how_to_get
from ..sandbox import SandboxError, layers
from ..sandbox.host import kind_here
from .devices import Torch, torch_here
from .editors import debugging_editors
from .workspace import WorkspaceError, find_workspace

ROOM = 0.5  # GiB that the course needs at least
VENV = "python -m venv .venv && . .venv/bin/activate && pip install groundup"
CONTAINER = "groundup start . --devcontainer"  # a Linux where the layers are
# package -> command that installs it, in the words of each system's own manager; the first that is here counts
MANAGERS = {
    "apt-get": "sudo apt-get install {}",
    "dnf": "sudo dnf install {}",
    "pacman": "sudo pacman -S {}",
    "zypper": "sudo zypper install {}",
    "brew": "brew install {}",
    "winget": "winget install {}",
}
EDITORS = {"snap": "sudo snap install code --classic", "brew": "brew install --cask visual-studio-code"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `needed` things make the doctor's exit status 1 when they are not there."""

    name: str
    good: bool
    says: str
    mend: str = ""  # the one command that mends it; "" where it is good, or nothing does
    needed: bool = False


def findings() -> list[Finding]:
    """Everything the doctor looks at, in the order in which it is mended."""
    packages = [
        _package("numpy", "what you build with", needed=True),
        _package("matplotlib", "figures", needed=True),
        _package("tqdm", "progress", needed=True),
    ]
    return [
        _python(sys.version_info[:3]),
        _environment(os.environ, inside=sys.prefix != sys.base_prefix),
        *packages,
        _torch(),
        _jupyter(),
        _package("regex", "tokenizers"),
        _package("optuna", "sweeps"),
        _git(),
        _editor(),
        _disk(),
        *_sandbox(),
        *_store(),
    ]


def _python(version: tuple[int, ...]) -> Finding:
    says = ".".join(map(str, version))
    if version >= (3, 10):
        return Finding("Python", True, says, needed=True)
    return Finding("Python", False, f"{says}: groundup needs 3.10 or newer", _install("python3"), needed=True)


def _environment(environment: Mapping[str, str], inside: bool) -> Finding:
    conda = environment.get("CONDA_DEFAULT_ENV", "base") != "base"
    if inside or conda:
        return Finding("environment", True, "a conda environment" if conda and not inside else "a virtual environment")
    return Finding("environment", False, "none: what you install here is there for every program", VENV)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package(name: str, use: str, needed: bool = False) -> Finding:
    version = _version(name)
    if version is not None:
        return Finding(name, True, f"{version}, {use}", needed=needed)
    return Finding(
        name, False, f"not installed: {use}", "pip install -U groundup" if needed else how_to_get(name), needed
    )


def _torch() -> Finding:
    use = "phases 4 and up, and an oracle: checks that need it are skipped without"
    if _version("torch") is None:
        return Finding("PyTorch", False, f"not installed: {use}", how_to_get("torch"))
    return judge_torch(torch_here(), shutil.which("nvidia-smi") is not None)


def judge_torch(here: Torch, nvidia: bool) -> Finding:
    """What is to be said of a PyTorch on a machine that has an NVIDIA driver, or none."""
    if here.problem:
        again = "pip install --force-reinstall --no-cache-dir torch"
        return Finding("PyTorch", False, f"installed, and it does not work: {here.problem}", again)
    on = ", ".join(here.devices) or f"the processor alone, {here.threads} thread{'s' * (here.threads != 1)}"
    if nvidia and not here.devices:
        wheels = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu126"
        return Finding("PyTorch", False, f"{here.version}, on {on}: it does not see the NVIDIA GPU", wheels)
    return Finding("PyTorch", True, f"{here.version}, on {on}")


def _jupyter() -> Finding:
    kernel = _version("ipykernel")
    front = next((f"{name} {version}" for name in ("jupyterlab", "notebook") if (version := _version(name))), None)
    if kernel and front:
        return Finding("Jupyter", True, f"{front}, ipykernel {kernel}")
    if kernel:
        return Finding("Jupyter", False, f"ipykernel {kernel}; nothing to open a notebook in", "pip install jupyterlab")
    return Finding("Jupyter", False, "not installed: notebooks", "pip install jupyterlab 'groundup[jupyter]'")


def _git() -> Finding:
    if shutil.which("git"):
        return Finding("git", True, "keeps what you pass")
    return Finding("git", False, "not installed: what you pass is not committed", _install("git"))


def _editor() -> Finding:
    found = debugging_editors()
    if found:
        return Finding("editor", True, f"{', '.join(found)}: `.vscode/launch.json` has what VS Code needs to debug")
    mend = next((command for name, command in EDITORS.items() if shutil.which(name)), "pip install spyder")
    return Finding("editor", False, "none found that can debug; `python -m pdb FILE` always can", mend)


def _install(package: str) -> str:
    return next((say.format(package) for name, say in MANAGERS.items() if shutil.which(name)), f"install {package}")


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    mend = "" if free > ROOM else "pip cache purge"
    return Finding("disk", free > ROOM, f"{free:.1f} GiB free here; {ROOM:g} are needed", mend, needed=True)


def _sandbox() -> list[Finding]:
    try:
        kind = kind_here()
    except SandboxError as problem:
        return [Finding("sandbox", False, str(problem), "unset GROUNDUP_SANDBOX", needed=True)]
    how = {
        "zygote": "children forked from a warm zygote",
        "spawn": "spawned workers, guarded in Python: accidents are stopped, malice is not",
    }
    found = [Finding("sandbox", True, how[kind], needed=True)]
    mend = "unset GROUNDUP_SANDBOX" if os.environ.get("GROUNDUP_SANDBOX") else CONTAINER
    for name, status in layers.available().items():
        unused = kind == "spawn" and name in ("files", "system calls")
        good = status.startswith("at work") and not unused
        says = "not used by spawned workers" if unused else status
        found.append(Finding(f"  {name}", good, says, "" if good else mend))
    return found


def _store() -> list[Finding]:
    """The store of the workspace one is in, read whole; nothing where there is no workspace."""
    if workspace_root(Path.cwd()) is None:
        return []
    try:
        workspace = find_workspace()
    except WorkspaceError as problem:
        return [Finding("workspace", False, str(problem), needed=True)]
    try:
        with workspace.store(readonly=True) as store:
            wrong = store.verify()
    except StoreError as problem:
        wrong = [str(problem)]
    says = "; ".join(wrong) if wrong else f"{workspace.database} is sound"
    return [Finding("store", not wrong, says, needed=True)]


def as_object(found: list[Finding]) -> dict[str, Any]:
    """What `--json` prints."""
    ready = all(f.good for f in found if f.needed)
    return {"schema": 1, "ready": ready, "findings": [asdict(f) | {"name": f.name.strip()} for f in found]}
