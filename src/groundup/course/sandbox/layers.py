"""What the kernel forbids a child: limits, the parent's death, files (Landlock), system calls (seccomp).

Everything here is called in the child, right after the fork, while it has one thread and before it runs any code of a
learner's. No privilege is needed, nothing can be undone, and what the child creates later (threads) inherits it. The
order is limits, die_with_parent, confine_files, confine_syscalls: the last one forbids calls the others make.

Sources: landlock(7) and Documentation/userspace-api/landlock.rst, seccomp(2), prctl(2), setrlimit(2) of the Linux
manual; include/uapi/asm-generic/unistd.h and arch/x86/entry/syscalls/syscall_64.tbl for the numbers of the calls.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.metadata
import importlib.util
import os
import signal
import stat
import struct
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

if sys.platform != "win32":
    import resource

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k: linux/filter.h

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_PTRACER = 1, 4, 22, 38, 0x59616D61
SECCOMP_MODE_FILTER = 2

# Landlock: the same numbers on every architecture (linux/landlock.h).
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
FILE_ONLY = WRITE_FILE | READ_FILE | TRUNCATE
READ = READ_FILE | READ_DIR
# No devices, sockets, pipes or symbolic links: whoever looks into the folder afterwards is not to be led elsewhere.
READ_AND_WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*, linux/audit.h
X32 = 0x40000000  # the bit that marks a call of the x32 ABI on x86-64
LOAD, AND, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
DENY, ABSENT = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
CLONE_THREAD, CLONE_NEW = 0x00010000, 0x7E020000  # CLONE_NEW: any of the namespaces
O_TRUNC, O_ACCMODE = 0o1000, 0o3
SOMEONE = 0x7FFFFFFE  # stands for the child's id in the filter until there is a child; no process has this id

# name:x86-64:aarch64, "-" where an architecture has no such call. Denied whatever the arguments.
DENIED = """
fork:57:- vfork:58:- execve:59:221 execveat:322:281 ptrace:101:117 kcmp:312:272 process_vm_readv:310:270
process_vm_writev:311:271 process_madvise:440:440 process_mrelease:448:448 kill:62:129 tkill:200:130
rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240 pidfd_open:434:434 pidfd_getfd:438:438 pidfd_send_signal:424:424
setsid:112:157 setpgid:109:154 setpriority:141:140 ioprio_set:251:30 migrate_pages:256:238 move_pages:279:239
socket:41:198 socketpair:53:199 bind:49:200 connect:42:203 listen:50:201 accept:43:202 accept4:288:242
unshare:272:97 setns:308:268 mount:165:40 umount2:166:39 mount_setattr:442:442 move_mount:429:429 open_tree:428:428
open_tree_attr:467:467 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433 pivot_root:155:41 chroot:161:51
name_to_handle_at:303:264 open_by_handle_at:304:265 fanotify_init:300:262 fanotify_mark:301:263 quotactl:179:60
quotactl_fd:443:443 truncate:76:45 chmod:90:- fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 chown:92:- lchown:94:-
fchown:93:55 fchownat:260:54 utime:132:- utimes:235:- futimesat:261:- utimensat:280:88 setxattr:188:5 lsetxattr:189:6
fsetxattr:190:7 setxattrat:463:463 removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16 removexattrat:466:466
file_setattr:469:469 shmget:29:194 shmat:30:196 shmctl:31:195 semget:64:190 semop:65:193 semctl:66:191
semtimedop:220:192 msgget:68:186 msgsnd:69:189 msgrcv:70:188 msgctl:71:187 mq_open:240:180 mq_unlink:241:181
memfd_create:319:279 memfd_secret:447:447 setuid:105:146 setgid:106:144 setreuid:113:145 setregid:114:143
setresuid:117:147 setresgid:119:149 setfsuid:122:151 setfsgid:123:152 setgroups:116:159 capset:126:91 keyctl:250:219
add_key:248:217 request_key:249:218 bpf:321:280 perf_event_open:298:241 userfaultfd:323:282 io_uring_setup:425:425
io_uring_enter:426:426 io_uring_register:427:427 init_module:175:105 finit_module:313:273 delete_module:176:106
kexec_load:246:104 kexec_file_load:320:294 reboot:169:142 swapon:167:224 swapoff:168:225 acct:163:89 syslog:103:116
vhangup:153:58 settimeofday:164:170 clock_settime:227:112 adjtimex:159:171 clock_adjtime:305:266 sethostname:170:161
setdomainname:171:162 iopl:172:- ioperm:173:- modify_ldt:154:- uselib:134:-
"""
# Decided by their arguments, in `_conditions`.
CONDITIONAL = """
clone:56:220 clone3:435:435 tgkill:234:131 prctl:157:167 ioctl:16:29 fcntl:72:25 open:2:- openat:257:56 openat2:437:437
prlimit64:302:261 sched_setaffinity:203:122 sched_setscheduler:144:119 sched_setparam:142:118 sched_setattr:314:274
"""


@dataclass(frozen=True)
class Limits:
    """What one child may use: memory and file_size in bytes, cpu in seconds, open_files descriptors.

    memory is address space (RLIMIT_AS), so it counts what is reserved as well as what is used, and what the zygote had
    mapped before the fork.
    """

    memory: int = 1 << 30
    cpu: int = 10
    file_size: int = 16 << 20
    open_files: int = 64


def limit_resources(limits: Limits) -> None:
    """Put the limits on the calling process, soft and hard; a limit that is lower already stays. POSIX; else a no-op.

    A write past file_size is then an OSError (EFBIG), an allocation past memory a MemoryError, and cpu ends in SIGXCPU,
    with SIGKILL one second later. There is no limit on processes: RLIMIT_NPROC counts everything its user runs,
    threads included, and does not bind root. `confine_syscalls` is what stops a fork.
    """
    if sys.platform == "win32":
        return
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_MSGQUEUE": (0, 0),
        "RLIMIT_CPU": (limits.cpu, limits.cpu + 1),
        "RLIMIT_FSIZE": (limits.file_size, limits.file_size),
        "RLIMIT_NOFILE": (limits.open_files, limits.open_files),
        "RLIMIT_AS": (limits.memory, limits.memory),
    }
    for name, (soft, hard) in wanted.items():
        which = getattr(resource, name, None)
        if which is None:  # MSGQUEUE is Linux's own
            continue
        ceiling = resource.getrlimit(which)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(which, (soft, hard))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, and hide its memory from others of its user. Linux only.

    parent: the id the parent had when it forked. Where it has died before the request, nothing would ever fire, so the
    process ends here. Must come after any change of user, which clears the request.
    """
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGKILL)
    _prctl(PR_SET_DUMPABLE, 0)


