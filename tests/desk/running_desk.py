"""A desk of a test's own: a real `groundup desk` over a fresh workspace, which can be killed and come back."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import platformdirs

from groundup.course.workspace.workspace import find_workspace, make_workspace
from groundup.desk.running import find_running, new_window

ADDRESS = re.compile(r"(https?://\S+/)\?token=(\S+)")
META = re.compile(r'<meta name="groundup-token" content="([^"]+)"')


def free_port() -> int:
    """A port that nobody listens on, one that few would choose."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Desk:
    """A workspace, and the server over it while it runs."""

    def __init__(self, folder: Path):
        home = folder / "home"
        runtime = folder / "run"
        for each in (home, runtime):
            each.mkdir(mode=0o700)
        self.root = make_workspace(folder / "ws").root
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CACHE_HOME": platformdirs.user_cache_dir(),  # a figure is drawn once a machine, not once a test
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.workspace = find_workspace(self.root)
        self.command = [sys.executable, "-m", "groundup"]
        self.runs = self.root / "runs"
        self.said: list[str] = []  # on standard error, by every server so far
        self.process: subprocess.Popen[str] | None = None
        self.port = 0
        self.url = self.token = ""

    def start(self, *options: str, usual_port: bool = False) -> "Desk":
        """Starts the server; on the port that it had before, if it has had one.

        usual_port: lets the desk choose, which takes the same one each time; other tests run at the same time.
        """
        self.port = self.port or (0 if usual_port else free_port())
        command = [*self.command, "desk", "--no-browser", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=lambda err=self.process.stderr: self.said.extend(err), daemon=True)
        self._reader.start()
        for line in self.process.stdout:
            if found := ADDRESS.search(line):
                self.url, self.token = found.groups()
                self.port = httpx.URL(self.url).port
                return self
        self.stop()
        raise AssertionError(f"the desk did not open: {''.join(self.said)}")

    def window(self) -> str:
        """An address that lets one more browser in."""
        address = new_window(find_running(self.root))
        assert address is not None, f"the desk has gone: {''.join(self.said)}"
        return address

    def enter(self, page, path: str = "/"):
        """Lets the page's browser in and goes to a path of the desk."""
        page.context.request.get(self.window(), max_redirects=0)  # has the cookies of the browser
        page.goto(self.url.rstrip("/") + path)
        return page

    @contextlib.contextmanager
    def client(self):
        """An httpx client that has been let in, and that holds what a page of ours holds."""
        with httpx.Client(base_url=self.url, timeout=60, headers={"Sec-Fetch-Site": "same-origin"}) as client:
            page = client.get(self.window(), follow_redirects=True)
            assert page.status_code == 200, page.text
            client.headers["X-Groundup-Token"] = META.search(page.text)[1]
            yield client

    def write(self, library_path: str, text: str) -> Path:
        """Writes a file of the learner's as an editor does: beside, then renamed."""
        path = self.root / "mine" / library_path
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
        return path

    def read(self, library_path: str) -> str:
        return (self.root / "mine" / library_path).read_text(encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Another command in the same workspace."""
        command = [sys.executable, "-m", "groundup", *arguments]
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=120)

    def stop(self, kill: bool = False) -> int:
        """Ends the server as Ctrl-C or as kill -9 does; its exit status."""
        process = self.process
        assert process is not None
        if process.poll() is None:
            process.kill() if kill else process.send_signal(2)
        status = process.wait(30)
        self._reader.join()
        process.stdout.close()
        process.stderr.close()
        self.process = None
        return status

    def close(self) -> None:
        """Ends everything, and complains of what the server has said."""
        if self.process is not None:
            self.stop()
        self.run("judge", "--stop")
        assert not self.said, "the server said on standard error: " + "".join(self.said)
