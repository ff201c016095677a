"""Each way out of the sandbox, tried by a real child, under the kernel's layers and under the guard.

This file is also the program the children run: a process started by exec that forks one child for every attempt,
confines it as asked, and says what became of it. Every refused attempt is tried without any layer too, where it has to
succeed: a refusal means something only if nothing else stood in the way.
"""

import ctypes
import importlib
import json
import multiprocessing
import os
import resource
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from groundup.course.sandbox import guard, layers

NOBODY = 65534
MEMORY = 1 << 29

# What is tried -----------------------------------------------------------------------------------------------------
# `place` has scratch and outside (two folders), parent (a process id), port (a TCP listener), unix (a socket's path).


def read_a_file_outside(place):
    return Path(place["outside"], "secret.txt").read_text()


def read_by_os_open(place):
    return os.read(os.open(os.path.join(place["outside"], "secret.txt"), os.O_RDONLY), 100).decode()


def read_by_a_climbing_path(place):
    return open(os.path.relpath(os.path.join(place["outside"], "secret.txt"))).read()


def read_by_a_link_in_proc(place):
    return open(f"/proc/self/root{place['outside']}/secret.txt").read()


def read_through_a_link_left_in_scratch(place):
    return open("link.txt").read()  # made by whoever prepared the folder


def read_a_system_file(place):
    return len(open("/etc/passwd").read())


def read_the_home_folder(place):
    return len(os.listdir(os.path.expanduser("~")))


def read_the_parents_environment(place):
    return len(open(f"/proc/{place['parent']}/environ", "rb").read())


def list_outside(place):
    return os.listdir(place["outside"])


def import_a_package_that_is_not_granted(place):
    sys.path.insert(0, place["outside"])
    return importlib.import_module("oracle").ANSWER


def write_outside(place):
    Path(place["outside"], "written.txt").write_text("x")


def write_by_os_open(place):
    os.write(os.open(os.path.join(place["outside"], "written.txt"), os.O_WRONLY | os.O_CREAT), b"x")


def write_into_the_packages(place):
    with open(os.path.join(place["packages"], "written.py"), "w") as file:
        file.write("x = 1")


def empty_a_readable_file(place):
    os.close(os.open(os.path.join(place["packages"], "__init__.py"), os.O_RDONLY | os.O_TRUNC))


def append_outside(place):
    with open(os.path.join(place["outside"], "secret.txt"), "a") as file:
        file.write("x")


def truncate_outside(place):
    os.truncate(os.path.join(place["outside"], "secret.txt"), 0)


def remove_outside(place):
    os.remove(os.path.join(place["outside"], "secret.txt"))


def remove_a_tree_outside(place):
    shutil.rmtree(place["outside"])


def rename_outside(place):
    os.rename(os.path.join(place["outside"], "secret.txt"), os.path.join(place["outside"], "other.txt"))


def move_into_scratch(place):
    os.rename(os.path.join(place["outside"], "secret.txt"), "mine.txt")


def make_a_folder_outside(place):
    os.mkdir(os.path.join(place["outside"], "new"))


def hard_link_into_scratch(place):
    os.link(os.path.join(place["outside"], "secret.txt"), "mine.txt")


def symbolic_link_in_scratch(place):
    os.symlink(place["outside"], "trap")


def pipe_in_scratch(place):
    os.mkfifo("pipe")


def change_a_mode_outside(place):
    os.chmod(os.path.join(place["outside"], "secret.txt"), 0)


def change_times_outside(place):
    os.utime(os.path.join(place["outside"], "secret.txt"), (0, 0))


def database_outside(place):
    sqlite3.connect(os.path.join(place["outside"], "new.db")).execute("create table t (x)")


def connect_by_tcp(place):
    with socket.create_connection(("127.0.0.1", place["port"]), timeout=5):
        return "connected"


def listen_on_tcp(place):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()


def send_by_udp(place):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"x", ("127.0.0.1", place["port"]))


def connect_by_unix_socket(place):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(place["unix"])


def connect_by_abstract_socket(place):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + place["unix"])


def make_a_socket_pair(place):
    for end in socket.socketpair():
        end.close()


def fork(place):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def start_a_process(place):
    return subprocess.run([sys.executable, "-c", ""], check=True).returncode


def start_a_shell(place):
    return os.system("exit 0") and int("failed")  # system() tells of a refusal only by its value


def spawn_a_process(place):
    return os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1]


def become_another_program(place):
    os.execv("/bin/true", ["true"])


def start_by_multiprocessing(place):
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()


