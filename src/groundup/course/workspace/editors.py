"""Which editors here can debug Python: found on the path, and for Vim and Emacs by the plugin that does it."""

from __future__ import annotations

import shutil
from pathlib import Path

COMMANDS = {  # command -> editor; each brings a debugger, or takes one by its own extension
    "code": "VS Code",
    "code-insiders": "VS Code",
    "codium": "VSCodium",
    "cursor": "Cursor",
    "positron": "Positron",
    "pycharm": "PyCharm",
    "pycharm.sh": "PyCharm",
    "pycharm-community": "PyCharm",
    "pycharm-professional": "PyCharm",
    "charm": "PyCharm",
    "zed": "Zed",
    "spyder": "Spyder",
    "thonny": "Thonny",
    "wing-personal": "Wing",
}
PLUGINS = (  # command, the folders of its plugins below the home, the names of those that debug
    ("nvim", (".local/share/nvim", ".config/nvim", ".vim"), ("nvim-dap", "vimspector", "vim-vimspector")),
    ("vim", (".vim",), ("vimspector", "vim-vimspector")),
    ("emacs", (".emacs.d", ".config/emacs"), ("dape", "dap-mode", "realgud")),
)
DEPTH = 6  # folders down from a plugin manager's root: pack/NAME/start/PLUGIN, lazy/PLUGIN, elpa/PLUGIN-1.2


def debugging_editors(home: Path | None = None) -> list[str]:
    """The editors that can debug here, each once."""
    home = home or Path.home()
    found = [name for command, name in COMMANDS.items() if shutil.which(command)]
    for command, folders, plugins in PLUGINS:
        if shutil.which(command):
            there = next((p for folder in folders for p in plugins if _has(home / folder, p)), None)
            found += [f"{command} with {there}"] if there else []
    return list(dict.fromkeys(found))


def _has(folder: Path, plugin: str, depth: int = DEPTH) -> bool:
    """Whether a folder of this name, or with a version after it, lies below; what cannot be read has nothing."""
    try:
        below = [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return False
    if any(entry.name == plugin or entry.name.startswith(f"{plugin}-") for entry in below):
        return True
    return depth > 1 and any(_has(entry, plugin, depth - 1) for entry in below if not entry.name.startswith(".git"))
