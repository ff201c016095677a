"""Sinks get all of the record, each thing once, whenever they come and whatever was killed."""

import math
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

import pytest

from groundup.lab.record import Records
from groundup.lab.sinks import outbox
from groundup.lab.sinks.outbox import SinkError, alone, send


@pytest.fixture
def records(tmp_path):
    with Records(tmp_path / "runs") as kept:
        yield kept


def loss(step, attempt=1):
    return 1 / (1 + step) + attempt


def begin(records, first=0, last=40, attempt=1, run=None, end="finished"):
    """A run that logs steps first..last - 1; or the next attempt of one, from a step."""
    record = run or records.begin("moons", 3, {"width": 8, "optim.lr": 0.1, "augment": False, "widths": [8, 4]}, "abc")
    with record:
        if record.resumed:
            record.resumed_at(first - 1)
        for step in range(first, last):
            record.log(step, loss=loss(step, record.attempt))
            if step % 10 == 9:
                record.log(step, val_loss=2 * loss(step, record.attempt))
        (record.folder / "model.bin").write_bytes(b"weights of attempt %d" % record.attempt)
        record.keep(record.folder / "model.bin")
        record.end(end, {"val_loss": 0.5 / record.attempt} if end == "finished" else {})
    return records.find(record.name)


class Memory:
    """A sink that notes what it is given, and may fail at the nth thing."""

    rewinds = False
    key = "memory"

    def __init__(self, fails_at=-1, safe=True):
        self.calls, self.points, self.fails_at, self.is_safe = [], [], fails_at, safe

    def _given(self, what):
        if len(self.calls) == self.fails_at:
            raise SinkError("away")
        self.calls.append(what)

    def start(self, row, state):
        return True

    def params(self, row, values, state):
        self._given("params")

    def rewind(self, row, step, state):
        self._given(("rewind", step))
        self.points = [p for p in self.points if p.step <= step]

    def metrics(self, row, points, state):
        self._given(("metrics", len(points)))
        self.points += points

    def artifact(self, row, name, path, state):
        self._given(("artifact", name, path.read_bytes()))

    def status(self, row, attempt, state):
        self._given(("status", row.status, attempt))

    def safe(self, state):
        return self.is_safe

    def finish(self, row, state):
        self._given("finish")


def test_all_is_sent_once_and_then_nothing(records):
    row, sink = begin(records), Memory()
    assert send(records, sink, row) == 44
    assert [(p.step, p.name, p.value) for p in sink.points] == [m[1:] for m in records.metrics(row.id)]
    assert all(row.begun <= p.time <= time.time() for p in sink.points)
    assert sink.calls == [
        "params",
        ("metrics", 44),
        ("artifact", "model.bin", b"weights of attempt 1"),
        ("status", "finished", 1),
        "finish",
    ]
    assert send(records, sink, row) == 0 and len(sink.calls) == 5


@pytest.mark.parametrize("fails_at", range(8))
def test_a_sink_that_fails_anywhere_gets_the_rest_later(records, monkeypatch, fails_at):
    monkeypatch.setattr(outbox, "BATCH", 10)
    row, sink = begin(records), Memory(fails_at)
    with pytest.raises(SinkError):
        send(records, sink, row)
    sink.fails_at = -1
    send(records, sink, row)
    assert [(p.step, p.name) for p in sink.points] == [m[1:3] for m in records.metrics(row.id)]
    assert sink.calls.count("params") == 1


def test_where_only_the_end_is_safe_all_is_sent_again(records, monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 10)
    row, sink = begin(records), Memory(4, safe=False)
    with pytest.raises(SinkError):
        send(records, sink, row)
    sink.fails_at, sink.points = -1, []
    send(records, sink, row)
    assert len(sink.points) == 44 and sink.calls.count("params") == 2


@pytest.mark.parametrize("rewinds", [False, True])
@pytest.mark.parametrize("sent_between", [False, True])
def test_a_run_that_went_on_has_no_step_twice(records, monkeypatch, rewinds, sent_between):
    monkeypatch.setattr(outbox, "BATCH", 7)
    sink = Memory()
    sink.rewinds = rewinds
    row = begin(records, 0, 25, end="interrupted")
    if sent_between:
        send(records, sink, row)
    row = begin(records, 20, 40, run=records.reopen(row.name, "abc"))
    send(records, sink, row)
    assert sorted(p.step for p in sink.points if p.name == "loss") == list(range(40))
    stays = sent_between and not rewinds
    for p in sink.points:
        if p.name == "loss":
            first = p.step < 20 or (stays and p.step < 25)
            assert p.value == loss(p.step, 1 if first else 2)
    assert sink.calls.count(("rewind", 19)) == (1 if rewinds else 0)
    assert [call for call in sink.calls if call[0] == "artifact"][-1][2] == b"weights of attempt 2"


