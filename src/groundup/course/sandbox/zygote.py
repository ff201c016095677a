"""The zygote: a warm process that forks one sandboxed child for each request.

It is started by exec with one BLAS thread, imports what its profile needs and never computes: a parent that has run
torch on two threads hangs its forked child. It holds no oracle and no solution. `torch._dynamo` is among the
imports because the first optimiser made would import it, which takes a second.

Control messages, one byte each on descriptor 3: `f` with a channel forks a child on it and answers its pid; `w` with a
pid (8 bytes) waits for that child and answers its status.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import struct
import sys

from . import inside, layers

CONTROL = 3
NUMBER = struct.Struct("<q")
PROFILES = {
    "numpy": ["numpy", "numpy.random", "numpy.linalg", "numpy.fft", "numpy.lib.stride_tricks"],
    "torch": ["numpy", "numpy.random", "numpy.linalg", "torch", "torch._dynamo", "torch.utils.checkpoint"],
    "any": ["numpy", "numpy.random", "numpy.linalg", "scipy.optimize", "sklearn.linear_model", "torch"],
}
THREADED = "pyarrow"  # pandas imports it, and so scikit-learn; it starts a thread when it is imported


def warm_up(profile: str, parent: int) -> None:
    """What a zygote and a worker do first: die with the parent, leave Ctrl-C to it, import what the profile needs."""
    layers.die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.modules[THREADED] = None  # type: ignore[assignment]  # an import of it fails, as if it were not installed
    for name in PROFILES[profile]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # an extra that is not installed: a lesson that needs it says so itself
    del sys.modules[THREADED]
    gc.collect()
    gc.freeze()  # what has been imported stays: no collection in a child need look at it, or copy its pages


def main(profile: str, parent: int) -> None:
    """Warms up, then forks on request until the control channel closes."""
    warm_up(profile, parent)
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
        raise SystemExit("the zygote has more than one thread: it cannot fork safely")
    control = socket.socket(fileno=CONTROL)
    control.sendall(b"r")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1 + NUMBER.size, 1)
        if not message:
            return
        if message[:1] == b"f":
            control.sendall(NUMBER.pack(_fork(control, descriptors[0])))
        elif message[:1] == b"w":
            control.sendall(NUMBER.pack(_wait(NUMBER.unpack(message[1:])[0])))


def _fork(control: socket.socket, descriptor: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    try:
        os.setsid()
        layers.die_with_parent(parent)
        control.close()
        inside.serve(socket.socket(fileno=descriptor))
    finally:
        os._exit(0)


def _wait(pid: int) -> int:
    """The child's wait status; the caller has killed it or seen it end."""
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