def landlock_abi() -> int:
    """The version of Landlock the kernel offers, 0 for none. Confines nothing."""
    return _landlock_probe() if sys.platform == "linux" else 0


def confine_files(scratch: str, readable: Sequence[str]) -> int:
    """Allow reading below `readable`, reading and writing below `scratch`, and no other file. Returns the ABI, or 0.

    A path of `readable` that does not exist is left out; scratch has to exist (FileNotFoundError). /dev/null may be
    written when it is readable. A folder of sys.path that holds something readable may be listed, for that is how an
    import looks for a module. Nothing may be executed. Also denied: TCP (ABI 4), signals to processes outside and
    abstract Unix sockets (ABI 6). 0 means that the kernel has no Landlock and that nothing was confined.

    Landlock does not see stat, chdir, or a change of mode, owner or times: `confine_syscalls` denies the last three.
    Raises RuntimeError in a process with more than one thread, since only the calling one would be confined.
    """
    abi = landlock_abi()
    if abi == 0:
        return 0
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    if threads > 1:
        raise RuntimeError(f"the sandbox has to be entered with one thread, and this process has {threads}")
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("<QQQ", handled, 3, 3), 24)  # files, TCP, scopes
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _landlock(CREATE_RULESET, ctypes.addressof(attributes), size)
    try:
        parents = {path.rpartition("/")[0] for path in readable}
        for path in parents.intersection(sys.path):
            _grant(ruleset, path, READ_DIR & handled)
        for path in readable:
            _grant(ruleset, path, READ | WRITE_FILE if path == "/dev/null" else READ)
        if not _grant(ruleset, scratch, READ_AND_WRITE & handled):
            raise FileNotFoundError(errno.ENOENT, "the sandbox has no folder of its own", scratch)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _landlock(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def confine_syscalls() -> bool:
    """Deny the calls that start, reach, or change anything outside this process. True if in force.

    Denied calls fail with EPERM: processes (threads are allowed), sockets of every kind, signals to others, tracing,
    namespaces, mounts, shared memory, modes and owners and times of files, identities, keys, and the kernel's own
    affairs. A socketpair is denied too, since a datagram one can be sent to any path. raise() and abort() work. clone3
    and openat2, whose arguments a filter cannot read, are reported as absent, and libc does without them. A call for
    another architecture ends the process with SIGSYS.

    False, with nothing confined, on other systems, other architectures, or where the kernel has no seccomp filters.
    """
    architecture = _architecture()
    if architecture is None or not _seccomp_filters():
        return False
    code = _packed_filter(architecture).replace(struct.pack("<I", SOMEONE), struct.pack("<I", os.getpid()))
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))  # struct sock_fprog
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program)
    return True