def test_two_processes_do_not_send_to_one_sink(records):
    with alone(Memory(), records), pytest.raises(SinkError, match="another process"), alone(Memory(), records):
        pass
    with alone(Memory(), records):
        pass


def test_a_record_of_format_1_is_brought_to_format_2_with_a_backup(tmp_path, monkeypatch):
    from groundup.lab import record

    with monkeypatch.context() as before:
        before.setattr(record, "MIGRATIONS", record.MIGRATIONS[:1])
        with Records(tmp_path / "runs") as old:
            db = old._db
            db.execute(
                "INSERT INTO run (recipe, seed, mine, config, source, environment, hardware, begun, seconds, status)"
                " VALUES ('moons', 3, 0, '{\"width\": 8}', 'abc', '{}', '{\"cores\": 2}', 1e9, 12.5, 'finished')"
            )
            db.execute("INSERT INTO metric (run, step, name, value) VALUES (1, 0, 'loss', 2.0), (1, 1, 'loss', NULL)")
    with Records(tmp_path / "runs") as records:
        assert (tmp_path / "runs" / "runs.db.before-v2").exists()
        assert not list(Records(tmp_path / "new").folder.glob("*.before*")), "of nothing there is no backup"
        row = records.find("moons-1")
        assert records.metrics(1)[0][1:] == (0, "loss", 2.0) and math.isnan(records.metrics(1)[1][3])
        [attempt] = records.attempts(1)
        assert (attempt.number, attempt.begun, attempt.seconds, attempt.source) == (1, 1e9, 12.5, "abc")
        sink = Memory()
        assert send(records, sink, row) == 2 and {p.time for p in sink.points} == {1e9}


@pytest.fixture
def events(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from groundup.lab.sinks.tensorboard import TensorBoard

    return TensorBoard(tmp_path / "events")


def scalars(sink, row, tag):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(sink.folder / row.name), size_guidance={"scalars": 0})
    read.Reload()
    return [(event.step, event.value) for event in read.Scalars(tag)]


def single(values):
    return [(step, pytest.approx(value, rel=1e-6)) for step, value in values]


def test_tensorboard_reads_what_was_logged(records, events):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    row = begin(records)
    send(records, events, row)
    assert scalars(events, row, "loss") == single((step, loss(step)) for step in range(40))
    assert scalars(events, row, "final/val_loss") == [(39, 0.5)]
    read = EventAccumulator(str(events.folder / row.name))
    read.Reload()
    assert read.FirstEventTimestamp() == row.begun and read.file_version == 2
    plugin = read.summary_metadata["_hparams_/session_start_info"].plugin_data
    assert plugin.plugin_name == "hparams" and b"optim.lr" in plugin.content


def test_tensorboard_has_each_row_once_when_we_are_killed_between_writing_and_noting(records, events, monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 10)
    row, noted = begin(records), records.advance
    count = 0

    def dies(*arguments):
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        noted(*arguments)

    monkeypatch.setattr(records, "advance", dies)
    with pytest.raises(KeyboardInterrupt):
        send(records, events, row)
    send(records, events, row)
    assert scalars(events, row, "loss") == single((step, loss(step)) for step in range(40))


def test_tensorboard_takes_back_what_a_later_attempt_does_again(records, events):
    row = begin(records, 0, 25, end="interrupted")
    send(records, events, row)
    assert len(scalars(events, row, "loss")) == 25
    row = begin(records, 20, 40, run=records.reopen(row.name, "abc"))
    send(records, events, row)
    assert scalars(events, row, "loss") == single((step, loss(step, 1 + (step >= 20))) for step in range(40))


def test_event_files_that_were_deleted_are_written_again(records, events):
    row = begin(records)
    send(records, events, row)
    for path in (events.folder / row.name).iterdir():
        path.unlink()
    assert send(records, events, row) == 0, "nobody looks before there is something new to send"
    with records.reopen(begin(records, end="failed").name, "abc") as again:
        again.log(40, loss=0.0)
    row = records.find(again.name)
    send(records, events, row)
    for path in (events.folder / row.name).iterdir():
        path.unlink()
    (records.folder / row.name / "late.txt").write_text("new")
    with records._writing() as db:
        db.execute("INSERT INTO artifact VALUES (?, 'late.txt', 'x', 3)", (row.id,))
    send(records, events, row)
    assert len(scalars(events, row, "loss")) == 41


def wandb_records(path):
    """The records of a .wandb file: LevelDB's log format, after a header of seven bytes."""
    from wandb.proto import wandb_internal_pb2

    content, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(content):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # all of it, or its last part
            yield wandb_internal_pb2.Record.FromString(whole)
            whole = b""


