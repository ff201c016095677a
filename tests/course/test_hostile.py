"""Hostile submissions: each gets a clear verdict, none passes, none reaches past its sandbox, and the next learner is
judged as if nothing had been.

A submission here either breaks something (then the reference's own code follows the attack, so that only a verdict can
tell), or cheats (then its values are wrong, so that only a cheat could pass).
"""

import hashlib
import json
import os
import re
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest

import groundup
from groundup.course.holes.library import FILE_CAP, Submission, reference_text
from groundup.course.judging import hearing as hearing_module
from groundup.course.judging.judge import Judge
from groundup.course.judging.verdicts import Verdict
from groundup.course.lessons.lesson import load
from groundup.course.sandbox import layers
from groundup.course.showing.terminal import verdict_text

from ..thorough import some

REFERENCE = reference_text("grad.value")
LOADING = 1.0  # seconds that an import may take here; five in earnest
MARK = "98765.4321"  # on the command line of whatever a submission manages to start

PAGE = """---
title: A small engine
section_id: "1.3"
phase: 1
phase_title: Gradients
order: 3
minutes: 1
level: core
builds: [grad/value.py]
allows: [numpy]
---
## The idea
## Build it
## Exercises
## Go further
## Look back
"""

CHECKS = """
from groundup.course import checkpoint


@checkpoint("Value and slope of a polynomial", atol=1e-9, count=5, seconds=0.5)
def polynomial(lib, x, coefficients):
    v = lib.grad.value.Value(x)
    y = v * 0.0
    for c in coefficients:
        y = y * v + c
    y.backward()
    return {"value": y.data, "slope": v.grad}


@polynomial.cases
def _(draw):
    return dict(x=draw.uniform(-2, 2), coefficients=[draw.uniform(1, 3) for _ in range(draw.integer(1, 4))])


@polynomial.edges
def _():
    return [dict(x=2.0, coefficients=[1.0, 1.0])]


@polynomial.oracle
def _(x, coefficients):
    import numpy as np

    return {"value": float(np.polyval(coefficients, x)), "slope": float(np.polyval(np.polyder(coefficients), x))}


@checkpoint("The slopes of a product", count=3, seconds=0.5)
def product(lib, x, y):
    a, b = lib.grad.value.Value(x), lib.grad.value.Value(y)
    (a * b).backward()
    return [a.grad, b.grad]


@product.cases
def _(draw):
    x, y = draw.uniform(1, 2), draw.uniform(3, 4)
    return dict(x=x, y=y, _slopes=[y, x])


@product.accepts
def _(got, x, y, slopes):
    return bool(len(got) == 2 and all(abs(g - s) <= 1e-9 for g, s in zip(got, slopes)))
"""

FAULTS = """
[[fault]]
name = "gradient overwritten"
find = "operand.grad += slope * value.grad"
put = "operand.grad = slope * value.grad"
says = "It adds up."
"""

WRONG = """
class Value:
    def __init__(self, data=0.0):
        self.data, self.grad = 17.0, 17.0
    def __mul__(self, other):
        return type(self)()
    __add__ = __radd__ = __rmul__ = __neg__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = __mul__
    exp = log = tanh = relu = lambda self: type(self)()
    def backward(self):
        pass
"""
STRIKES = WRONG.replace("    def backward(self):\n        pass", "    def backward(self):\n        attack()")
GIVES = WRONG.replace("self.data, self.grad = 17.0, 17.0", "self.data = self.grad = answer()")
FORGES = """
import json, os, struct
def frame(header, magic=b"GUP1"):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sIQ", magic, len(data), 0) + data
def pack(x):
    if isinstance(x, dict):
        return {"$": "dict", "items": [[pack(k), pack(v)] for k, v in x.items()]}
    if isinstance(x, list):
        return {"$": "list", "items": [pack(i) for i in x]}
    return x
def everywhere(data):
    for fd in range(3, 64):
        try:
            sent = 0
            while sent < len(data):
                sent += os.write(fd, data[sent:])
        except OSError:
            continue
"""

IMPORT, RAISED, MEMORY, CRASHED = Verdict.IMPORT_ERROR, Verdict.RAISED, Verdict.MEMORY, Verdict.CRASHED
TIMEOUT, FORBIDDEN, WRONG_VALUE = Verdict.TIMEOUT, Verdict.FORBIDDEN_IMPORT, Verdict.WRONG_VALUE
SHAPE, NOT_FINITE, MISSING = Verdict.WRONG_SHAPE, Verdict.NOT_FINITE, Verdict.MISSING
FAILED = (WRONG_VALUE, SHAPE, Verdict.WRONG_DTYPE, NOT_FINITE)
DENIED = r"PermissionError|not allow|not permitted|denied|OSError"


@dataclass(frozen=True)
class Hostile:
    """A submission, the verdicts it may get, and what its first failing checkpoint says (a pattern)."""

    source: str | bytes
    verdicts: tuple[Verdict, ...]
    says: str = ""


def case(source, verdicts, says=""):
    return Hostile(source, verdicts if isinstance(verdicts, tuple) else (verdicts,), says)


def at_import(code, verdicts=IMPORT, says="", then=REFERENCE):
    """The attack first, then an implementation that is right: only the attack keeps it from passing."""
    return case(f"{code}\n{then}", verdicts, says)


def in_a_method(code, verdicts=RAISED, says=""):
    """The attack where backward() is called."""
    body = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return case(f"def attack():\n{body}\n{STRIKES}", verdicts, says)


def answers(code, verdicts=FAILED, says=""):
    """Hostile values as answers: `answer` gives them."""
    return case(f"{code}\n{GIVES}", verdicts, says)


def cheats(code, verdicts=FAILED, says=""):
    """A trick, then wrong values."""
    return case(f"{code}\n{WRONG}", verdicts, says)


def forges(code, verdicts=CRASHED, says=""):
    """Bytes on the channel, then wrong values."""
    return case(f"{FORGES}\n{code}\n{WRONG}", verdicts, says)


def refused(code, says=DENIED):
    """Something the sandbox does not allow, so that it ends in an exception; where it is allowed, it says LEAKED."""
    return at_import(f"{code}\nraise RuntimeError('LEAKED')", IMPORT, says)


