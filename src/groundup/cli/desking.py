"""The command `desk`. What the server needs is imported when there is a server to start."""

from __future__ import annotations

from pathlib import Path

from ..course.workspace.workspace import find_workspace
from ..errors import NotUsable

DEFAULT_HOST = "127.0.0.1"


def desk(
    host: str, port: int, browser: bool, tls_cert: Path | None, tls_key: Path | None, beyond_loopback: bool
) -> int:
    from ..desk.running import find_running, new_window, show

    root = find_workspace().root
    running = find_running(root)
    url = new_window(running) if running is not None else None
    if url is None:
        from ..desk.server import serve

        serve(
            root,
            host=host,
            port=port,
            open_browser=browser,
            tls_cert=tls_cert,
            tls_key=tls_key,
            beyond_loopback=beyond_loopback,
        )
        return 0
    assert running is not None
    elsewhere = port not in (0, running.port) or tls_cert is not None or tls_key is not None or beyond_loopback
    if elsewhere or host not in (DEFAULT_HOST, running.host):
        raise NotUsable(f"the desk is open already, at {running.url}: end that one before it listens elsewhere")
    print(f"The desk is open already. Another window: {url}")
    if browser:
        show(url)
    return 0