def test_wandb_offline_holds_what_was_logged(records, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    from groundup.lab.sinks.mlflow import key_of
    from groundup.lab.sinks.wandb import WandB

    monkeypatch.setenv("WANDB_MODE", "offline")
    row, sink = begin(records, 0, 12), WandB("moons", tmp_path / "wandb", offline=True)
    send(records, sink, row)
    assert send(records, sink, row) == 0
    [path] = (tmp_path / "wandb").rglob("*.wandb")
    found = list(wandb_records(path))
    [run] = [record.run for record in found if record.HasField("run")]
    assert (run.run_id, run.project, run.display_name) == (key_of(row), "moons", "moons-1")
    rows = []
    for record in found:
        if record.HasField("history"):
            rows.append({item.key or item.nested_key[0]: item.value_json for item in record.history.item})
    logged = [(int(each["step"]), float(each["loss"])) for each in rows if "loss" in each]
    assert logged == [(step, pytest.approx(loss(step))) for step in range(12)]
    assert any("val_loss" in each for each in rows)


STORES = ("--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files")


class Server:
    """`mlflow server` on a free port, its SQLite file and artifacts in a folder."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.url = folder, f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), *STORES],
            cwd=self.folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            start_new_session=True,
        )
        deadline = time.monotonic() + 200
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)  # for another process, which has no way to tell

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("mlflow.server", reason="the MLflow server is not installed, only its client or nothing")
    made = Server(tmp_path_factory.mktemp("mlflow"))
    yield made
    made.kill()


def history(server, run, name):
    from mlflow import MlflowClient

    return [(m.step, m.value) for m in MlflowClient(server.url).get_metric_history(run, name)]


@pytest.mark.thorough
def test_an_mlflow_server_that_is_killed_in_the_middle_has_everything_once_in_the_end(records, server, monkeypatch):
    from mlflow import MlflowClient

    from groundup.lab.sinks.mlflow import MLflow

    monkeypatch.setattr(outbox, "BATCH", 10)
    for name, value in (("MAX_RETRIES", "1"), ("TIMEOUT", "20"), ("BACKOFF_FACTOR", "0")):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
    row, sink = begin(records), MLflow(server.url)
    handed_over, count = sink.metrics, 0

    def metrics(*arguments):
        nonlocal count
        count += 1
        if count == 3:
            server.kill()
        handed_over(*arguments)

    monkeypatch.setattr(sink, "metrics", metrics)
    with pytest.raises(SinkError, match="nothing is lost"):
        send(records, sink, row)
    with pytest.raises(SinkError, match="nothing is lost"):
        send(records, sink, row)
    server.start()
    send(records, sink, row)

    client = MlflowClient(server.url)
    experiment = client.get_experiment_by_name("moons")
    [run] = client.search_runs([experiment.experiment_id])
    assert history(server, run.info.run_id, "loss") == [(step, loss(step)) for step in range(40)]
    assert history(server, run.info.run_id, "val_loss") == [(step, 2 * loss(step)) for step in (9, 19, 29, 39)]
    assert history(server, run.info.run_id, "final/val_loss") == [(1, 0.5)]
    assert (run.info.status, run.info.run_name, run.info.start_time) == ("FINISHED", "moons-1", int(row.begun * 1000))
    assert run.data.params["optim.lr"] == "0.1" and run.data.params["widths"] == "[8, 4]"
    assert run.data.params["augment"] == "false" and run.data.tags["groundup.run"] == "moons-1"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["model.bin"]

    # Killed before the cursor was noted: all is sent again, and is there once.
    with records._writing() as db:
        db.execute("DELETE FROM outbox")
    send(records, MLflow(server.url), row)
    assert [each.info.run_id for each in client.search_runs([experiment.experiment_id])] == [run.info.run_id]
    assert history(server, run.info.run_id, "loss") == [(step, loss(step)) for step in range(40)]


def test_a_run_that_goes_on_goes_on_under_its_id_in_mlflow_and_no_step_is_there_twice(records, server):
    from mlflow import MlflowClient

    from groundup.lab.sinks.mlflow import MLflow

    sink, client = MLflow(server.url), MlflowClient(server.url)
    row = begin(records, 0, 25, end="interrupted")
    send(records, sink, row)
    _, state = records.cursor(sink.key, row.id)
    assert client.get_run(state["id"]).info.status == "KILLED"
    row = begin(records, 20, 40, run=records.reopen(row.name, "abc"))
    send(records, sink, row)
    assert records.cursor(sink.key, row.id)[1]["id"] == state["id"]
    run = client.get_run(state["id"])
    assert (run.info.status, run.data.tags["groundup.attempts"]) == ("FINISHED", "2")
    assert [step for step, _ in history(server, state["id"], "loss")] == list(range(40))
    client.delete_run(state["id"])
    begin(records, 40, 41, run=_reopened(records, row))
    send(records, sink, records.find(row.name))
    anew = records.cursor(sink.key, row.id)[1]["id"]
    assert anew != state["id"] and [step for step, _ in history(server, anew, "loss")] == list(range(41))


def _reopened(records, row):
    with records._writing() as db:
        db.execute("UPDATE run SET status = 'failed' WHERE id = ?", (row.id,))
    return records.reopen(row.name, "abc")
