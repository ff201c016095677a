"""Static files of the desk, at addresses that a browser may keep for ever.

One digest over all of them stands in every address. So a module finds its neighbours by `./keys.js` and `./vendor/uplot.js`, and a
new version of any file is a new address of all. They are read once a process: what is served is what the digest says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from importlib.abc import Traversable

TYPES = {  # what may be served at all
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
FOR_EVER = "public, max-age=31536000, immutable"


def asset(name: str) -> str:
    """The address of `desk.js` or `vendor/uplot.js`. Raises LookupError for a file that the package does not hold."""
    if name not in contents():
        raise LookupError(f"no static file {name!r}")
    return f"/static/{digest()}/{name}"


@cache
def digest() -> str:
    """That of every static file."""
    return digest_of(contents())


def digest_of(contents: dict[str, bytes]) -> str:
    """Twenty hexadecimal digits that change with the name or the content of any of these files."""
    total = hashlib.sha256()
    for name, content in sorted(contents.items()):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:20]


@cache
def contents() -> dict[str, bytes]:
    """Every static file by its name: those of `static/` as they are, those of `vendor/` below `vendor/`."""
    desk = files("groundup.desk")
    return dict([*_below(desk / "static", ""), *_below(desk / "vendor", "vendor/")])


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry.name) in TYPES and not entry.name.startswith("."):
            yield prefix + entry.name, entry.read_bytes()


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""


async def static(request: Request) -> Response:
    """One file, looked up among those that the package holds: no path of a request ever reaches the disk."""
    name = request.path_params["name"]
    content = contents().get(name)
    if content is None or request.path_params["digest"] != digest():
        raise HTTPException(404, "No such file.")
    return Response(content, headers={"Content-Type": TYPES[_suffix(name)], "Cache-Control": FOR_EVER})


routes = [Route("/static/{digest}/{name:path}", static, name="static")]