LOOPS = {
    "loop at import": at_import("while True: pass", TIMEOUT, "importing the file did not end"),
    "loop in a method": in_a_method("while True: pass", TIMEOUT, "No answer within 0.5 s"),
    "loop that ignores every signal": in_a_method(
        """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        while True: pass
    except BaseException:
        pass""",
        TIMEOUT,
    ),
    "loop in a destructor": answers(
        """
class Sticky:
    def __del__(self):
        while True: pass
def answer():
    return Sticky()""",
        (TIMEOUT, *FAILED),
    ),
    "loop in an exception's text": in_a_method(
        """
class Endless(Exception):
    def __str__(self):
        while True: pass
raise Endless""",
        TIMEOUT,
    ),
    "loop in the module's __getattr__": case(
        "def __getattr__(name):\n    while True: pass\n", (TIMEOUT, IMPORT, MISSING, RAISED)
    ),
    "sleep": in_a_method("import time; time.sleep(1e6)", TIMEOUT, "No answer"),
    "stopped": in_a_method("import signal; signal.raise_signal(signal.SIGSTOP)", TIMEOUT),
    "memory errors caught for ever": in_a_method(
        """
while True:
    try:
        bytearray(1 << 40)
    except MemoryError:
        pass""",
        TIMEOUT,
    ),
    "alarm that never lets go": in_a_method(
        """
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True: pass""",
        TIMEOUT,
    ),
    "threads that never end": cheats(
        """
import threading
def spin():
    while True: pass
for _ in range(4):
    threading.Thread(target=spin, daemon=False).start()""",
        (TIMEOUT, *FAILED),
    ),
    "loop at exit": cheats("import atexit\ndef spin():\n    while True: pass\natexit.register(spin)"),
    "tracing loop": cheats(
        """
import sys
def trace(*_):
    while True: pass
sys.settrace(trace)""",
        TIMEOUT,
    ),
    "loop in ==": answers(
        """
class Sticky(float):
    def __eq__(self, other):
        while True: pass
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __float__ = __repr__ = __eq__
def answer():
    return Sticky(1.0)""",
        FAILED,
        "Sticky",
    ),
}

MEMORY_AND_DISK = {
    "list that grows": in_a_method("x = []\nwhile True: x.append(bytearray(1 << 22))", (MEMORY, TIMEOUT)),
    "large array": in_a_method("import numpy as np; np.ones(10**10)", MEMORY, "More memory"),
    "bytes that double": in_a_method("x = b'x'\nwhile True: x += x", (MEMORY, TIMEOUT)),
    "memory at import": at_import("x = bytearray(1 << 34)", MEMORY, "More memory"),
    "power without end": in_a_method("x = 10\nwhile True: x = x ** 10", (TIMEOUT, MEMORY)),
    "a large file": refused(
        "with open('big', 'wb') as f:\n    for _ in range(1000): f.write(bytes(1 << 20))", "OSError"
    ),
    "ten thousand files": refused("kept = [open(f'f{i}', 'w') for i in range(10_000)]", "OSError|Too many open files"),
    "ten thousand threads": refused(
        "import threading, time\nfor _ in range(10_000): threading.Thread(target=time.sleep, args=(9,)).start()",
        "can't start new thread|MemoryError",
    ),
    "a deep folder": cheats(
        "import os\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')\nopen('f', 'w').close()"
    ),
    "many files": cheats("for i in range(500): open(f'file{i}', 'w').close()"),
    "printed.txt replaced": cheats("import os\nos.remove('printed.txt'); os.mkdir('printed.txt')"),
    "stdout flooded": in_a_method("while True: print('x' * 10_000)", RAISED, "OSError|File too large"),
    "stderr flooded": in_a_method("import sys\nwhile True: sys.stderr.write('y' * 10_000)", RAISED, "OSError"),
    "the descriptor of stdout flooded": in_a_method(
        "import os\nwhile True: os.write(1, bytes(1 << 16))", RAISED, "OSError"
    ),
}

PROCESSES = {
    "fork": refused("import os\nos.fork()"),
    "fork bomb": refused("import os\nwhile True: os.fork()"),
    "forkpty": refused("import os\nos.forkpty()"),
    "subprocess": refused(f"import subprocess\nsubprocess.run(['sleep', '{MARK}'])"),
    "system": refused(f"import os\nif os.system('sleep {MARK} &'): raise PermissionError('refused')"),
    "posix_spawn": refused(f"import os\nos.posix_spawn('/bin/sleep', ['sleep', '{MARK}'], {{}})"),
    "exec": refused(f"import os\nos.execv('/bin/sleep', ['sleep', '{MARK}'])"),
    "multiprocessing": refused("import multiprocessing\nmultiprocessing.Process(target=print).start()"),
    "a process pool": refused(
        "from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor(2).submit(abs, 1).result(1)",
        f"{DENIED}|Broken|Error",
    ),
    "kill the parent": refused("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"),
    "kill the judge": refused("import os, signal\nos.kill(<judge>, signal.SIGKILL)"),
    "kill the group": refused("import os, signal\nos.kill(0, signal.SIGKILL)"),
    "kill everybody": refused("import os, signal\nos.kill(-1, signal.SIGKILL)"),
    "killpg": refused("import os, signal\nos.killpg(os.getpgid(os.getppid()), signal.SIGKILL)"),
    "TCP": refused("import socket\nsocket.create_connection(('127.0.0.1', 9))"),
    "UDP": refused("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"),
    "Unix socket": refused("import socket\nsocket.socket(socket.AF_UNIX).bind('s')"),
    "socketpair": refused("import socket\nsocket.socketpair()"),
    "the web": refused("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')", f"{DENIED}|URLError"),
    "asyncio": refused("import asyncio\nasyncio.run(asyncio.sleep(0))"),
}

