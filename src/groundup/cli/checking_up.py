"""`groundup doctor`, on a terminal or as JSON."""

from __future__ import annotations

import json

from ..course.showing.terminal import HINT, MISS, PASS, SOFT, paint
from ..course.workspace.doctor import as_object, findings


def report(as_json: bool) -> int:
    """Prints the findings; 1 if something needed is not there."""
    found = findings()
    if as_json:
        print(json.dumps(as_object(found)))
    wide = max(len(f.name) for f in found)
    for f in [] if as_json else found:
        mark = paint("●", PASS) if f.good else (paint("✗", MISS) if f.needed else paint("○", HINT))
        mend = paint(f"\n{'':{wide + 4}}{f.mend}", SOFT) if f.mend and not f.good else ""
        print(f"{mark} {f.name.ljust(wide)}  {f.says}{mend}")
    return int(any(f.needed and not f.good for f in found))