def available() -> dict[str, str]:
    """For each layer "at work", or why it is not. Asks the system and confines nothing; every system answers."""
    elsewhere = f"not on this system: {sys.platform} has no such thing"
    report = dict.fromkeys(("resource limits", "death with the parent", "files", "system calls"), elsewhere)
    if sys.platform != "win32":
        report["resource limits"] = "at work" if sys.platform == "linux" else "in part: memory may not be limited here"
    if sys.platform == "linux":
        report["death with the parent"] = "at work"
        report["files"] = "at work" if landlock_abi() else "not in this kernel, or switched off: Landlock (5.13)"
        if _architecture() is None:
            report["system calls"] = f"no table of system calls for {os.uname().machine}"
        else:
            report["system calls"] = "at work" if _seccomp_filters() else "not in this kernel: seccomp filters"
    return report


def filter_program(architecture: str, pid: int) -> list[Instruction]:
    """The filter for a process `pid` on "x86_64" or "aarch64", as classic BPF over struct seccomp_data.

    A binary search for the number of the call. The kernel runs the filter once for every number when it is installed,
    so one test after another would take twice as long.
    """
    deny: list[Instruction] = [(RETURN, 0, 0, DENY)]
    blocks = {number: deny for number in syscall_numbers(DENIED, architecture).values()}
    conditions = _conditions(pid)
    for name, number in syscall_numbers(CONDITIONAL, architecture).items():
        blocks[number] = conditions[name]
    default: list[Instruction] = [(RETURN, 0, 0, ALLOW)]
    segments = [(0, default)]  # (first number, what is done from there on)
    for number in sorted(blocks):
        if segments[-1][0] == number:
            segments.pop()
        if not segments or segments[-1][1] != blocks[number]:
            segments.append((number, blocks[number]))
        segments.append((number + 1, default))
    if architecture == "x86_64":
        segments.append((X32, deny))
    return [
        (LOAD, 0, 0, 4),  # the architecture
        (EQUAL, 1, 0, ARCHITECTURES[architecture]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),  # the number of the call
        *_search(segments),
    ]


@lru_cache(maxsize=1)
def _packed_filter(architecture: str) -> bytes:
    return b"".join(struct.pack("<HBBI", *step) for step in filter_program(architecture, SOMEONE))


def _search(segments: Sequence[tuple[int, list[Instruction]]]) -> list[Instruction]:
    if len(segments) == 1:
        return segments[0][1]
    half = len(segments) // 2
    below, above = _search(segments[:half]), _search(segments[half:])
    return [(AT_LEAST, len(below), 0, segments[half][0]), *below, *above]


