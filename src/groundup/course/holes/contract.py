"""The contract of a library file: its public names, and how each is called."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def is_private(name: str) -> bool:
    """_one underscore in front; __init__ and its like are public."""
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def contract(source: str) -> dict[str, str]:
    """Public names of a source, dotted, with their signatures: {"Value": "class Value", "Value.exp": "def exp(self)"}."""
    found: dict[str, str] = {}
    _collect(ast.parse(source).body, "", found)
    return found


def _collect(body: Sequence[ast.stmt], prefix: str, found: dict[str, str]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef) and not is_private(node.name):
            bases = [ast.unparse(base) for base in node.bases if not is_private(ast.unparse(base))]
            found[prefix + node.name] = f"class {node.name}({', '.join(bases)})" if bases else f"class {node.name}"
            _collect(node.body, f"{prefix}{node.name}.", found)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not is_private(node.name):
            marks = "".join(f"@{ast.unparse(decorator)} " for decorator in node.decorator_list)
            found[prefix + node.name] = f"{marks}def {node.name}({ast.unparse(node.args)})"
        elif prefix and isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if not is_private(name) and name != "__slots__":
                found[prefix + name] = f"{name} = {ast.unparse(node.value)}"