def signal_the_parent(place):
    os.kill(place["parent"], signal.SIGURG)  # ignored by default


def signal_a_group(place):
    os.killpg(os.getpgid(place["parent"]), signal.SIGURG)


def signal_by_descriptor(place):
    signal.pidfd_send_signal(os.pidfd_open(place["parent"]), signal.SIGURG)


def limit_the_parent(place):
    resource.prlimit(place["parent"], resource.RLIMIT_CORE, (0, 0))


def load_a_library(place):
    return bool(ctypes.CDLL("libz.so.1").zlibVersion)


def call_the_kernel(name, *arguments):
    numbers = {**layers.syscall_numbers(layers.DENIED, os.uname().machine)}
    numbers.update(layers.syscall_numbers(layers.CONDITIONAL, os.uname().machine))
    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_long(v) if isinstance(v, int) else v for v in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    result = libc.syscall(ctypes.c_long(numbers[name]), *values)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def be_traced(place):
    call_the_kernel("ptrace", 0)  # PTRACE_TRACEME


def leave_the_session(place):
    call_the_kernel("setsid")


def leave_the_user_namespace(place):
    call_the_kernel("unshare", 0)


def ask_to_outlive_the_parent(place):
    call_the_kernel("prctl", layers.PR_SET_PDEATHSIG, 0)


def signal_through_a_pipe(place):
    reading, _ = os.pipe()
    call_the_kernel("fcntl", reading, 8, place["parent"])  # F_SETOWN


def memory_without_a_file(place):
    os.close(os.memfd_create("x"))


def read_the_parents_memory(place):
    own = ctypes.create_string_buffer(8)
    local = struct.pack("@PN", ctypes.addressof(own), 8)
    call_the_kernel("process_vm_readv", os.getpid(), local, 1, local, 1)


# What has to work --------------------------------------------------------------------------------------------------


def scratch_can_be_used(place):
    os.makedirs("a/b")
    Path("a/b/one.txt").write_text("one")
    with open("a/b/one.txt", "a") as file:
        file.write(" two")
    os.rename("a/b/one.txt", "a/two.txt")
    with open("a/two.txt", "r+") as file:
        file.truncate(3)
    text = Path("a/two.txt").read_text()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "x"), "wb") as file:
        file.write(b"x")
    shutil.rmtree("a")
    return [text, os.listdir(".")]


def null_and_random_devices_work(place):
    with open(os.devnull, "w") as null:
        null.write("nothing")
    return len(os.urandom(8)) + len(open("/dev/urandom", "rb").read(8))