def syscall_numbers(table: str, architecture: str) -> dict[str, int]:
    """name -> number of the calls in a table (DENIED, CONDITIONAL) that the architecture has."""
    column = 1 + list(ARCHITECTURES).index(architecture)
    rows = [entry.split(":") for entry in table.split()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _conditions(pid: int) -> dict[str, list[Instruction]]:
    return {
        "clone": [
            (LOAD, 0, 0, 16),  # flags
            (ANY_BIT, 1, 0, CLONE_NEW),
            (ANY_BIT, 1, 0, CLONE_THREAD),
            (RETURN, 0, 0, DENY),
            (RETURN, 0, 0, ALLOW),
        ],
        "clone3": [(RETURN, 0, 0, ABSENT)],
        "openat2": [(RETURN, 0, 0, ABSENT)],
        "open": _not_truncating(1),
        "openat": _not_truncating(2),
        "tgkill": _among(0, (pid,), ALLOW, DENY),
        "prctl": _among(0, (PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER), DENY, ALLOW),
        "ioctl": _among(1, (0x5412, 0x541C, 0x8901, 0x8902), DENY, ALLOW),  # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
        "fcntl": _among(1, (8, 15), DENY, ALLOW),  # F_SETOWN, F_SETOWN_EX: a signal to whom one likes
        **{
            name: _among(0, (0, pid), ALLOW, DENY)
            for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
        },
    }


def _among(argument: int, values: Sequence[int], then: int, otherwise: int) -> list[Instruction]:
    """`then` if the low half of the argument is one of the values."""
    tests = [(EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [(LOAD, 0, 0, 16 + 8 * argument), *tests, (RETURN, 0, 0, otherwise), (RETURN, 0, 0, then)]


def _not_truncating(argument: int) -> list[Instruction]:
    """Deny O_RDONLY | O_TRUNC, which empties a file that Landlock before ABI 3 takes for one that is only read."""
    return [
        (LOAD, 0, 0, 16 + 8 * argument),  # flags
        (AND, 0, 0, O_TRUNC | O_ACCMODE),
        (EQUAL, 0, 1, O_TRUNC),
        (RETURN, 0, 0, DENY),
        (RETURN, 0, 0, ALLOW),
    ]


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.syscall.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_long]
    libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    return libc


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _landlock(number: int, first: int, second: int, third: int | bytes = 0) -> int:
    """Every Landlock call made here has at most three arguments that are not zero."""
    address = third if isinstance(third, bytes) else ctypes.c_void_p(third)
    return _checked(int(_libc().syscall(number, first, second, address, 0)), f"Landlock, system call {number}")


def _prctl(option: int, value: int, address: bytes | None = None) -> int:
    return _checked(int(_libc().prctl(option, value, address, 0, 0)), f"prctl {option}")


def _grant(ruleset: int, path: str, rights: int) -> bool:
    """Add a rule; False if there is nothing at the path that this user could reach."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_ONLY
        if rights:
            _landlock(ADD_RULE, ruleset, 1, struct.pack("<Qi", rights, descriptor))
    finally:
        os.close(descriptor)
    return True


def _landlock_probe() -> int:
    try:
        return _landlock(CREATE_RULESET, 0, 0, 1)  # LANDLOCK_CREATE_RULESET_VERSION
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):  # EPERM: a container's own filter
            return 0
        raise


def _architecture() -> str | None:
    if sys.platform != "linux" or sys.maxsize < 2**32 or sys.byteorder != "little":
        return None
    machine = os.uname().machine
    return machine if machine in ARCHITECTURES else None


def _seccomp_filters() -> bool:
    """Asked with a null program: EFAULT from a kernel that would have read it, EINVAL from one without filters."""
    return bool(_libc().prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, None, 0, 0)) and ctypes.get_errno() == errno.EFAULT


PACKAGE_FOLDERS = ("site-packages", "dist-packages")
LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
SYSTEM_FILES = (
    "/etc/ld.so.cache",  # the loader
    "/etc/localtime",  # time, datetime, zoneinfo
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/random",  # os.urandom where the kernel has no getrandom
    "/dev/urandom",
    "/proc/self",  # maps: the stack of the main thread; auxv: what the processor can do
    "/proc/cpuinfo",  # BLAS and OpenMP choose their kernels and count processors
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
)


def python_paths() -> list[str]:
    """What Python's standard library and the shared libraries of NumPy and its like read, without any package.

    The standard library, entry by entry where a site-packages lies in it, since a Landlock rule covers all below: then
    without the sources of modules whose compiled form is good, to keep the rules few (a rule costs some 10 µs in every
    child, and only a traceback would show the source). The system's library folders without the Pythons in them, the
    loader's cache, time zones, null, zero and random devices, and what of /proc and /sys BLAS looks at. Nothing of the
    user's. Computed once a process.
    """
    return list(_python_paths())


@lru_cache(maxsize=1)
def _python_paths() -> tuple[str, ...]:
    stdlib = sysconfig.get_path("stdlib")
    dynload = sysconfig.get_config_var("DESTSHARED") or os.path.join(stdlib, "lib-dynload")
    archive = os.path.join(os.path.dirname(stdlib), "python{}{}.zip".format(*sys.version_info))
    paths = [*_without_packages(stdlib), dynload, archive]
    for folder in _unique(map(os.path.realpath, (os.path.dirname(stdlib), *LIBRARY_FOLDERS))):
        paths += _libraries(folder)
    return tuple(path for path in _unique([*paths, *SYSTEM_FILES]) if os.path.exists(path))


def _without_packages(folder: str) -> list[str]:
    names = sorted(os.listdir(folder))
    if not set(names).intersection(PACKAGE_FOLDERS):
        return [folder]
    kept = [os.path.join(folder, name) for name in names if name not in PACKAGE_FOLDERS]
    return [path for path in kept if not _is_compiled(path)]


def _is_compiled(source: str) -> bool:
    """True if importing the module would read its .pyc beside it and not the source. The header is PEP 552's."""
    if not source.endswith(".py"):
        return False
    compiled = importlib.util.cache_from_source(source)
    if sys.pycache_prefix is not None or not os.path.exists(compiled):
        return False
    with open(compiled, "rb") as file:
        magic, flags, mtime, size = struct.unpack("<4sIII", file.read(16))
    found = os.stat(source)
    fresh = (mtime, size) == (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
    return bool(magic == importlib.util.MAGIC_NUMBER and flags == 0 and fresh)


def _libraries(folder: str) -> list[str]:
    """The folder itself if no Python lives in it; else its shared libraries, and the folders that hold only such."""
    if not os.path.isdir(folder):
        return []
    names = sorted(os.listdir(folder))
    if not any(name.startswith("python") for name in names):
        return [folder]
    kept = [name for name in names if ".so" in name or name.endswith((".dylib", "-linux-gnu")) or name == "locale"]
    return _unique(os.path.realpath(os.path.join(folder, name)) for name in kept)


def package_paths(names: Sequence[str]) -> list[str]:
    """Files and folders of installed packages, by import name: numpy -> numpy, numpy.libs, numpy-2.3.dist-info.

    What their distributions brought, never the whole site-packages; their dependencies only where named. A name that
    is not installed adds nothing. Costs some tens of milliseconds: for the zygote, before it forks.
    """
    paths: list[str] = []
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue
        paths += spec.submodule_search_locations or []
        if not spec.submodule_search_locations and spec.origin:
            paths += [spec.origin, importlib.util.cache_from_source(spec.origin)]
    wanted = {os.path.basename(path) for path in paths}
    for distribution in importlib.metadata.distributions():
        record = distribution.read_text("RECORD") or ""
        tops = {line.split(",", 1)[0].split("/", 1)[0] for line in record.splitlines()} - {"__pycache__", "..", ""}
        if tops & wanted:
            paths += [str(distribution.locate_file(top)) for top in sorted(tops)]
    return [path for path in _unique(paths) if os.path.exists(path)]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


if sys.platform == "linux":  # made ready on import, so that a forked child finds them
    _libc()
    if _architecture() is not None:
        _packed_filter(os.uname().machine)