FILES = {
    "delete the workspace": refused("import shutil\nshutil.rmtree('<canary>')"),
    "delete a file": refused("import os\nos.remove('<canary>/workspace/mine/grad/value.py')"),
    "overwrite a file": refused("open('<canary>/workspace/groundup.toml', 'w').write('gone')"),
    "append to a file": refused("open('<canary>/.bashrc', 'a').write('gone')"),
    "truncate a file": refused("import os\nos.truncate('<canary>/.bashrc', 0)"),
    "make a file": refused("from pathlib import Path\nPath('<canary>/new').touch()"),
    "make a folder": refused("import os\nos.makedirs('<canary>/a/b')"),
    "rename": refused("import os\nos.rename('<canary>/workspace', '<canary>/elsewhere')"),
    "symbolic link out": refused("import os\nos.symlink('<canary>/.bashrc', 'link'); open('link', 'a').write('x')"),
    "hard link out": refused("import os\nos.link('<canary>/.bashrc', 'link'); open('link', 'a').write('x')"),
    "file through NumPy": refused("import numpy as np\nnp.zeros(3).tofile('<canary>/new')"),
    "memory map": refused("import numpy as np\nnp.memmap('<canary>/.bashrc', mode='r+')"),
    "read a key": refused("raise RuntimeError('LEAKED ' + open('<canary>/.ssh/id_ed25519').read())"),
    "read /etc/passwd": refused("raise RuntimeError('LEAKED ' + open('/etc/passwd').read())"),
    "read through NumPy": refused(
        'import numpy as np\nraise RuntimeError(f\'LEAKED {np.fromfile("/etc/passwd", "u1")}\')'
    ),
    "read the checks": refused("raise RuntimeError('LEAKED ' + open('<lesson>/checks.py').read())"),
    "read the reference": refused("raise RuntimeError('LEAKED ' + open('<groundup>/grad/value.py').read())"),
    "read the reference, compiled": refused(
        "import glob, importlib.util\nf = importlib.util.cache_from_source('<groundup>/grad/value.py')\n"
        "raise RuntimeError(f'LEAKED {open(f, \"rb\").read()}')",
        f"{DENIED}|FileNotFoundError",
    ),
    "list other sandboxes": refused("import os\nraise RuntimeError(f'LEAKED {os.listdir(\"..\")}')"),
    "list the processes": refused("import os\nraise RuntimeError(f'LEAKED {os.listdir(\"/proc\")}')"),
    "memory of the parent": refused("import os\nopen(f'/proc/{os.getppid()}/mem', 'rb').read(1)"),
    "environment of the parent": refused("import os\nopen(f'/proc/{os.getppid()}/environ', 'rb').read()"),
    "memory of the judge": refused("open('/proc/<judge>/mem', 'r+b')"),
    "descriptors of the parent": refused("import os\nos.listdir(f'/proc/{os.getppid()}/fd')"),
    "the environment": refused("import os\nraise PermissionError(f'{sorted(os.environ)}'.replace('SECRET', 'LEAKED'))"),
}

EXITS = {
    "_exit at import": at_import("import os\nos._exit(0)", CRASHED, "ended the process .exit status 0"),
    "_exit in a method": in_a_method("import os\nos._exit(0)", CRASHED, "Your code ended the process"),
    "exit at import": at_import("import sys\nsys.exit(0)", IMPORT, "SystemExit: 0"),
    "exit in a method": in_a_method("import sys\nsys.exit(0)", RAISED, "SystemExit: 0"),
    "KeyboardInterrupt": in_a_method("raise KeyboardInterrupt", RAISED, "KeyboardInterrupt"),
    "GeneratorExit": in_a_method("raise GeneratorExit", RAISED, "GeneratorExit"),
    "StopIteration": in_a_method("raise StopIteration", RAISED, "StopIteration"),
    "a BaseException": in_a_method("class Mine(BaseException): pass\nraise Mine('so')", RAISED, "Mine: so"),
    "abort": in_a_method("import os\nos.abort()", CRASHED, "SIGABRT"),
    "segmentation fault": in_a_method(
        "import ctypes\nctypes.string_at(0)", (CRASHED, RAISED), "SIGSEGV|does not allow|PermissionError"
    ),
    "faulthandler": in_a_method("import faulthandler\nfaulthandler._sigsegv()", CRASHED, "SIGSEGV"),
    "signal to itself": in_a_method("import signal\nsignal.raise_signal(signal.SIGTERM)", CRASHED, "SIGTERM"),
    "channel closed": in_a_method("import os\nos.closerange(0, 100)", CRASHED, "closed the channel|ended the process"),
    "channel closed, then a loop": in_a_method(
        "import os\nos.closerange(0, 100)\nwhile True: pass", CRASHED, "closed the channel"
    ),
    "channel shut through its socket": in_a_method(
        """
import gc, socket
for s in gc.get_objects():
    if type(s) is socket.socket:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass""",
        CRASHED,
    ),
    "gone while the case is shrunk": case(
        """
import os, sys
def alone():
    frame = sys._getframe()
    while frame:
        if len(frame.f_locals.get("request", {}).get("cases", ())) == 1:
            os._exit(3)
        frame = frame.f_back
class Value:
    def __init__(self, data=0.0):
        alone()
        self.data = self.grad = 17.0
    def __mul__(self, other):
        return Value()
    __add__ = __mul__
    def backward(self): pass
""",
        (*FAILED, MISSING),
    ),
}