def threads_work(place):
    found = []
    threads = [threading.Thread(target=lambda k=k: found.append(k * k)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def the_standard_library_imports(place):
    names = "decimal random statistics fractions csv sqlite3 zoneinfo asyncio ssl unittest concurrent.futures xml.dom"
    for name in names.split():
        sys.modules.pop(name, None)
        importlib.import_module(name)
    return str(importlib.import_module("zoneinfo").ZoneInfo("UTC"))


def numpy_imports_and_computes(place):
    assert "numpy" not in sys.modules
    return _solve()


def _solve():
    np = importlib.import_module("numpy")
    importlib.import_module("numpy.testing")  # a part that is imported late
    A = np.random.default_rng(0).normal(size=(60, 60))
    x = np.linalg.solve(A, np.ones(60))
    np.save("x.npy", x)
    return bool(np.allclose(A @ np.load("x.npy"), 1)) and int(np.fft.fft(x).shape[0])


def numpy_computes(place):
    return _solve()


def sklearn_computes(place):
    np = importlib.import_module("numpy")
    X = np.random.default_rng(0).normal(size=(50, 3))
    model = importlib.import_module("sklearn.linear_model").Ridge(alpha=0.0).fit(X, X @ [1.0, 2.0, 3.0])
    return [round(float(w), 6) for w in model.coef_]


def torch_computes(place):
    torch = importlib.import_module("torch")
    w = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        ((w - torch.arange(3.0)) ** 2).sum().backward()
        optimizer.step()
    return [round(v, 3) for v in w.tolist()]


def a_signal_to_itself_arrives(place):
    arrived = []
    signal.signal(signal.SIGUSR1, lambda *_: arrived.append("USR1"))
    signal.raise_signal(signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.signal(signal.SIGALRM, lambda *_: arrived.append("ALRM"))
    while len(arrived) < 2:
        time.sleep(0)
    return arrived


# What the limits do ------------------------------------------------------------------------------------------------


def take_all_memory(place):
    held = []
    try:
        while True:
            held.append(bytearray(1 << 24))
    finally:
        held.clear()  # room for the answer


def write_without_end(place):
    with open("large", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 20))


def open_files_without_end(place):
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in held:
            os.close(descriptor)  # room for the answer


def use_the_processor_without_end(place):
    while True:
        pass


def abort(place):
    os.abort()


def every_denied_call(place):
    """Names of the calls in the table that did not answer EPERM."""
    odd = {}
    for name in layers.syscall_numbers(layers.DENIED, os.uname().machine):
        try:
            call_the_kernel(name)
            odd[name] = "succeeded"
        except PermissionError:
            continue
        except OSError as error:
            odd[name] = str(error)
    return odd


def calls_that_are_said_to_be_absent(place):
    found = {}
    for name in ("clone3", "openat2"):
        try:
            call_the_kernel(name)
        except OSError as error:
            found[name] = error.strerror
    return found


def bits_of_status(place):
    lines = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return {name: lines[name].strip() for name in ("NoNewPrivs", "Seccomp")}


def confine_again_with_a_thread(place):
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        layers.confine_files(place["scratch"], [])
    finally:
        release.set()
        thread.join()


def read_after_rebinding(place):
    def everything(*arguments, **named):
        return place["scratch"]

    for module in (os, os.path, guard):
        for name in ("realpath", "abspath", "join", "normpath", "normcase", "fspath", "fsdecode", "lstat", "readlink"):
            setattr(module, name, everything)
    guard.install = guard._file_checks = guard._Places = None
    return open(place["outside"] + "/secret.txt").read()


def remove_by_a_folders_descriptor(place):
    os.mkdir("inner")
    folder = os.open("inner", os.O_RDONLY)
    Path("inner/x").write_text("x")
    os.remove("x", dir_fd=folder)
    return os.listdir("inner")


def climb_from_a_folders_descriptor(place):
    os.makedirs("deep/deeper")
    os.chdir("deep/deeper")
    name = os.path.relpath(place["outside"], place["scratch"]) + "/secret.txt"
    return os.read(os.open(name, os.O_RDONLY, dir_fd=os.open(place["scratch"], os.O_RDONLY)), 9).decode()


def write_by_a_packages_descriptor(place):
    os.open("written.py", os.O_WRONLY | os.O_CREAT, dir_fd=os.open(place["packages"], os.O_RDONLY))


def import_native_code_from_scratch(place):
    numpy = Path(importlib.import_module("numpy").__file__).parent
    extension = next(numpy.glob("_core/_multiarray_umath*.so"))
    shutil.copyfile(extension, os.path.join(place["scratch"], extension.name))
    sys.path.insert(0, place["scratch"])
    importlib.import_module("_multiarray_umath")


def late_imports_of_standard_modules(place):
    for name in ("html.parser", "wave", "numpy.polynomial"):
        importlib.import_module(name)
    return sys.modules["html.parser"].__name__


# The program that forks the children -------------------------------------------------------------------------------


def confine(mode, place, readable):
    """Put layers on this process: "kernel", "files", "calls", "limits", "guard", "none", or "abi 1" to "abi 9"."""
    if mode == "guard":
        guard.install(place["scratch"], readable)
    if mode in ("kernel", "limits"):
        cpu = 1 if mode == "limits" else 60
        layers.limit_resources(layers.Limits(memory=MEMORY, cpu=cpu, file_size=1 << 20, open_files=32))
        layers.die_with_parent(place["parent"])
    if mode.startswith("abi"):  # what would be asked of an older kernel, which a newer one grants as well
        layers.landlock_abi = lambda: int(mode.split()[1])
    if mode in ("kernel", "files") or mode.startswith("abi"):
        layers.confine_files(place["scratch"], readable)
    if mode in ("kernel", "calls") or mode.startswith("abi"):
        assert layers.confine_syscalls()


def child(order, place, answer):
    sys.modules["pyarrow"] = None  # an import of it, by pandas, by scikit-learn, would start a thread
    for name in order["before"]:
        importlib.import_module(name)
    del sys.modules["pyarrow"]
    os.chdir(place["scratch"])
    os.environ["TMPDIR"] = tempfile.tempdir = place["scratch"]
    if order["user"] is not None:
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])
    confine(order["mode"], place, order["readable"])
    try:
        result = {"value": globals()[order["attempt"]](place)}
    except BaseException as error:
        told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        result = {"error": type(error).__name__, "message": str(error), "traceback": told}
    os.write(answer, json.dumps(result).encode())
    os._exit(0)


