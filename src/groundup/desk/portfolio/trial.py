"""Runs files of tests in the process that this module is started in, which it confines first: by pytest, or without it by hand.

    python -I -m groundup.desk.portfolio.trial FOLDER SECONDS test_value.py ...

FOLDER holds `mine` and `tests`. The exit status is pytest's: 0 all passed, 1 not all, 5 there were none.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import unittest
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

MEMORY = 16 << 30  # of address space: torch reserves much and uses little
OPEN_FILES = 256


def main(folder: str, seconds: str, files: Sequence[str]) -> int:
    """Confines the process, then runs the tests."""
    from ...course.sandbox import layers
    from ...course.sandbox.host import readable_paths

    readable = [*readable_paths(None), "/dev/null"]
    sys.path[:] = [folder, *(path for path in sys.path if path)]
    layers.limit_resources(layers.Limits(memory=MEMORY, cpu=int(seconds), open_files=OPEN_FILES))
    layers.confine_files(folder, readable)
    layers.confine_syscalls()
    paths = [str(Path(folder) / "tests" / file) for file in files]
    try:
        import pytest
    except ImportError:
        return by_hand(paths)
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "--capture=no", "--import-mode=importlib", f"--rootdir={folder}"]
    return int(pytest.main([*quiet, *paths]))


def by_hand(paths: Sequence[str]) -> int:
    """Functions named test_... without arguments, and the cases of unittest."""
    count = 0
    for number, path in enumerate(paths):
        try:
            module = _loaded(path, f"tests_{number}")
            suite = unittest.defaultTestLoader.loadTestsFromModule(module)
            count += suite.countTestCases()
            if not unittest.TextTestRunner(failfast=True).run(suite).wasSuccessful():
                return 1
            for name, function in list(vars(module).items()):
                if (
                    name.startswith("test")
                    and inspect.isfunction(function)
                    and not inspect.signature(function).parameters
                ):
                    count += 1
                    function()
        except Exception:
            return 1
    return 0 if count else 5


def _loaded(path: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    os._exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
