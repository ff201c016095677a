"""Cells run in a process of their own: what they give, and what becomes of those that mean harm.

Everything here goes through a real kernel. What a hostile cell does ends in one clear sentence, and the next cell runs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from groundup.course.lessons.blocks import _trimmed
from groundup.course.lessons.lesson import find
from groundup.course.sandbox import frames
from groundup.desk.cells import kernel as kernel_module
from groundup.desk.cells import printing
from groundup.desk.cells.kernel import Busy, Kernel
from groundup.desk.cells.kernels import FORGOTTEN, RESTED, Kernels
from groundup.desk.cells.outputs import DOTS, PNG, read

from ..thorough import some

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own layers are Linux's")
SANDBOX = "Cells run in a sandbox"
SOON = 20.0  # seconds to wait for what should come at once


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "ws" / "mine").mkdir(parents=True)
    return tmp_path / "ws"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """Kernels of the reference alone, with little patience."""
    made = Kernels(tmp_path_factory.mktemp("ws"), seconds=3.0)
    yield made
    made.close()


class Ran:
    """What came of a cell."""

    def __init__(self, run):
        self.outputs = []
        while not run.over:
            self.outputs += run.some()
        self.done = self.outputs.pop()

    def texts(self, kind, source=None):
        found = [o for o in self.outputs if o["kind"] == kind and source in (None, o.get("source"))]
        return "".join(o["text"] for o in found)

    @property
    def printed(self):
        return self.texts("text", "out")

    def of_kind(self, kind):
        return [output for output in self.outputs if output["kind"] == kind]

    @property
    def how(self):
        return self.done["how"]

    @property
    def all(self):
        return json.dumps([*self.outputs, self.done], ensure_ascii=False)


@pytest.fixture
def run(kernels):
    """Runs code in the file's shared kernel."""
    return lambda code, lesson="any", cell=0: Ran(kernels.run(lesson, code, cell))


def until(condition, what):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def alive(pid):
    """Whether a process runs: one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# What a lesson says.


@pytest.mark.parametrize("section_id", ["1.1", "1.2", "1.5", "2.1", "2.11", "3.1", "3.6", "7.1", "7.9"])
def test_the_cells_of_a_lesson_print_what_its_page_says(section_id, tmp_path):
    lesson = find(section_id)
    if section_id == "7.9":
        pytest.importorskip("torch", reason="the torch extra is not installed")
    kernels = Kernels(tmp_path)
    try:
        for number, block in enumerate(lesson.blocks):
            ran = Ran(kernels.run(section_id, block.code, number))
            assert (ran.how, ran.of_kind("error")) == ("ran", [])
            if block.output is not None:
                assert _trimmed(ran.printed) == _trimmed(block.output), block.line
    finally:
        kernels.close()


def test_cells_share_their_names_and_the_last_expression_is_shown(run):
    run("x = 20")
    ran = run("print('one')\nx + 1")
    assert ran.printed == "one\n"
    assert ran.texts("text", "value") == "21"
    assert ran.how == "ran" and ran.done["says"] == ""
    assert run("x;").outputs == []
    assert run("None").outputs == []
    assert run("x = 1").outputs == []


def test_text_comes_as_it_is_printed(kernels):
    started = kernels.run("any", "import time\nprint('now')\ntime.sleep(2)\nprint('then')", 0)
    first = started.next(SOON)
    assert first == {"kind": "text", "source": "out", "text": "now\n"}
    assert not started.over
    assert "then" in Ran(started).printed


def test_outputs_keep_the_order_in_which_they_were_made(run):
    code = """