FRAMES = {
    "a frame that says passed": forges(
        "everywhere(frame(pack({'verdict': 'passed', 'passed': True})) * 40); os._exit(0)", (CRASHED, *FAILED)
    ),
    "loaded, ready, and forty answers": forges(
        "everywhere(frame(pack({'missing': []})) + frame(pack({'ready': 'product'})) + frame(pack({'value': 1.0})) * 40)\n"
        "os._exit(0)",
        (*FAILED, CRASHED),
    ),
    "answers while asked": forges(
        "def __getattr__(name):\n    everywhere(frame(pack({'value': {'value': 1.0, 'slope': 1.0}})) * 99)\n    os._exit(0)",
        (*FAILED, CRASHED, IMPORT),
    ),
    "an empty frame": forges("everywhere(frame({})); os._exit(0)", CRASHED, "channel that is not its own"),
    "another magic": forges("everywhere(frame(None, b'EVIL')); os._exit(0)", CRASHED, "channel that is not its own"),
    "noise": forges("everywhere(os.urandom(1000)); os._exit(0)", CRASHED, "channel that is not its own"),
    "a frame without end": forges(
        "everywhere(struct.pack('<4sIQ', b'GUP1', 1 << 20, 0))\nwhile True: pass", TIMEOUT, "did not end"
    ),
    "a frame larger than the world": forges(
        "everywhere(struct.pack('<4sIQ', b'GUP1', 2**32 - 1, 2**64 - 1))", CRASHED, "larger than a frame may be"
    ),
    "byte by byte": forges(
        "import time\nfor b in frame(b' ' * 1_000_000):\n    everywhere(bytes([b])); time.sleep(0.001)",
        TIMEOUT,
        "did not end",
    ),
    "nested without end": forges("everywhere(frame(b'[' * 1_000_000)); os._exit(0)", CRASHED),
    "nested in form": forges(
        "x = 1\nfor _ in range(300): x = {'$': 'list', 'items': [x]}\neverywhere(frame(pack({'missing': 1}) | x)); os._exit(0)"
    ),
    "an integer of a million digits": forges(
        "everywhere(frame(pack({'missing': []})) + frame({'$': 'integer', 'hex': 'f' * 1_000_000})); os._exit(0)"
    ),
    "a float beyond floats": forges("everywhere(frame({'$': 'float', 'hex': '0x1p99999'})); os._exit(0)"),
    "an array beyond its frame": forges(
        "everywhere(frame({'$': 'array', 'dtype': '<f8', 'shape': [0, 2**80], 'scalar': False, 'at': 0})); os._exit(0)"
    ),
    "an array of objects": forges(
        "everywhere(frame({'$': 'array', 'dtype': '|O8', 'shape': [1], 'scalar': False, 'at': 0})); os._exit(0)"
    ),
    "keys that collide": forges(
        "items = [[{'$': 'integer', 'hex': hex(k * (2**61 - 1))}, 0] for k in range(60_000)]\n"
        "everywhere(frame({'$': 'dict', 'items': items})); os._exit(0)"
    ),
    "an exception that is a text": forges("everywhere(frame(pack({'raised': 'passed'}))); os._exit(0)"),
    "an exception without a form": forges(
        "everywhere(frame(pack({'raised': {'type': 1, 'message': [], 'frames': 7}}))); os._exit(0)"
    ),
    "a traceback of another file": forges(
        "raised = {'type': 'X', 'message': 'so', 'frames': [['\\x1b[2J/etc/passwd', 10**9, 'f']]}\n"
        "everywhere(frame(pack({'raised': raised}))); os._exit(0)",
        (IMPORT, CRASHED),
    ),
    "what is missing is a number": forges("everywhere(frame(pack({'missing': 7}))); os._exit(0)"),
    "what changed is a number": forges(
        "everywhere(frame(pack({'missing': []})) + frame(pack({'value': 1, 'mutated': 7})) * 40); os._exit(0)"
    ),
}

VALUES = {
    "NaN everywhere": answers("def answer(): return float('nan')", NOT_FINITE, "nan where"),
    "infinity": answers("def answer(): return float('inf')", NOT_FINITE, "inf where"),
    "equal to everything": answers(
        """
class Any:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __ne__ = lambda *_: False
    __rsub__ = __abs__ = __sub__
    __hash__ = lambda self: 0
def answer(): return Any()""",
        SHAPE,
        "Any",
    ),
    "a float that lies": answers(
        """
class Liar(float):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda *_: True
    __hash__ = float.__hash__
    __sub__ = __rsub__ = lambda *_: 0.0
def answer(): return Liar(1.0)""",
        SHAPE,
        "Liar",
    ),
    "a NumPy float that lies": answers(
        """
import numpy as np
class Liar(np.float64):
    __eq__ = __le__ = __lt__ = lambda *_: True
    __hash__ = np.float64.__hash__
    __sub__ = __rsub__ = lambda *_: 0.0
def answer(): return Liar(17.0)"""
    ),
    "an array that lies": answers(
        """
import numpy as np
class Liar(np.ndarray):
    def __array_ufunc__(self, *_, **__): return np.True_
    def __array_function__(self, *_, **__): return True
    def __array_finalize__(self, parent): pass
    __eq__ = lambda *_: True
    shape = property(lambda self: ())
    dtype = property(lambda self: np.dtype("f8"))
def answer(): return np.full(3, 17.0).view(Liar)"""
    ),
    "an array that fights": answers(
        """
import numpy as np
class Fights(np.ndarray):
    dtype = property(lambda self: 1 / 0)
def answer(): return np.array([object()]).view(Fights)""",
        (*FAILED, RAISED),
    ),
    "__array__ without end": answers(
        """
class Strange:
    def __array__(self, *_, **__):
        while True: pass
    __array_interface__ = property(__array__)
def answer(): return Strange()""",
        SHAPE,
        "Strange",
    ),
    "a type that fights": answers(
        """
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError("no")
class Strange(metaclass=Meta): pass
def answer(): return Strange()""",
        (RAISED, SHAPE),
    ),
    "a scalar for an array": answers(
        "import numpy as np\ndef answer(): return np.broadcast_to(1.0, (2, 2))", SHAPE, "shape"
    ),
    "eight gigabytes that take none": answers(
        "import numpy as np\ndef answer(): return np.broadcast_to(1.0, (10**9,))", MEMORY, "larger than 64 MiB"
    ),
    "eight hundred megabytes of zeros": answers("import numpy as np\ndef answer(): return np.zeros(10**8)", MEMORY),
    "many arrays": answers(
        "import numpy as np\nx = np.zeros(10**6)\ndef answer(): return [x] * 1000", (MEMORY, TIMEOUT)
    ),
    "a list in itself": answers("x = []\nx.append(x)\ndef answer(): return x", MEMORY, "nested more than"),
    "lists of lists of lists": answers(
        "x = 0\nfor _ in range(60): x = [x, x]\ndef answer(): return x", (TIMEOUT, MEMORY)
    ),
    "deep": answers("x = 0\nfor _ in range(100_000): x = [x]\ndef answer(): return x", MEMORY, "nested more than"),
    "a generator": answers("def answer():\n    yield 1", SHAPE, "generator"),
    "a lambda": answers("def answer(): return lambda: 1", SHAPE, "function"),
    "a huge integer": answers("def answer(): return 10**100_000", SHAPE, "int of 332193 bits"),
    "an integer beyond 64 bits": answers("def answer(): return 10**1000", FAILED),
    "a huge text": answers("x = 'x' * 10**8\ndef answer(): return x", MEMORY, "16 MiB"),
    "a large text": answers("def answer(): return 'x' * 10**6", SHAPE),
    "half a surrogate pair": answers("def answer(): return '\\ud800'", SHAPE),
    "a large dictionary": answers("def answer(): return {i: i for i in range(50_000)}", SHAPE),
    "keys of every kind": answers(
        "def answer(): return {(1, 'a', None): 1, b'x': 2, frozenset(): 3, float('nan'): 4}", SHAPE
    ),
    "None": answers("def answer(): return None", SHAPE, "None"),
    "a text that reads like a number": answers("def answer(): return '1.0'", SHAPE),
    "an array of objects": answers("import numpy as np\ndef answer(): return np.array([object()])", SHAPE),
    "ragged": answers("def answer(): return [[1.0], [1.0, 2.0], 'x', {}]", SHAPE),
    "long double": answers("import numpy as np\ndef answer(): return np.longdouble(17)", FAILED),
    "its input, turned into itself": in_a_method(
        """
import sys
frame = sys._getframe()
while frame:
    for x in list(frame.f_locals.values()):
        if isinstance(x, list):
            x.append(x)
    frame = frame.f_back""",
        (Verdict.MUTATED_INPUT, RAISED, CRASHED, TIMEOUT, MEMORY),
    ),
}