def serve():
    """Orders in, one JSON line each; one line out for each: what the child answered, and its wait status."""
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        place = {**order["place"], "parent": os.getpid()}
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                child(order, place, writing)
            finally:
                os._exit(99)
        os.close(writing)
        with open(reading, "rb") as pipe:
            ready, _, _ = select.select([pipe], [], [], 60)
            answer = pipe.read() if ready else b""
        if not ready:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps({"status": status, **(json.loads(answer) if answer else {})}), flush=True)


if __name__ == "__main__":
    serve()
    raise SystemExit

# The tests ---------------------------------------------------------------------------------------------------------

import pytest  # noqa: E402

LINUX = sys.platform == "linux"
ROOT = LINUX and os.geteuid() == 0
ABI = layers.landlock_abi()

FILES = [
    read_a_file_outside,
    read_by_os_open,
    read_by_a_climbing_path,
    read_by_a_link_in_proc,
    read_through_a_link_left_in_scratch,
    read_a_system_file,
    list_outside,
    import_a_package_that_is_not_granted,
    write_outside,
    write_by_os_open,
    append_outside,
    remove_outside,
    rename_outside,
    move_into_scratch,
    make_a_folder_outside,
    hard_link_into_scratch,
    symbolic_link_in_scratch,
    pipe_in_scratch,
    database_outside,
]
ROOTS_OWN = [read_the_home_folder, read_the_parents_environment, write_into_the_packages, empty_a_readable_file]
CALLS = [
    truncate_outside,
    change_a_mode_outside,
    change_times_outside,
    connect_by_tcp,
    listen_on_tcp,
    send_by_udp,
    connect_by_unix_socket,
    connect_by_abstract_socket,
    make_a_socket_pair,
    fork,
    start_a_process,
    spawn_a_process,
    become_another_program,
    start_by_multiprocessing,
    signal_the_parent,
    signal_a_group,
    signal_by_descriptor,
    limit_the_parent,
]
KERNEL_ONLY = [
    be_traced,
    leave_the_session,
    leave_the_user_namespace,
    ask_to_outlive_the_parent,
    signal_through_a_pipe,
    memory_without_a_file,
    read_the_parents_memory,
]
GUARD_ONLY = [
    start_a_shell,
    load_a_library,
    read_after_rebinding,
    climb_from_a_folders_descriptor,
    write_by_a_packages_descriptor,
    import_native_code_from_scratch,
]
OTHERWISE = {  # attempts that meet a refusal and report it by an error of their own
    import_a_package_that_is_not_granted: "ModuleNotFoundError",
    hard_link_into_scratch: "OSError",  # EXDEV, as between two file systems
    database_outside: "OperationalError",
}
WORKS = {
    scratch_can_be_used: ["one", []],
    null_and_random_devices_work: 16,
    threads_work: [k * k for k in range(8)],
    numpy_computes: 60,
    a_signal_to_itself_arrives: ["USR1", "ALRM"],
}


# The interpreter may lie in a home folder that nobody may enter, so what an attempt imports late comes first there.
IMPORTED_LATE = ["numpy", "numpy.testing", "numpy.random", "encodings.idna"]
IMPORTED_LATE += ["multiprocessing.popen_spawn_posix", "multiprocessing.resource_tracker"]


def by_name(attempts):
    return pytest.mark.parametrize("attempt", attempts, ids=lambda attempt: attempt.__name__)