import sys
import matplotlib.pyplot as plt
print("one", end="")
sys.stderr.write("two")
plt.plot([1, 2])
plt.title("a line"); plt.xlabel("step"); plt.ylabel("loss")
plt.show()
print("three")
display(4)
plt.figure()
"""
    ran = run(code)
    kinds = [(o["kind"], o.get("source", "")[:5], o.get("text")) for o in ran.outputs]
    assert kinds == [
        ("text", "out", "one"),
        ("text", "err", "two"),
        ("picture", "data:", None),
        ("text", "out", "three\n"),
        ("text", "value", "4"),
        ("picture", "data:", None),
    ]
    picture = ran.of_kind("picture")[0]
    assert picture["source"].startswith("data:image/png;base64,")
    assert picture["alternative"] == "figure: a line; loss by step"
    assert 300 < picture["width"] < 900


def test_a_figure_is_shown_once_whoever_shows_it(run):
    assert len(run("import matplotlib.pyplot as plt\nfigure = plt.figure()\nfigure").of_kind("picture")) == 1
    assert len(run("figure = plt.figure()\nfigure.show()\nplt.show()").of_kind("picture")) == 1
    assert run("1").of_kind("picture") == []


def test_a_table_is_its_values_and_never_html(run):
    pytest.importorskip("pandas")
    code = "import pandas as pd\npd.DataFrame({'<b>a</b>': range(1000), 'x': [1 / 3] * 1000})"
    [table] = run(code).of_kind("table")
    assert table["columns"] == ["<b>a</b>", "x"]
    assert table["rows"][1] == ["1", "1", "0.333333"]
    assert len(table["rows"]) == 12 and table["of"] == [1000, 2]
    [series] = run("pd.Series([1.5, 2.0], name='s', index=['u', 'v'])").of_kind("table")
    assert series["columns"] == ["s"] and series["rows"] == [["u", "1.5"], ["v", "2"]]


def test_markup_that_a_cell_prints_is_text(run):
    ran = run("print('<script>alert(1)</script>')\n'<img onerror=x>'")
    assert ran.printed == "<script>alert(1)</script>\n"
    assert ran.texts("text", "value") == "'<img onerror=x>'"


def test_what_c_code_writes_is_not_lost(run):
    ran = run("import os, sys\nos.write(1, b'one\\n')\nprint('two', file=sys.__stdout__)")
    assert ran.printed == "two\n" and ran.texts("text", "err") == "one\n"


# Errors.


def test_a_traceback_is_cut_to_the_cells_and_the_learners_lines(workspace):
    (workspace / "mine" / "grad").mkdir()
    path = workspace / "mine" / "grad" / "value.py"
    path.write_text("import numpy as np\n\ndef solve(a):\n    return np.linalg.solve(a, [1, 2])\n")
    kernels = Kernels(workspace)
    try:
        ran = Ran(
            kernels.run("1.3", "import numpy as np\nfrom mine.grad.value import solve\nsolve(np.zeros((2, 2)))", 1)
        )
    finally:
        kernels.close()
    [error] = ran.of_kind("error")
    lines = error["text"].splitlines()
    assert lines[0].startswith("Traceback")
    assert [line.strip().rstrip(",") for line in lines if line.lstrip().startswith("File")] == [
        'File "<cell 2>", line 3, in <module>',
        'File "mine/grad/value.py", line 4, in solve',
    ]
    assert "return np.linalg.solve(a, [1, 2])" in error["text"]
    assert lines[-1].endswith("LinAlgError: Singular matrix")
    assert ran.how == "raised"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("1 +", "SyntaxError"),
        ("def f(x): return f(x + 1) + 1\nf(0)", "more times]"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('so') from e", "direct cause"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E: <exception str() failed>"),
        ("class A:\n    def __repr__(self): raise ValueError('no')\nA()", "ValueError: no"),
        ("import nothing_of_the_kind", "ModuleNotFoundError"),
        ("raise NotImplementedError", "not written yet"),
        ("input('name?')", "cannot ask for input"),
        ("raise SystemExit(3)", "The cells go on"),
    ],
)
def test_an_error_is_told(run, code, says):
    ran = run(code)
    assert ran.how == "raised" and says in ran.all
    assert run("6 * 7").texts("text", "value") == "42"


# The learner's library.


def test_the_learners_library_stands_over_the_reference(workspace):
    (workspace / "mine" / "grad").mkdir()
    path = workspace / "mine" / "grad" / "value.py"
    path.write_text("class Value:\n    whose = 'mine'\n")
    kernels = Kernels(workspace)
    ask = "from mine.grad.value import Value\nfrom mine.grad.tensor import Tensor\nValue.whose, Tensor.__name__"
    try:
        assert Ran(kernels.run("1.3", ask, 0)).texts("text", "value") == "('mine', 'Tensor')"
        path.write_text("class Value:\n    whose = 'mine, mended'\n")
        again = Ran(kernels.run("1.3", "Value.whose", 1))
        assert again.texts("text", "value") == "'mine'"
        assert "mine/grad/value.py has changed" in again.texts("note")
        fresh = Ran(kernels.run("1.3", ask, 0))
        assert fresh.texts("text", "value") == "('mine, mended', 'Tensor')" and not fresh.of_kind("note")
    finally:
        kernels.close()


def test_cells_read_the_data(workspace, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("from the mirror")
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "data"))
    kernels = Kernels(workspace)
    try:
        ran = Ran(kernels.run("1.1", "import os\nopen(os.environ['GROUNDUP_DATA'] + '/a.txt').read()", 0))
        assert ran.texts("text", "value") == "'from the mirror'"
        ran = Ran(kernels.run("1.1", "open(os.environ['GROUNDUP_DATA'] + '/a.txt', 'a')", 0))
        assert ran.how == "raised"
    finally:
        kernels.close()


# Cells that mean harm.

IGNORING = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
HOSTILE = {
    "endless loop": ("while True: pass", "stopped", "Stopped after 1 s"),
    "no heed": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "ended",
        "did not heed it",
    ),
    "fork bomb": ("import os\nwhile True: os.fork()", "raised", SANDBOX),
    "memory bomb": ("held = []\nwhile True: held.append(bytearray(1 << 29))", "raised", "more memory than cells have"),
    "memory at once": ("import numpy as np\nnp.ones(10**12)", "raised", "more memory than cells have"),
    "subprocess": ("import subprocess\nsubprocess.run(['true'])", "raised", SANDBOX),
    "shell": ("import os\nos.execv('/bin/sh', ['sh'])", "raised", SANDBOX),
    "socket": ("import socket\nsocket.socket()", "raised", SANDBOX),
    "download": ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')", "raised", SANDBOX),
    "parent": ("import os\nos.kill(os.getppid(), 9)", "raised", SANDBOX),
    "exit": ("import os\nos._exit(0)", "ended", "exit status 0"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "ended", "SIGSEGV"),
    "closed channel": ("import os\nos.close(3)", "ended", "closed the channel"),
    "noise": ("import os\nos.write(3, b'x' * 100)", "ended", "a channel that is not its own"),
    "large frame": (
        "import os, struct\nos.write(3, struct.pack('<4sIQ', b'GUP1', 1 << 30, 0))",
        "ended",
        "not its own",
    ),
    "descriptors": ("import os\nfor i in range(999): os.open(f'f{i}', 66)", "raised", "Too many open files"),
    "large file": ("open('f', 'wb').truncate(1 << 40)", "raised", "File too large"),
    "wide figure": ("import matplotlib.pyplot as plt\nplt.figure(figsize=(1e6, 1e6));", "ran", "too large to be shown"),
    "no figure": (
        "import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 3)).set_size_inches(float('nan'), 1);",
        "",
        "",
    ),
    "repr": ("class A:\n    def __repr__(self): return 'x' * 10**7\nA()", "ran", '"characters": 9900000'),
    "deep": ("import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nx", "", ""),
}


@LINUX
@pytest.mark.parametrize("name", some(HOSTILE, lambda name: list(HOSTILE).index(name) % 2 == 0))
def test_a_hostile_cell_ends_in_a_sentence_and_the_next_one_runs(name, tmp_path):
    code, how, says = HOSTILE[name]
    kernels = Kernels(tmp_path, seconds=1.0 if how in ("stopped", "") or name == "no heed" else 20.0)
    try:
        ran = Ran(kernels.run("1.1", code, 0))
        assert ran.how == (how or ran.how), ran.all
        assert says in ran.all
        assert run_again(kernels).texts("text", "value") == "42"
    finally:
        kernels.close()


def run_again(kernels):
    return Ran(kernels.run("1.1", "held = x = None\n6 * 7", 0))


@LINUX
def test_files_of_others_are_neither_read_nor_written(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "data"))
    secret = tmp_path / ".ssh" / "id_ed25519"
    secret.parent.mkdir()
    secret.write_text("secret")
    (workspace / "mine" / "led.txt").symlink_to(secret)
    (workspace / "notes.txt").write_text("private")
    attempts = [
        f"open({str(secret)!r}).read()",
        f"open({str(workspace / 'mine' / 'led.txt')!r}).read()",
        f"open({str(workspace / 'notes.txt')!r}).read()",
        f"import os\nos.listdir({str(tmp_path)!r})",
        f"open({str(workspace / 'mine' / 'new.py')!r}, 'w')",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"import os\nos.remove({str(secret)!r})",
        f"import os\nos.symlink({str(secret)!r}, 'here')",
        "open('/etc/passwd').read()",
        "open('/proc/1/environ').read()",
        f"open('/proc/{os.getpid()}/environ').read()",
    ]
    kernels = Kernels(workspace)
    try:
        for code in attempts:
            ran = Ran(kernels.run("1.1", code, 0))
            assert ran.how == "raised" and SANDBOX in ran.all, (code, ran.all)
        environment = Ran(kernels.run("1.1", "import os\nsorted(os.environ)", 0)).texts("text", "value")
        assert "XDG_RUNTIME_DIR" not in environment and "PATH" not in environment
    finally:
        kernels.close()
    assert secret.read_text() == "secret"
    assert not (tmp_path / "new").exists() and not (workspace / "mine" / "new.py").exists()


def test_a_flood_of_text_is_cut_and_counted(run):
    ran = run("for i in range(100_000): print(i)")
    assert ran.printed.count("\n") == printing.LINES
    assert ran.of_kind("more") == [{"kind": "more", "lines": 100_000 - printing.LINES, "characters": 585_000}]
    flushed = run("for i in range(100_000): print('.', end='', flush=True)")
    assert len(flushed.of_kind("text")) == printing.PIECES
    assert flushed.of_kind("more")[0]["characters"] == 100_000 - printing.PIECES


FORGE = """
import socket
from groundup.course.sandbox import frames
channel = socket.socket(fileno=3)
"""


@LINUX
@pytest.mark.parametrize(
    ("message", "how"),
    [
        ({"kind": "done", "how": "ran"}, "ran"),
        ({"kind": "done", "how": "passed"}, "ended"),
        ({"kind": "verdict", "passed": True}, "ended"),
        ({"kind": "text", "source": "script", "text": "x"}, "ended"),
        ({"kind": "text", "source": "out", "text": 3}, "ended"),
        ({"kind": "picture", "png": "<svg>", "scale": 1.0, "alternative": ""}, "ended"),
        ({"kind": "table", "columns": "x", "rows": [], "of": [1, 1]}, "ended"),
    ],
)
def test_a_forged_frame_is_an_output_or_the_end(kernels, message, how):
    """A cell can say of itself what it likes, in the form that outputs have. Any other form ends it."""
    forged = {"cell": "number", **message}
    code = FORGE + f"import sys\nnumber = sys._getframe(1)\nmessage = {forged!r}\n"
    code += (
        "while 'self' not in number.f_locals or not hasattr(number.f_locals['self'], '_cell'): number = number.f_back\n"
    )
    code += "message['cell'] = number.f_locals['self']._cell\nchannel.sendall(frames.encode(message))\nchannel.detach()"
    ran = Ran(kernels.run("forging", code, 0))
    assert ran.how == how, ran.all
    if how == "ended":
        assert "a channel that is not its own" in ran.done["says"]
    assert Ran(kernels.run("forging", "6 * 7", 0)).texts("text", "value") == "42"


@LINUX
def test_a_flood_of_forged_frames_ends_the_process(kernels):
    code = (
        FORGE + "while True: channel.sendall(frames.encode({'cell': 1, 'kind': 'text', 'source': 'out', 'text': 'x'}))"
    )
    kernels.restart("flooding")
    ran = Ran(kernels.run("flooding", code, 0))
    assert ran.how == "ended" and "more than a page can hold" in ran.done["says"]


def test_a_picture_is_a_png_of_a_size_that_can_be_shown():
    import numpy as np

    def picture(width, height, magic=PNG):
        header = magic + b"\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\0" * 20
        return {"cell": 1, "kind": "picture", "png": np.frombuffer(header, np.uint8), "scale": 2.0, "alternative": "x"}

    _, output = read(picture(200, 100))
    assert (output["width"], output["height"]) == (100, 50)
    for bad in (picture(DOTS, 2), picture(0, 5), picture(2, 2, b"<svg>\0\0\0")):
        with pytest.raises(frames.FrameError):
            read(bad)


@LINUX
def test_a_cell_that_fills_the_disk_is_ended(workspace, monkeypatch):
    monkeypatch.setattr(kernel_module, "WRITTEN", 8 << 20)
    monkeypatch.setattr(kernel_module, "TICK", 0.1)
    kernels = Kernels(workspace)
    code = "import time\nfor i in range(10**6):\n    open(f'{i}', 'wb').write(bytes(4 << 20))\n    time.sleep(0.1)"
    try:
        ran = Ran(kernels.run("1.1", code, 0))
        assert ran.how == "ended" and "wrote more than cells may" in ran.done["says"]
    finally:
        kernels.close()


# Stopping, ending, making room.


def test_a_cell_is_stopped_and_its_names_stay(kernels):
    started = kernels.run("stopping", "kept = 1\nprint('on')\nwhile True: pass", 0)
    assert started.next(SOON)["text"] == "on\n"
    with pytest.raises(Busy):
        kernels.run("stopping", "1", 0)
    assert kernels.stop("stopping")
    assert Ran(started).how == "stopped"
    assert Ran(kernels.run("stopping", "kept", 0)).texts("text", "value") == "1"
    assert not kernels.stop("stopping")


@LINUX
def test_a_cell_that_heeds_no_interrupt_is_ended(kernels):
    started = kernels.run("ignoring", "print('on')\n" + IGNORING.replace("while True: pass", "while True: 1 + 1"), 0)
    assert started.next(SOON)["text"] == "on\n"
    kernels.stop("ignoring")
    assert Ran(started).how in ("ended", "stopped")
    assert Ran(kernels.run("ignoring", "6 * 7", 0)).texts("text", "value") == "42"


def test_an_interrupt_never_breaks_a_message(kernels):
    """Interrupts fall where they like: into printing, too."""
    for _ in range(5):
        started = kernels.run("breaking", "while True: print('x' * 50, flush=True)", 0)
        started.next(SOON)
        kernels.stop("breaking")
        assert Ran(started).how == "stopped"


def test_closing_a_run_stops_it(kernels):
    Ran(kernels.run("closing", "kept = 42", 0))
    started = kernels.run("closing", "while True: pass", 0)
    started.close()
    assert started.over
    assert Ran(kernels.run("closing", "kept", 0)).texts("text", "value") == "42"


def test_restarting_forgets_names_and_ends_what_runs(kernels):
    Ran(kernels.run("restarting", "kept = 1", 0))
    started = kernels.run("restarting", "print('on', flush=True)\nwhile True: pass", 0)
    started.next(SOON)
    kernels.restart("restarting")
    ran = Ran(started)
    assert ran.how == "ended" and "restarted" in ran.done["says"]
    assert "NameError" in Ran(kernels.run("restarting", "kept", 0)).all


@LINUX
def test_the_oldest_kernel_makes_room_and_all_end_at_the_close(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kernels = Kernels(workspace, alive=2)
    pids = [int(Ran(kernels.run(name, "import os\nos.getpid()", 0)).texts("text", "value")) for name in ("a", "b", "c")]
    assert kernels.alive() == ["b", "c"]
    assert not alive(pids[0]) and alive(pids[1]) and alive(pids[2])
    again = Ran(kernels.run("a", "1", 0))
    assert FORGOTTEN[1:] in again.texts("note")
    assert kernels.alive() == ["c", "a"]
    busy = kernels.run(
        "c", "import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\nwhile True: pass", 0
    )
    kernels.close()
    assert Ran(busy).how == "ended"
    assert not any(alive(pid) for pid in pids)
    assert not list(tmp_path.glob("groundup-cells-*"))


def test_a_kernel_that_rests_too_long_ends(workspace):
    kernels = Kernels(workspace, idle=0.2)
    try:
        Ran(kernels.run("1.1", "kept = 1", 0))
        until(lambda: not kernels.alive(), "the kernel rests on")
        ran = Ran(kernels.run("1.1", "kept", 0))
        assert RESTED[1:] in ran.texts("note") and "NameError" in ran.all
    finally:
        kernels.close()


def test_a_kernel_outlives_the_thread_that_started_it(workspace):
    """The system takes the end of the thread that forked a process for the end of its parent."""
    made = []
    thread = threading.Thread(target=lambda: made.append(Kernel(workspace)))
    thread.start()
    thread.join()
    try:
        assert Ran(made[0].run("6 * 7", "<cell 1>")).texts("text", "value") == "42"
        assert made[0].alive
    finally:
        made[0].end("over")


@LINUX
def test_a_kernel_dies_with_its_server(workspace):
    code = """
