"""Layer 0: the interpreter itself refuses what a learner's code has no need of, where no kernel does it for us.

One audit hook (PEP 578) sees every file opened, process started, socket made and signal sent through Python, and raises
PermissionError with a sentence. It stops accidents and casual cheating. It is no boundary against hostile code: native
code already loaded raises no events, a program that hunts through the interpreter's memory can undo what it finds
there, and metadata (stat) is not seen at all. Where the kernel can confine the process, `layers` is what counts.

The events are those of the table in the library reference; what has no event and would start a process or reach one is
replaced by a refusal in its module.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

Check = Callable[[tuple[Any, ...]], None]

PROCESSES = "starting processes"
NETWORK = "network connections"
SIGNALS = "sending signals to other processes"
NATIVE = "loading native code"

REFUSED = {
    "os.exec": PROCESSES,
    "os.fork": PROCESSES,
    "os.forkpty": PROCESSES,
    "os.posix_spawn": PROCESSES,
    "os.spawn": PROCESSES,
    "os.startfile": PROCESSES,
    "os.startfile/2": PROCESSES,
    "os.system": PROCESSES,
    "pty.spawn": PROCESSES,
    "subprocess.Popen": PROCESSES,
    "webbrowser.open": PROCESSES,
    "_winapi.CreateProcess": PROCESSES,
    "_winapi.OpenProcess": SIGNALS,
    "_winapi.TerminateProcess": SIGNALS,
    "os.killpg": SIGNALS,
    "os.symlink": "making symbolic links",
    "sys.remote_exec": SIGNALS,
    "syslog.openlog": NETWORK,
    "syslog.syslog": NETWORK,
    "urllib.Request": NETWORK,
    "ctypes.call_function": NATIVE,
    "ctypes.cdata": NATIVE,
    "ctypes.dlopen": NATIVE,
    "ctypes.dlsym": NATIVE,
    "ctypes.dlsym/handle": NATIVE,
    "ctypes.string_at": NATIVE,
    "ctypes.wstring_at": NATIVE,
    "sqlite3.enable_load_extension": NATIVE,
    "sqlite3.load_extension": NATIVE,
}
# Changes to the file system: positions of the paths, position of the first dir_fd (-1 where the event has none).
CHANGES = {
    "os.chflags": ((0,), -1),
    "os.chmod": ((0,), 2),
    "os.chown": ((0,), 3),
    "os.link": ((0, 1), 2),
    "os.mkdir": ((0,), 2),
    "os.remove": ((0,), 1),
    "os.removexattr": ((0,), -1),
    "os.rename": ((0, 1), 2),
    "os.rmdir": ((0,), 1),
    "os.setxattr": ((0,), -1),
    "os.truncate": ((0,), -1),
    "os.utime": ((0,), 3),
    "shutil.chown": ((0,), -1),
    "shutil.move": ((0, 1), -1),
    "shutil.rmtree": ((0,), -1),
}
UNGUARDED = frozenset(
    {"_tkinter", "readline", "_sqlite3", "_posixsubprocess"}
)  # modules that act without telling a hook
NO_EVENT = {
    ("_posixsubprocess", "fork_exec"): PROCESSES,
    ("_dbm", "open"): "databases other than SQLite",
    ("_gdbm", "open"): "databases other than SQLite",
    ("_multiprocessing", "sem_unlink"): "shared memory",
    ("_posixshmem", "shm_open"): "shared memory",
    ("_posixshmem", "shm_unlink"): "shared memory",
    ("_signal", "pidfd_send_signal"): SIGNALS,
    ("signal", "pidfd_send_signal"): SIGNALS,
    **{
        (module, name): what
        for module in ("posix", "os")
        for name, what in {
            "chroot": "changing its root folder",
            "mkfifo": "making pipes and devices",
            "mknod": "making pipes and devices",
            "pidfd_open": SIGNALS,
            "setpriority": "changing priorities",
            "unshare": "starting processes",
        }.items()
    },
}


def install(scratch: str, readable: Sequence[str]) -> None:
    """Refuse everything but reading below `readable`, and reading and writing below `scratch`, from now on.

    There is no way back; a second call can only narrow. Paths are resolved through their links, here and at each check.
    The null device may be written where it is readable, and folders of sys.path that hold something readable may be
    listed, as in `layers.confine_files`. Let scratch be the working directory.
    """
    checks: dict[str, Check] = {event: _refusal(what) for event, what in REFUSED.items()}
    checks.update(_file_checks(_Places(scratch, readable)))
    checks["os.kill"] = _only_itself(os.getpid(), 0, SIGNALS)
    checks["resource.prlimit"] = _only_itself(os.getpid(), 0, "changing the limits of other processes")
    for (module, name), what in NO_EVENT.items():
        _replace(module, name, what)
    with contextlib.suppress(ImportError):
        importlib.import_module("ctypes")  # its own import loads libraries, and packages import it late

    find, network = checks.get, _refusal(NETWORK)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        check = find(event)
        if check is not None:
            check(arguments)
        elif event[:7] == "socket.":
            network(arguments)

    sys.addaudithook(hook)


class _Places:
    """Where the code may read, write and list, as prefixes of resolved paths."""

    def __init__(self, scratch: str, readable: Sequence[str]) -> None:
        self.text, self.resolve, self.join, self.is_folder = _own_path_functions()
        resolve = self.resolve
        self.scratch = resolve(scratch)
        roots = [resolve(path) for path in readable]
        self.exact = frozenset([*roots, self.scratch])
        self.below = tuple(os.path.join(path, "") for path in self.exact)
        parents = {os.path.dirname(path) for path in readable}
        self.listed = frozenset(resolve(path) for path in parents.intersection(sys.path))
        null = resolve(os.devnull)
        self.written = frozenset({self.scratch, null} if null in self.exact else {self.scratch})
        self.below_scratch = os.path.join(self.scratch, "")


def _file_checks(places: _Places) -> dict[str, Check]:
    """Event -> check for everything that names a file. All they use is bound here, out of reach of rebinding."""
    text, resolve, join, is_folder = places.text, places.resolve, places.join, places.is_folder
    scratch, below_scratch, written = places.scratch, places.below_scratch, places.written
    exact, below, listed = places.exact, places.below, places.listed
    fail, is_a, whole, refuse_native = PermissionError, isinstance, int, _refusal(NATIVE)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def readable(path: str) -> bool:
        return path in exact or path.startswith(below)

    def check_read(path: str) -> None:
        if not readable(path):
            raise fail(f"the sandbox does not allow reading {path}, outside its own folder")

    def check_write(path: str) -> None:
        if path not in written and not path.startswith(below_scratch):
            raise fail(f"the sandbox does not allow writing outside its own folder: {path}")

    def on_open(arguments: tuple[Any, ...]) -> None:
        path, mode, flags = arguments
        if is_a(path, whole):
            return  # a descriptor, which was checked when it was opened
        name = text(path)
        resolved = resolve(name)
        if flags & writing:
            check_write(resolved)
        else:
            check_read(resolved)
        if mode is None:  # os.open, whose dir_fd the event does not show: only folders in scratch can be opened, so
            if ".." in name:  # the worst that a relative name can mean is what it means there
                check_write(resolve(join(scratch, name)))
            if not resolved.startswith(below_scratch) and resolved != scratch and is_folder(resolved):
                raise fail(f"the sandbox does not allow opening the folder {resolved}, outside its own")

    def on_list(arguments: tuple[Any, ...]) -> None:
        path = "." if arguments[0] is None else arguments[0]
        if not is_a(path, whole):
            resolved = resolve(text(path))
            if resolved not in listed:
                check_read(resolved)

    def on_enter(arguments: tuple[Any, ...]) -> None:
        if not is_a(arguments[0], whole):
            check_read(resolve(text(arguments[0])))

    def on_change(paths: tuple[int, ...], first_descriptor: int) -> Check:
        def check(arguments: tuple[Any, ...]) -> None:
            relative = False  # to a dir_fd, which can only be of a folder in scratch
            for value in arguments[first_descriptor:] if first_descriptor > 0 else ():
                relative = relative or (is_a(value, whole) and value >= 0)
            for position in paths:
                path = arguments[position]
                if path is not None and not is_a(path, whole):
                    name = text(path)
                    check_write(resolve(join(scratch, name) if relative else name))

        return check

    def on_database(arguments: tuple[Any, ...]) -> None:
        name = text(arguments[0])
        if name and name != ":memory:":
            check_write(resolve(name))

    def on_import(arguments: tuple[Any, ...]) -> None:
        if arguments[0] in UNGUARDED:
            refuse_native(arguments)
        library = arguments[1]  # None but for an extension module
        if library is not None and not (readable(resolve(library)) and not resolve(library).startswith(below_scratch)):
            refuse_native(arguments)

    checks: dict[str, Check] = {event: on_change(*where) for event, where in CHANGES.items()}
    checks.update({"os.listdir": on_list, "os.scandir": on_list, "os.chdir": on_enter, "open": on_open})
    checks.update({"os.getxattr": on_enter, "os.listxattr": on_enter})
    checks.update({"sqlite3.connect": on_database, "import": on_import})
    return checks


def _refusal(what: str) -> Check:
    fail, sentence = PermissionError, f"the sandbox does not allow {what}"

    def check(arguments: tuple[Any, ...]) -> None:
        raise fail(sentence)

    return check


def _only_itself(pid: int, position: int, what: str) -> Check:
    refuse = _refusal(what)

    def check(arguments: tuple[Any, ...]) -> None:
        if arguments[position] != pid:
            refuse(arguments)

    return check


def _replace(module: str, name: str, what: str) -> None:
    refuse = _refusal(what)

    def refused(*arguments: Any, **named: Any) -> NoReturn:
        refuse(())
        raise AssertionError("a refusal returned")

    with contextlib.suppress(ImportError):
        found = importlib.import_module(module)
        if hasattr(found, name):
            setattr(found, name, refused)


def _own_path_functions() -> tuple[Callable[[Any], str], Callable[[str], str], Callable[[str, str], str], Any]:
    """text, resolve, join, is_folder: as in os and os.path, from a copy whose globals nobody else can rebind."""
    spec = importlib.util.find_spec(os.path.__name__)
    if spec is None or spec.loader is None:
        raise ImportError(f"no source for {os.path.__name__}")
    module = importlib.util.module_from_spec(spec)
    namespace = vars(module)
    namespace["__builtins__"] = dict(vars(importlib.import_module("builtins")))
    spec.loader.exec_module(module)
    for name, value in list(namespace.items()):
        if isinstance(value, types.ModuleType):
            namespace[name] = types.SimpleNamespace(**vars(value))
    realpath, normcase, join = module.realpath, module.normcase, module.join
    fspath, status, has_type = os.fspath, os.stat, importlib.import_module("_stat").S_ISDIR
    encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    is_a, raw, problems = isinstance, bytes, (OSError, ValueError)

    def text(path: Any) -> str:
        name: Any = fspath(path)
        decoded: str = name.decode(encoding, errors) if is_a(name, raw) else name
        return decoded

    def resolve(path: str) -> Any:
        return normcase(realpath(path))

    def is_folder(path: str) -> Any:
        try:
            return has_type(status(path).st_mode)
        except problems:
            return False

    return text, resolve, join, is_folder