FRESH = "import _imp\nfrom importlib.machinery import ModuleSpec as S\nm = _imp.create_builtin(S('{0}', None)); _imp.exec_builtin(m)\n"
# Ways around an interpreter's own refusals, which only a kernel can close: see `sandbox.guard`.
PAST_THE_INTERPRETER = {
    "SQLite, attached": refused(
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute(\"ATTACH '<canary>/a.db' AS x\"); c.execute('CREATE TABLE x.t(a)')",
        "OperationalError: unable to open",
    ),
    "SQLite, vacuumed": refused(
        "import sqlite3\nsqlite3.connect(':memory:').execute(\"VACUUM INTO '<canary>/v.db'\")",
        "OperationalError: unable to open",
    ),
    "a fresh posix": refused(FRESH.format("posix") + "m.mkfifo('<canary>/pipe')"),
    "a fork of a fresh posix": refused(FRESH.format("posix") + "m.fork()"),
    "a fork by the C library": refused(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nif libc.fork() < 0: raise OSError(ctypes.get_errno(), 'fork')"
    ),
    "a file by the C library": refused(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.creat(b'<canary>/c', 0o600) < 0: raise OSError(ctypes.get_errno(), 'creat')"
    ),
    "a signal by the C library": refused(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.kill(<judge>, 9) < 0: raise OSError(ctypes.get_errno(), 'kill')"
    ),
}

FILES_OF_ODD_FORM = {
    "fifty megabytes": case(b"x = 1\n" * (50 << 20 >> 6), IMPORT, "KiB; a file of a lesson has at most"),
    "just too large": case(b"#" * (FILE_CAP + 1), IMPORT, "KiB"),
    "a syntax error": case("def f(:\n    pass", IMPORT, "SyntaxError"),
    "a half-written line": case(REFERENCE + "\n\nx = (1,\n", IMPORT, "SyntaxError: '.' was never closed"),
    "latin-1 without a word": case("# \xe9\n".encode("latin-1"), IMPORT, "save it as UTF-8"),
    "an unknown encoding": case("# coding: klingon\n", IMPORT, "save it as UTF-8"),
    "an encoding that is none": case("# coding: rot13\n", IMPORT, "save it as UTF-8"),
    "an encoding that takes the square": case(
        b"# coding: punycode\n" + b"a" * 99_999 + b"-" + b"99ab" * 30_000, IMPORT, "UTF-8"
    ),
    "escapes as an encoding": case("# coding: unicode_escape\nx = '\\ud800'\n", IMPORT),
    "UTF-16": case(REFERENCE.encode("utf-16"), IMPORT, "null byte|UTF-8"),
    "a null byte": case(REFERENCE.encode() + b"\n\n# \0\n", IMPORT, "null byte"),
    "tabs and spaces": case("if True:\n        x = 1\n\ty = 2\n", IMPORT, "TabError"),
    "nested parentheses": case("x = " + "(" * 50_000 + ")" * 50_000, IMPORT, "too many nested"),
    "nested operators": case("x = " + "-" * 100_000 + "1", IMPORT, "Python cannot parse"),
    "a long sum": case("x = " + "+".join(["1"] * 50_000), IMPORT, "Python cannot parse|Recursion|recursion"),
    "a long chain of elif": case("if x: pass\n" + "elif x: pass\n" * 15_000, IMPORT, "Python cannot parse"),
    "nested lambdas": case("x = " + "lambda: " * 30_000 + "1", IMPORT, "Python cannot parse"),
    "nothing": case("", (MISSING, RAISED, IMPORT), "not there yet"),
    "a zero-width space": case("x\u200b = 1\n", IMPORT, "SyntaxError"),
}

CHEATS = {
    "import groundup": at_import("import groundup.grad.value", FORBIDDEN, "the reference itself"),
    "from groundup": case("from groundup.grad.value import Value\n", FORBIDDEN, "the reference itself"),
    "from groundup, all": case("from groundup.grad.value import *\n", FORBIDDEN, "the reference itself"),
    "as another name": case("import groundup.grad.value as v\nValue = v.Value\n", FORBIDDEN, "the reference itself"),
    "in a function": in_a_method("import groundup.grad.value", FORBIDDEN, "the reference itself"),
    "importlib": case(
        "import importlib\nValue = importlib.import_module('groundup.grad.value').Value", FORBIDDEN, "does not allow"
    ),
    "__import__": case(
        "Value = __import__('groundup.grad.value', fromlist=['x']).Value\n", FORBIDDEN, "does not allow"
    ),
    "exec": case("exec('from ground' + 'up.grad.value import Value')\n", FORBIDDEN, "does not allow"),
    "without the gate": case(
        "import sys\nsys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != 'Gate']\n"
        "sys.path.insert(0, '<above>')\nValue = __import__('groundup.grad.value', fromlist=['x']).Value\n",
        (IMPORT, FORBIDDEN, MISSING),
        f"{DENIED}|No module",
    ),
    "a loader of its own": case(
        "from importlib.machinery import SourceFileLoader\n"
        "Value = SourceFileLoader('reference', '<groundup>/grad/value.py').load_module().Value\n",
        IMPORT,
        DENIED,
    ),
    "runpy": case("import runpy\nValue = runpy.run_path('<groundup>/grad/value.py')['Value']\n", IMPORT, DENIED),
    "linecache": case(
        "import linecache\nlines = linecache.getlines('<groundup>/grad/value.py')\nexec(''.join(lines))\nValue\n",
        (IMPORT, MISSING),
        "Value",
    ),
    "itself, from mine": case("from mine.grad.value import Value\n", (IMPORT, MISSING), "Value"),
    "itself, relatively": case("from . import value\nValue = value.Value\n", (IMPORT, MISSING), "Value"),
    "itself, in capitals": case("from .VALUE import Value\n", (IMPORT, MISSING), "VALUE"),
    "a later lesson's file": at_import("from .tensor import Tensor", IMPORT, "No module named 'mine.grad.tensor'"),
    "a later lesson's file, from mine": at_import(
        "import mine.grad.tensor", IMPORT, "No module named 'mine.grad.tensor'"
    ),
    "the judge's own files": at_import(
        "from ..course.judging import judge", IMPORT, "No module|cannot import|not there yet"
    ),
    "another library": case("import torch\n", FORBIDDEN, "this lesson does without `torch`"),
    "another library, late": in_a_method("__import__('torch')", FORBIDDEN, "does not allow"),
    "sys.modules": cheats(
        "import sys\nfor name, module in list(sys.modules.items()):\n    if hasattr(module, 'Value') and 'value' in name:\n"
        "        Reference = module.Value\n        raise RuntimeError('LEAKED')"
    ),
    "what the collector knows": cheats(
        """
import gc
for x in gc.get_objects():
    if type(x) is dict and ("_slopes" in x or "slopes" in x or "truths" in x):
        raise RuntimeError("LEAKED")
    if type(x) is str and ("_topological" + "_order" in x or "poly" + "val" in x):
        raise RuntimeError("LEAKED")
    if getattr(x, "__name__", "") in ("_topological" + "_order", "groundup.course.judging.judge"):
        raise RuntimeError("LEAKED")"""
    ),
    "what the frames know": in_a_method(
        """
import sys
frame = sys._getframe()
while frame:
    for name, x in list(frame.f_locals.items()):
        if "slopes" in repr(x)[:10_000] or "polyval" in repr(x)[:10_000]:
            raise RuntimeError("LEAKED")
    frame = frame.f_back""",
        FAILED,
    ),
    "what the probe closes over": cheats(
        """
import gc, types
for f in gc.get_objects():
    if isinstance(f, types.FunctionType) and f.__module__ == "probe_polynomial":
        text = repr(f.__closure__) + repr(sorted(f.__globals__))
        if "oracle" in text or "checkpoint" in text:
            raise RuntimeError("LEAKED")"""
    ),
    "patched allclose": cheats("import numpy as np\nnp.allclose = np.array_equal = np.isclose = lambda *_, **__: True"),
    "patched asarray": cheats(
        "import numpy as np\nnp.asarray = np.array = np.ascontiguousarray = lambda *_, **__: 1 / 0"
    ),
    "patched sandbox": cheats(
        """
import gc, types
for m in gc.get_objects():
    if isinstance(m, types.ModuleType) and m.__name__.startswith("groundup"):
        for name in list(vars(m)):
            if not name.startswith("__"):
                setattr(m, name, lambda *_, **__: {"verdict": "passed", "passed": True})""",
        (CRASHED, *FAILED, RAISED, IMPORT),
    ),
    "patched encoder": cheats(
        """
import gc, types
for m in gc.get_objects():
    if isinstance(m, types.ModuleType) and m.__name__.endswith("sandbox.frames"):
        m.encode = lambda message: b"passed" """,
        (TIMEOUT, CRASHED, *FAILED),
    ),
    "patched json and struct": cheats(
        "import json, struct, time\njson.dumps = lambda *_, **__: '{\"passed\": true}'\n"
        "struct.pack = None\ntime.perf_counter = lambda: 1 / 0",
        (CRASHED, RAISED, *FAILED),
    ),
    "an audit hook that refuses all": cheats(
        "import sys\ndef hook(*_): raise RuntimeError('no')\nsys.addaudithook(hook)", (RAISED, CRASHED, IMPORT, *FAILED)
    ),
    "a profile that raises": cheats(
        "import sys\ndef profile(*_): raise RuntimeError('no')\nsys.setprofile(profile)",
        (RAISED, CRASHED, IMPORT, *FAILED),
    ),
    "builtins replaced": cheats(
        "import builtins\nbuiltins.isinstance = lambda *_: True\nbuiltins.len = lambda *_: 0\n"
        "builtins.sum = builtins.float = builtins.type = builtins.dict = lambda *_: 0",
        (CRASHED, RAISED, IMPORT, *FAILED),
    ),
    "builtins gone": cheats(
        "import builtins\nfor name in list(vars(builtins)):\n    if not name.startswith('__'): delattr(builtins, name)",
        (CRASHED, RAISED, IMPORT),
    ),
    "no builtins of its own": case(f"del __builtins__\n{WRONG}", (*FAILED, IMPORT, RAISED)),
    "modules gone": cheats("import sys\nsys.modules.clear()", (CRASHED, RAISED, IMPORT, *FAILED)),
    "no collection": cheats("import gc\ngc.disable(); gc.freeze()"),
    "a daemon that rewrites": cheats(
        """
import gc, threading, time
def rewrite():
    while True:
        for x in gc.get_objects():
            if type(x) is dict and "mutated" in x and "value" in x:
                x["value"], x["passed"] = True, True
        time.sleep(0.001)
threading.Thread(target=rewrite, daemon=True).start()""",
        (*FAILED, CRASHED, RAISED, TIMEOUT),
    ),
    "a metaclass": case(
        """
class Meta(type):
    def __call__(cls, *_): return cls
    def __getattr__(cls, name): return cls
    __mul__ = __add__ = lambda cls, other: cls
    __eq__ = lambda *_: True
    __hash__ = lambda cls: 0
class Value(metaclass=Meta):
    data = grad = 17.0
    def backward(*_): pass
""",
        FAILED,
    ),
    "deep recursion": in_a_method("def f(): return f()\nf()", RAISED, "RecursionError"),
    "deeper recursion": in_a_method(
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()", (CRASHED, MEMORY, TIMEOUT, RAISED)
    ),
    "recursion in C": in_a_method(
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**5): x = [x]\nrepr(x)",
        (TIMEOUT, CRASHED, MEMORY, RAISED),
    ),
    "recursion in pickle": in_a_method(
        "import pickle\nx = []\nfor _ in range(10**5): x = [x]\npickle.dumps(x)", (RAISED, CRASHED), "Recursion|SIGSEGV"
    ),
    "a thread with a small stack": in_a_method(
        """
import sys, threading
sys.setrecursionlimit(10**6)
threading.stack_size(1 << 15)
def f(n): return sorted([n], key=lambda n: f(n + 1))
t = threading.Thread(target=f, args=(0,)); t.start(); t.join()""",
        (CRASHED, RAISED, *FAILED),
    ),
}