import sys
from pathlib import Path
from groundup.desk.cells.kernel import Kernel
kernel = Kernel(Path(sys.argv[1]))
run = kernel.run("import os\\nprint(os.getpid())\\nwhile True: pass", "<cell 1>")
print(run.next(60)["text"], end="", flush=True)
print(kernel._scratch, flush=True)
sys.stdin.read()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, str(workspace)], **pipes) as server:
        pid, scratch = int(server.stdout.readline()), server.stdout.readline().strip()
        assert alive(pid)
        server.send_signal(signal.SIGKILL)
    until(lambda: not alive(pid), "the kernel lives on")
    for path in Path(scratch).iterdir():
        path.unlink()
    Path(scratch).rmdir()


def test_where_there_is_no_kernel_to_confine_it_the_guard_does(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("GROUNDUP_SANDBOX", "spawn")
    (tmp_path / "secret").write_text("secret")
    kernels = Kernels(workspace)
    try:
        assert Ran(kernels.run("1.1", "from mine.grad.value import Value\nprint(Value(3.0) * 2)", 0)).how == "ran"
        for code in (f"open({str(tmp_path / 'secret')!r})", "import socket\nsocket.socket()", "import os\nos.fork()"):
            ran = Ran(kernels.run("1.1", code, 0))
            assert ran.how == "raised" and SANDBOX in ran.all, ran.all
    finally:
        kernels.close()
