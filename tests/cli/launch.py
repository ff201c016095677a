"""The commands with the recipes of a folder and the tests' own experiment: python launch.py FOLDER ARGUMENT..."""

import importlib.util
import sys
from pathlib import Path

from groundup.lab import recipe


def register():
    """Makes the experiment of counting.py one that recipes can name."""
    name = "groundup.experiments.counting"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("counting.py"))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


if __name__ == "__main__":
    register()
    folder = Path(sys.argv.pop(1))
    recipe.recipes_root = lambda: folder
    from groundup.cli import main

    main()