MESSAGES = {
    "a message of a hundred megabytes": in_a_method("raise ValueError('x' * 10**8)", (RAISED, MEMORY, TIMEOUT)),
    "a message that raises": in_a_method(
        "class Mute(Exception):\n    def __str__(self): raise self\nraise Mute", RAISED, "cannot be printed"
    ),
    "a message that is no text": in_a_method(
        """
class Text(str):
    def __getitem__(self, key): return 7
class Odd(Exception):
    def __str__(self): return Text("odd")
raise Odd""",
        (RAISED, CRASHED),
    ),
    "an exception that calls itself missing": in_a_method(
        """
class Sly(Exception):
    __class__ = property(lambda self: NotImplementedError)
raise Sly("not written")""",
        RAISED,
        "Sly: not written",
    ),
    "an exception whose type fights": in_a_method(
        """
class Meta(type):
    __mro__ = property(lambda cls: 1 / 0)
    __name__ = property(lambda cls: 1 / 0)
class Odd(Exception, metaclass=Meta): pass
raise Odd""",
        (RAISED, CRASHED),
    ),
    "escape codes": in_a_method(
        r"raise ValueError('\x1b[2J\x1b]0;owned\x07\x9b31m \u202e \r passed')", RAISED, "ValueError"
    ),
    "escape codes printed": in_a_method(r"print('\x1b[2J\x1b]0;owned\x07 \u202e \r passed'); raise ValueError", RAISED),
    "half a surrogate pair in a message": in_a_method(r"raise ValueError('\ud800')", RAISED, "ValueError"),
    "half a surrogate pair printed": in_a_method(r"print('\ud800'); raise ValueError", RAISED, "ValueError"),
    "bytes that are no text printed": in_a_method(
        r"import os; os.write(1, bytes(range(256))); raise ValueError", RAISED
    ),
    "a group of exceptions": in_a_method(
        "raise BaseExceptionGroup('many', [ValueError(1), SystemExit(2)])"
        if sys.version_info >= (3, 11)
        else "raise ValueError('many')",
        RAISED,
        "many",
    ),
    "a chain of a thousand causes": in_a_method(
        "e = ValueError('last')\nfor i in range(1000):\n    f = ValueError(i); f.__cause__ = e; e = f\nraise e",
        RAISED,
        "999",
    ),
    "a name from another file": case(
        "exec(compile('def f(): raise ValueError(1)', '/etc/passwd', 'exec'))\ndef attack(): f()\n" + STRIKES,
        RAISED,
        "ValueError",
    ),
}