class Forker:
    """The program above, started once; each attempt has new folders."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.readable = layers.python_paths() + layers.package_paths(["numpy"])
        self.tcp, self.unix, self.abstract = socket.create_server(("127.0.0.1", 0)), socket.socket(1), socket.socket(1)
        self.unix.bind(os.path.join(folder, "s"))
        self.abstract.bind("\0" + os.path.join(folder, "s"))
        for server in (self.unix, self.abstract):
            server.listen(100)
        os.chmod(os.path.join(folder, "s"), 0o777)

    def close(self):
        self.process.communicate("")
        for server in (self.tcp, self.unix, self.abstract):
            server.close()

    def place(self, user):
        self.count += 1
        here = Path(self.folder, str(self.count))
        for name in ("scratch", "outside", "packages"):
            (here / name).mkdir(parents=True)
        (here / "outside/secret.txt").write_text("secret")
        (here / "outside/oracle.py").write_text("ANSWER = 42")
        (here / "packages/__init__.py").write_text("kept = True")
        (here / "scratch/link.txt").symlink_to(here / "outside/secret.txt")
        if user is not None:
            for path in (here, *here.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        return {
            **{name: str(here / name) for name in ("scratch", "outside", "packages")},
            "port": self.tcp.getsockname()[1],
            "unix": os.path.join(self.folder, "s"),
        }

    def attempt(self, attempt, mode, user=None, before=(), packages=(), link=False):
        place = self.place(user)
        if not link and attempt is not read_through_a_link_left_in_scratch:
            os.remove(os.path.join(place["scratch"], "link.txt"))
        before_it = snapshot(place["outside"]) | snapshot(place["packages"])
        readable = [*self.readable, place["packages"], *layers.package_paths(packages)]
        order = {"attempt": attempt.__name__, "mode": mode, "user": user, "before": before, "readable": readable}
        self.process.stdin.write(json.dumps({**order, "place": place}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        answer["outside is as it was"] = snapshot(place["outside"]) | snapshot(place["packages"]) == before_it
        return answer


def snapshot(folder):
    """Path -> content, mode, and time of change of everything in a folder; {} once it is gone."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if "__pycache__" not in path.parts:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            found[str(path)] = (content, status.st_mode, status.st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def forker():
    folder = tempfile.mkdtemp(prefix="layers-")
    os.chmod(folder, 0o755)
    forker = Forker(folder)
    yield forker
    forker.close()
    shutil.rmtree(folder)


@pytest.fixture
def landlock():
    if ABI == 0:
        pytest.skip(f"no Landlock in this kernel (ABI 0): {layers.available()['files']}")
    return ABI


def users():
    return [None, NOBODY] if ROOT else [None]  # None is whoever runs the tests, which may be an ordinary user already


def as_users():
    return pytest.mark.parametrize("user", users(), ids=lambda user: "myself" if user is None else "nobody")


def refused(answer, error="PermissionError"):
    assert answer.get("error") == error, answer
    assert answer["status"] == 0
    assert answer["outside is as it was"]


@by_name(
    [*FILES, *ROOTS_OWN, *CALLS, *KERNEL_ONLY, *[a for a in GUARD_ONLY if a is not import_native_code_from_scratch]]
)
def test_what_is_refused_below_succeeds_without_a_layer(forker, attempt):
    answer = forker.attempt(attempt, "none")
    assert "error" not in answer, answer
    assert answer["status"] == 0


@as_users()
@by_name([*FILES, *ROOTS_OWN])
def test_the_kernel_refuses_files_outside(forker, landlock, attempt, user):
    refused(forker.attempt(attempt, "kernel", user), OTHERWISE.get(attempt, "PermissionError"))


@as_users()
@by_name([a for a in [*FILES, *ROOTS_OWN] if a is not empty_a_readable_file])
def test_landlock_alone_refuses_files_outside(forker, landlock, attempt, user):
    refused(forker.attempt(attempt, "files", user), OTHERWISE.get(attempt, "PermissionError"))


@as_users()
@by_name([*CALLS, *KERNEL_ONLY])
def test_the_kernel_refuses_calls_that_reach_outside(forker, attempt, user):
    refused(forker.attempt(attempt, "kernel", user, before=IMPORTED_LATE))


@by_name([*CALLS, *KERNEL_ONLY, empty_a_readable_file])
def test_the_filter_alone_refuses_calls_that_reach_outside(forker, attempt):
    refused(forker.attempt(attempt, "calls"))


@pytest.mark.parametrize("abi", range(1, 8))
@by_name([read_a_file_outside, write_outside, remove_outside, truncate_outside, empty_a_readable_file, connect_by_tcp])
def test_older_versions_of_landlock_with_the_filter_leave_no_gap(forker, landlock, attempt, abi):
    if landlock < abi:
        pytest.skip(f"this kernel's Landlock is ABI {landlock}: ABI {abi} cannot be asked of it")
    refused(forker.attempt(attempt, f"abi {abi}"))
    assert forker.attempt(null_and_random_devices_work, f"abi {abi}").get("value") == 16


@by_name([remove_a_tree_outside, start_a_shell])
def test_the_kernel_leaves_no_trace_of_what_reports_its_refusal_otherwise(forker, landlock, attempt):
    answer = forker.attempt(attempt, "kernel")
    assert "error" in answer and answer["outside is as it was"]


