"""`groundup check` in a workspace with a warm judge: reads its few flags by hand and asks over the socket."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ..course.checking.client import judge, workspace_root
from ..course.packs import names_pack
from . import NOT_USABLE

FULL = 10  # times as many cases
SEED_DIGITS = 18


def check(arguments: list[str]) -> int | None:
    """The exit status, or None for a form of the command that is not one of the quick ones."""
    request, as_json, full = _parse(arguments)
    root = workspace_root(Path.cwd())
    if request is None or root is None or names_pack(root):  # a pack may have to be trusted first
        return None
    reply = judge(root, request)
    return report(reply, as_json, full)


def _parse(arguments: list[str]) -> tuple[dict[str, Any] | None, bool, bool]:
    request: dict[str, Any] = {"do": "check"}
    as_json = full = False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--full":
            full, request["times"] = True, FULL
        elif word == "--seed" and rest and rest[0].isdecimal() and len(rest[0]) <= SEED_DIGITS:
            request["seed"] = int(rest.pop(0))
        elif not word.startswith("-") and "lesson" not in request:
            request["lesson"] = word
        else:
            return None, False, False
    return request, as_json, full


def report(reply: dict[str, Any], as_json: bool, full: bool) -> int:
    """Prints a reply; 0 passed, 1 not passed, 2 not usable."""
    if "error" in reply:
        print(reply["error"], file=sys.stderr)
        return NOT_USABLE
    if "warning" in reply:
        print(reply["warning"], file=sys.stderr)
    verdict = reply["verdict"]
    if as_json:
        print(json.dumps(verdict, allow_nan=False))  # in ASCII, so that every terminal and file can hold it
    else:
        from ..course.showing.terminal import verdict_text

        print(verdict_text(verdict, reply["title"], reply.get("next", ""), full, reply.get("source", "")))
        if "log" in reply:
            print(f"  {reply['log']}")
        if "assessment" in reply:
            print(reply["assessment"])
    return 0 if verdict["passed"] else 1