KINDS = ["zygote", "spawn"] if sys.platform == "linux" else ["spawn"]
# What a process does meets each kind of sandbox in another way; what it says is read by the same code for all.
DEEDS = {**LOOPS, **MEMORY_AND_DISK, **PROCESSES, **FILES, **EXITS, **FRAMES, **CHEATS}
WORDS = {**VALUES, **FILES_OF_ODD_FORM, **MESSAGES}
KERNEL = sys.platform == "linux" and layers.available()["files"] == layers.available()["system calls"] == "at work"

HONEST = {
    "as it is": REFERENCE,
    "with a byte-order mark": "\ufeff" + REFERENCE,
    "with Windows line ends": REFERENCE.replace("\n", "\r\n"),
    "with old Macintosh line ends": REFERENCE.replace("\n", "\r"),
    "in latin-1, and saying so": f"# coding: latin-1\nNAME = 'caf\xe9'\n{REFERENCE}".encode("latin-1"),
    "with a form feed": "\f\n" + REFERENCE,
    "without a last newline": REFERENCE.rstrip(),
    "printing": REFERENCE + "\nprint('\xe9' * 10_000)\n",
    "printing to the descriptor": REFERENCE + "\nimport os\nos.write(2, b'z' * 10_000)\n",
    "with a thread at work": REFERENCE
    + "\nimport threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\n",
    "with a file of its own": REFERENCE
    + "\nwith open('notes', 'w') as f: f.write('x')\nassert open('notes').read() == 'x'\n",
    "with a wider recursion limit": REFERENCE + "\nimport sys\nsys.setrecursionlimit(100_000)\n",
    "with its exceptions printed": REFERENCE
    + "\nimport traceback\ntry: 1 / 0\nexcept ZeroDivisionError: traceback.print_exc()\n",
}


@pytest.fixture(scope="module")
def grounds(tmp_path_factory):
    """A home folder, a lesson, and a temporary folder, all of this module's own."""
    root = tmp_path_factory.mktemp("hostile")
    home, lesson, temporary = root / "home", root / "lessons" / "01-gradients" / "03-engine", root / "tmp"
    files = {".ssh/id_ed25519": "private", ".bashrc": "set -u", "workspace/groundup.toml": "x = 1"}
    files |= {"workspace/mine/grad/value.py": REFERENCE}
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    lesson.mkdir(parents=True)
    for name, text in {"lesson.md": PAGE, "checks.py": CHECKS, "faults.toml": FAULTS}.items():
        (lesson / name).write_text(text)
    temporary.mkdir()
    return root