@pytest.mark.parametrize(
    "attempt, abi",
    [(connect_by_tcp, 4), (listen_on_tcp, 4), (connect_by_abstract_socket, 6), (signal_the_parent, 6)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_landlock_alone_refuses_what_its_version_covers(forker, landlock, attempt, abi):
    if landlock < abi:
        pytest.skip(f"this kernel's Landlock is ABI {landlock}, and this came with ABI {abi}")
    refused(forker.attempt(attempt, "files"))


@by_name([*FILES, *ROOTS_OWN, *CALLS, *GUARD_ONLY, remove_a_tree_outside])
def test_the_guard_refuses_with_one_sentence(forker, attempt):
    answer = forker.attempt(attempt, "guard", before=["numpy"])
    if attempt is import_a_package_that_is_not_granted:  # the folder cannot be listed, so there is nothing to find
        refused(answer, OTHERWISE[attempt])
        return
    refused(answer)
    assert answer["message"].startswith("the sandbox does not allow ") and "\n" not in answer["message"]


@pytest.mark.parametrize("mode", ["kernel", "guard"])
@by_name(list(WORKS))
def test_what_a_lesson_needs_works(forker, attempt, mode):
    assert forker.attempt(attempt, mode, before=["numpy"]).get("value") == WORKS[attempt]


@pytest.mark.skipif(not ROOT, reason="not root: the row above has run as an ordinary user")
@by_name(list(WORKS))
def test_what_a_lesson_needs_works_for_an_ordinary_user(forker, attempt):
    assert forker.attempt(attempt, "kernel", NOBODY, before=IMPORTED_LATE).get("value") == WORKS[attempt]


@pytest.mark.parametrize("mode", ["kernel", "guard"])
def test_numpy_can_be_imported_from_inside(forker, mode):
    assert forker.attempt(numpy_imports_and_computes, mode).get("value") == 60


@pytest.mark.parametrize("mode", ["kernel", "guard"])
def test_the_standard_library_can_be_imported_from_inside(forker, mode):
    assert forker.attempt(the_standard_library_imports, mode).get("value") == "UTC"


@pytest.mark.parametrize("mode", ["files", "calls", "guard"])
def test_sklearn_computes_where_it_was_imported_before(forker, mode):
    packages = ["numpy", "scipy", "sklearn", "joblib", "threadpoolctl"]
    answer = forker.attempt(sklearn_computes, mode, before=["sklearn.linear_model"], packages=packages)
    assert answer.get("value") == [1.0, 2.0, 3.0], answer


@pytest.mark.parametrize("mode", ["files", "calls", "guard"])
def test_torch_computes_where_it_was_imported_before(forker, mode):
    pytest.importorskip("torch", reason="torch is an extra, and is not installed here")
    packages = ["numpy", "torch", "sympy", "mpmath", "networkx", "typing_extensions", "jinja2", "fsspec", "filelock"]
    answer = forker.attempt(torch_computes, mode, before=["torch"], packages=packages)
    assert answer.get("value") == [0.0, 1.0, 2.0], answer


def test_a_memory_bomb_ends_in_a_memory_error(forker):
    answer = forker.attempt(take_all_memory, "kernel")
    assert answer.get("error") == "MemoryError", answer


def test_a_file_that_grows_too_large_is_an_os_error(forker):
    answer = forker.attempt(write_without_end, "kernel")
    assert answer["error"] == "OSError" and "too large" in answer["message"]


def test_too_many_open_files_are_an_os_error(forker):
    answer = forker.attempt(open_files_without_end, "kernel")
    assert answer.get("error") == "OSError" and "open files" in answer["message"], answer


def test_processor_time_is_limited(forker):
    assert forker.attempt(use_the_processor_without_end, "limits")["status"] == -signal.SIGXCPU


def test_abort_still_aborts(forker):
    assert forker.attempt(abort, "kernel")["status"] == -signal.SIGABRT


def test_every_denied_call_answers_eperm(forker):
    assert forker.attempt(every_denied_call, "calls")["value"] == {}


def test_calls_that_a_filter_cannot_read_are_said_to_be_absent(forker):
    absent = os.strerror(38)  # ENOSYS
    answer = forker.attempt(calls_that_are_said_to_be_absent, "calls")
    assert answer["value"] == {"clone3": absent, "openat2": absent}


def test_no_new_privileges_and_the_filter_are_seen_by_the_kernel(forker):
    assert forker.attempt(bits_of_status, "kernel")["value"] == {"NoNewPrivs": "1", "Seccomp": "2"}


def test_a_process_with_two_threads_is_not_confined_by_half(forker, landlock):
    answer = forker.attempt(confine_again_with_a_thread, "none")
    assert answer["error"] == "RuntimeError" and "2" in answer["message"]


@by_name([remove_by_a_folders_descriptor, late_imports_of_standard_modules])
def test_the_guard_does_not_get_in_the_way(forker, attempt):
    answer = forker.attempt(attempt, "guard", before=["numpy"])
    assert "error" not in answer, answer


def test_a_child_whose_parent_is_gone_dies(tmp_path):
    """The parent dies between fork and request, so that only the check of getppid can notice."""
    code = (
        "import os, sys\n"
        "from groundup.course.sandbox import layers\n"
        "reading, writing = os.pipe()\n"
        "parent = os.getpid()\n"
        "if os.fork() == 0:\n"
        "    os.close(writing)\n"
        "    os.read(reading, 1)\n"  # the end of the pipe: the parent is gone
        "    while os.getppid() == parent: os.sched_yield()\n"
        "    layers.die_with_parent(parent)\n"
        "    print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_child_dies_with_its_parent():
    code = (
        "import os, signal\n"
        "from groundup.course.sandbox import layers\n"
        "parent = os.getpid()\n"
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    layers.die_with_parent(parent)\n"
        "    os.write(writing, b'x')\n"
        "    while True: signal.pause()\n"
        "os.read(reading, 1)\n"
    )  # its standard output stays open as long as the child lives, so the end of the run is the child's end
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0


def test_asking_what_is_available_confines_nothing(tmp_path):
    code = (
        "import json, subprocess, sys\n"
        "from groundup.course.sandbox import layers\n"
        "before = open('/proc/self/status').read().split('NoNewPrivs')[1].splitlines()[:2]\n"
        "report = layers.available()\n"
        "after = open('/proc/self/status').read().split('NoNewPrivs')[1].splitlines()[:2]\n"
        "assert before == after and subprocess.run(['true']).returncode == 0\n"
        "print(json.dumps(report))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(done.stdout)
    assert set(report) == {"resource limits", "death with the parent", "files", "system calls"}
    assert (report["files"] == "at work") == (ABI > 0)


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14"])
def test_other_systems_say_why_a_layer_is_not_at_work(system):
    code = (
        f"import sys; sys.platform = {system!r}\n"
        "from groundup.course.sandbox import layers\n"
        "print(layers.confine_files('.', []), layers.confine_syscalls(), *layers.available().values(), sep='|')\n"
        "layers.die_with_parent(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    abi, filtered, *reasons = done.stdout.strip().split("|")
    assert (abi, filtered) == ("0", "False")
    assert "at work" not in reasons and all(reasons)


# The paths ---------------------------------------------------------------------------------------------------------


def test_no_readable_path_reaches_the_home_folder_or_other_packages():
    readable = layers.python_paths() + layers.package_paths(["numpy"])
    sklearn = layers.package_paths(["sklearn"])[0]
    secrets = [os.path.expanduser("~"), os.path.dirname(sklearn), sklearn, "/etc/passwd", "/home", "/tmp", "/"]
    for secret in map(os.path.realpath, secrets):
        for path in map(os.path.realpath, readable):
            assert os.path.commonpath([secret, path]) != path, (secret, path)


def test_paths_exist_and_are_named_once():
    paths = layers.python_paths() + layers.package_paths(["numpy", "sklearn"])
    assert len(set(paths)) == len(paths) and all(map(os.path.exists, paths))


def test_a_package_is_found_with_its_libraries_and_metadata():
    names = {os.path.basename(path) for path in layers.package_paths(["sklearn"])}
    assert "sklearn" in names and any(n.startswith("scikit_learn-") and n.endswith(".dist-info") for n in names)
    assert "numpy" not in names and "site-packages" not in names


def test_a_package_that_is_not_installed_adds_nothing():
    assert layers.package_paths(["no_such_package_here"]) == []


# The filter, read as the kernel reads it ---------------------------------------------------------------------------


def run_filter(architecture, number, arguments=(), pid=1234, audit=None):
    """What the program answers to one call: a small machine for the classic BPF that seccomp takes (linux/filter.h)."""
    audit = layers.ARCHITECTURES[architecture] if audit is None else audit
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number, audit, 0, *padded)
    program = layers.filter_program(architecture, pid)
    accumulator, at = 0, 0
    while True:
        code, jump_true, jump_false, k = struct.unpack("<HBBI", struct.pack("<HBBI", *program[at]))
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code == 0x06:
            return k
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            at += jump_true if holds else jump_false


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
both = pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
# From the kernel's tables of calls: read, write, mmap, futex, openat, exit_group, getrandom, fork's numbers and so on.
KNOWN = {
    "x86_64": {"allow": [0, 1, 9, 202, 257, 231, 318, 24, 11], "deny": [57, 58, 59, 41, 42, 62, 101, 165, 272, 321]},
    "aarch64": {"allow": [63, 64, 222, 98, 56, 94, 278, 124, 215], "deny": [221, 198, 203, 129, 117, 40, 97, 280]},
}


@both
def test_the_filter_denies_what_is_in_the_table_and_nothing_else(architecture):
    denied = set(layers.syscall_numbers(layers.DENIED, architecture).values())
    conditional = set(layers.syscall_numbers(layers.CONDITIONAL, architecture).values())
    for number in set(range(600)) - conditional:
        assert run_filter(architecture, number) == (EPERM if number in denied else ALLOW), number


@both
def test_the_filter_knows_well_known_numbers(architecture):
    assert {run_filter(architecture, n) for n in KNOWN[architecture]["allow"]} == {ALLOW}
    assert {run_filter(architecture, n) for n in KNOWN[architecture]["deny"]} == {EPERM}


@both
@pytest.mark.parametrize(
    "name, arguments, answer",
    [
        ("clone", [0x003D0F00], ALLOW),  # what pthread_create asks for
        ("clone", [17], EPERM),  # SIGCHLD alone: fork
        ("clone", [0x4111], EPERM),  # CLONE_VM | CLONE_VFORK: vfork, posix_spawn
        ("clone", [0x003D0F00 | 0x10000000], EPERM),  # a new user namespace
        ("clone3", [0], ENOSYS),
        ("openat2", [0], ENOSYS),
        ("tgkill", [1234, 1234, 6], ALLOW),
        ("tgkill", [1, 1, 6], EPERM),
        ("prctl", [1, 0], EPERM),
        ("prctl", [4, 1], EPERM),
        ("prctl", [15], ALLOW),  # PR_SET_NAME
        ("ioctl", [0, 0x5401], ALLOW),  # TCGETS: isatty
        ("ioctl", [0, 0x5412], EPERM),
        ("fcntl", [3, 1], ALLOW),  # F_GETFD
        ("fcntl", [3, 8, 1], EPERM),
        ("openat", [0, 0, 0o1000], EPERM),
        ("openat", [0, 0, 0o1001], ALLOW),
        ("openat", [0, 0, 0], ALLOW),
        ("prlimit64", [0], ALLOW),
        ("prlimit64", [1234], ALLOW),
        ("prlimit64", [1], EPERM),
        ("sched_setaffinity", [1], EPERM),
    ],
)
def test_the_filter_decides_by_arguments(architecture, name, arguments, answer):
    number = layers.syscall_numbers(layers.CONDITIONAL, architecture)[name]
    assert run_filter(architecture, number, arguments) == answer


@both
def test_the_filter_ends_a_process_that_calls_for_another_architecture(architecture):
    for other in (0x40000003, 0x40000028, 0xC000003E, 0xC00000B7):  # i386, arm, x86-64, aarch64
        expected = ALLOW if other == layers.ARCHITECTURES[architecture] else KILL
        assert run_filter(architecture, 1 if architecture == "x86_64" else 64, audit=other) == expected


def test_the_filter_denies_numbers_of_the_x32_abi():
    assert {run_filter("x86_64", 0x40000000 | n) for n in range(600)} == {EPERM}


X86 = {"fork", "vfork", "open", "chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
X86 |= {"iopl", "ioperm", "modify_ldt", "uselib"}  # calls that aarch64 never had


@pytest.mark.parametrize("table", [layers.DENIED, layers.CONDITIONAL], ids=["denied", "conditional"])
def test_both_architectures_have_the_same_names(table):
    intel, arm = (layers.syscall_numbers(table, name) for name in ("x86_64", "aarch64"))
    assert set(intel) - set(arm) == X86 & set(intel)
    assert set(arm) <= set(intel)


@both
def test_numbers_are_unique_and_agree_from_424_on(architecture):
    numbers = {**layers.syscall_numbers(layers.DENIED, architecture)}
    numbers.update(layers.syscall_numbers(layers.CONDITIONAL, architecture))
    rows = (layers.DENIED + layers.CONDITIONAL).split()
    assert len(set(numbers.values())) == len(numbers) and len({row.split(":")[0] for row in rows}) == len(rows)
    for row in rows:
        _, intel, arm = row.split(":")
        if intel != "-" and int(intel) >= 424:  # since Linux 5.1 all architectures number alike
            assert intel == arm