@pytest.fixture(scope="module", params=KINDS)
def court(request, grounds):
    """A judge on one kind of sandbox, with the small lesson."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDUP_SANDBOX", request.param)
        patch.setenv("GROUNDUP_SECRET", "not to be seen")
        patch.setattr(tempfile, "tempdir", str(grounds / "tmp"))
        patch.setattr(hearing_module, "LOAD_SECONDS", LOADING)
        lesson = load(grounds / "lessons" / "01-gradients" / "03-engine")
        with Judge() as judge:
            assert judge.sandbox().kind == request.param
            judge.prepare(lesson, seed=1)
            yield judge, lesson
            kept = expected_to_live(judge)
        assert os.listdir(grounds / "tmp") == []
        assert not started() & kept


def filled_in(source, grounds):
    if isinstance(source, bytes):
        return source
    folder = Path(groundup.__file__).parent
    places = {"canary": grounds / "home", "lesson": next(grounds.glob("lessons/*/*")), "judge": os.getpid()}
    for name, value in {**places, "groundup": folder, "above": folder.parent}.items():
        source = source.replace(f"<{name}>", str(value))
    return source.encode()


def state_of(folder):
    """Every path below, with its mode, time and content."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_nlink, content)
    return found


def started():
    """The living processes, and the dead ones nobody has waited for, that this test's judge or a submission started."""
    ours, dead = set(), {}
    for entry in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has ended meanwhile
        if MARK in words or (len(words) > 4 and words[-5] in ("zygote", "worker") and words[-3] == str(os.getpid())):
            ours.add(int(entry.name))
        elif state == "Z":
            dead[int(entry.name)] = int(parent)
    return ours | {pid for pid, parent in dead.items() if parent in ours}


def expected_to_live(judge):
    """What a warm judge keeps: its zygote or its reserve, and the child that runs the faults."""
    sandbox = judge.sandbox()
    children = [d._child for d in judge._diagnosticians.values()]
    processes = [sandbox._zygote, sandbox._reserve, *(child._process for child in children if child is not None)]
    return {process.pid for process in processes if process is not None}


def scratch_of_the_living(judge):
    return {Path(d._child._scratch).name for d in judge._diagnosticians.values() if d._child is not None}


def check(court, source):
    judge, lesson = court
    return judge.check(lesson, Submission({"grad/value.py": source}))


def assert_told_clearly(verdict, lesson):
    """JSON that a strict reader takes, of a size to be shown, and a text that cannot steer the terminal."""
    text = json.dumps(verdict.as_json(), allow_nan=False)
    text.encode()
    json.dumps(verdict.as_json(), allow_nan=False, ensure_ascii=False).encode()
    assert len(text) < 1_000_000
    shown = verdict_text(verdict.as_json(), lesson.title, full=True)
    assert not [ch for ch in shown if unicodedata.category(ch) in ("Cc", "Cf", "Cs") and ch not in "\n\t"]
    assert len(shown) < 20_000
    for checkpoint in verdict.checkpoints:
        assert checkpoint.passed or 4 < len(checkpoint.says) < 3000, checkpoint.says
        assert checkpoint.file in (None, "mine/grad/value.py")
        assert checkpoint.line is None or 0 < checkpoint.line < 10**6


@pytest.mark.timeout(60)
@pytest.mark.parametrize("court", KINDS[:1], indirect=True, scope="module")
@pytest.mark.parametrize("name", DEEDS)
def test_what_a_hostile_submission_does_stays_in_its_sandbox(name, court, grounds):
    assert_judged_and_contained(DEEDS[name], court, grounds)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("court", KINDS[1:], indirect=True, scope="module")
@pytest.mark.parametrize("name", some(DEEDS, lambda name: list(DEEDS).index(name) % 12 == 0))
def test_what_it_does_stays_in_a_spawned_one_too(name, court, grounds):
    assert_judged_and_contained(DEEDS[name], court, grounds)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("court", KINDS[:1], indirect=True, scope="module")
@pytest.mark.parametrize("name", WORDS)
def test_what_a_hostile_submission_says_is_read_as_mere_data(name, court, grounds):
    assert_judged_and_contained(WORDS[name], court, grounds)


@pytest.mark.skipif(not KERNEL, reason="the kernel here has no Landlock, or no seccomp filters")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("court", KINDS[:1], indirect=True, scope="module")
@pytest.mark.parametrize("name", PAST_THE_INTERPRETER)
def test_the_kernel_refuses_what_the_interpreter_cannot(name, court, grounds):
    assert_judged_and_contained(PAST_THE_INTERPRETER[name], court, grounds)


def assert_judged_and_contained(hostile, court, grounds):
    """A clear verdict that is no pass, nothing changed, nothing left running, and the reference passes next."""
    judge, lesson = court
    before = state_of(grounds / "home"), state_of(grounds / "lessons")
    running = started()  # other tests of this process may have a judge of their own
    verdict = check(court, filled_in(hostile.source, grounds))
    told = [(c.verdict.value, c.says) for c in verdict.checkpoints]
    assert not verdict.passed
    failed = next(c for c in verdict.checkpoints if not c.passed)
    assert failed.verdict in hostile.verdicts, told
    assert re.search(hostile.says, failed.says), told
    assert "LEAKED" not in str(told) + verdict.printed
    assert_told_clearly(verdict, lesson)
    assert (state_of(grounds / "home"), state_of(grounds / "lessons")) == before
    assert started() - running <= expected_to_live(judge)
    (folder,) = (grounds / "tmp").iterdir()
    living = {f for f in os.listdir(folder) if judge.sandbox().kind == "spawn" or f in scratch_of_the_living(judge)}
    assert set(os.listdir(folder)) <= living
    assert check(court, REFERENCE.encode()).passed


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_submission_passes_whatever_its_form(name, court):
    source = HONEST[name]
    verdict = check(court, source if isinstance(source, bytes) else source.encode())
    assert verdict.passed, [(c.verdict, c.says) for c in verdict.checkpoints]
    assert_told_clearly(verdict, court[1])


def test_what_is_printed_is_shown_up_to_a_cap(court):
    verdict = check(court, f"{REFERENCE}\nprint('first')\nprint('x' * 10_000)".encode())
    assert verdict.printed.startswith("first\nxxx")
    assert len(verdict.printed) <= 4000


def test_what_was_printed_before_a_crash_is_shown(court):
    verdict = check(court, f"print('so far')\ndef attack():\n    import os; os.abort()\n{STRIKES}".encode())
    assert verdict.printed == "so far\n"


def test_a_mistake_is_still_named_after_all_this(court):
    overwritten = REFERENCE.replace("operand.grad += slope * value.grad", "operand.grad = slope * value.grad")
    verdict = check(court, overwritten.encode())
    assert verdict.checkpoints[0].fault == "gradient overwritten"
