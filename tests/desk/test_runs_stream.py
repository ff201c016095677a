"""A live run comes to the page row by row: nothing is missed or told twice when the connection or the desk breaks."""

import json
import math
import time
from contextlib import contextmanager

import pytest

from groundup.lab.record import Records

PATIENCE = 30.0


@pytest.fixture
def kept(desk):
    with Records(desk.root / "runs") as made:
        yield made


class Stream:
    """What a browser makes of an event stream: the messages, and the id that it would come back with."""

    def __init__(self, lines):
        self.lines, self.last = lines, ""

    def next(self, *kinds):
        """The next message of one of these kinds."""
        until = time.monotonic() + PATIENCE
        mark = None
        for line in self.lines:
            assert time.monotonic() < until, "no message came"
            if line.startswith("id: "):
                mark = line[4:]
            elif line.startswith("data: "):
                self.last = mark or self.last
                message = json.loads(line[6:])
                if message["kind"] in kinds:
                    return message["data"]
        raise AssertionError("the stream ended")

    def steps(self, count, metric="loss"):
        """Reads on until so many points of a metric have come."""
        found = []
        while len(found) < count:
            found += self.next("points")["points"].get(metric, [[], []])[0]
        return found


@contextmanager
def listening(desk, topic, since="", last=None):
    headers = {} if last is None else {"Last-Event-ID": last}
    with (
        desk.client() as client,
        client.stream("GET", f"/events?topic={topic}&since={since}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield Stream(answer.iter_lines())


def log(run, first, last):
    for step in range(first, last):
        run.log(step, loss=1 / (step + 1), other=math.nan if step == 3 else math.inf)
    run.write()


def test_a_curve_goes_on_where_it_broke_off_whatever_broke(desk, kept):
    run = kept.begin("moons", 0, {"seed": 0}, "abc")
    log(run, 0, 50)
    topic = f"run:{run.id}"
    with listening(desk, topic, since=f"{topic}=0") as stream:
        seen = stream.steps(50)
        log(run, 50, 80)
        seen += stream.steps(30)
        last = stream.last
    log(run, 80, 120)  # nobody listens
    with listening(desk, topic, last=last) as stream:
        seen += stream.steps(40)
        last = stream.last
    desk.stop(kill=True)
    log(run, 120, 5000)  # there is no desk, and more than fits into a message
    desk.start()
    with listening(desk, topic, last=last) as stream:
        seen += stream.steps(4880)
        log(run, 5000, 5001)
        seen += stream.steps(1)
    run.end("finished")
    assert seen == list(range(5001))


def test_who_comes_without_a_cursor_hears_from_now_on(desk, kept):
    run = kept.begin("moons", 0, {"seed": 0}, "abc")
    log(run, 0, 10)
    with listening(desk, f"run:{run.id}") as stream:
        assert stream.next("state")["status"] == "running"
        log(run, 10, 12)
        assert stream.steps(2) == [10, 11]
    run.end("finished")


def test_what_is_no_number_comes_as_a_word(desk, kept):
    run = kept.begin("moons", 0, {"seed": 0}, "abc")
    log(run, 2, 5)
    with listening(desk, f"run:{run.id}", since=f"run:{run.id}=0") as stream:
        assert stream.next("points")["points"]["other"] == [[2, 3, 4], ["inf", "nan", "inf"]]
    run.end("finished")


def test_the_state_is_told_when_a_run_ends_dies_or_goes_on(desk, kept):
    run = kept.begin("moons", 0, {"seed": 0}, "abc")
    topic = f"run:{run.id}"
    log(run, 0, 10)
    with listening(desk, topic) as stream:
        first = stream.next("state")
        assert first == {"status": "running", "attempts": "1:None", "result": {}}
        run.end("interrupted", {"loss": math.nan})
        assert stream.next("state") == {"status": "interrupted", "attempts": "1:None", "result": {"loss": "nan"}}
        again = kept.reopen(run.name, "abc")
        assert stream.next("state")["attempts"] == "1:None,2:None"
        again.resumed_at(4)
        assert stream.next("state")["attempts"] == "1:None,2:4", "what was drawn beyond step 4 has to be loaded again"
        log(again, 5, 7)
        assert stream.steps(2) == [5, 6]
        again.end("finished")
        assert stream.next("state")["status"] == "finished"


def test_the_list_is_told_when_something_has_changed(desk, kept):
    with listening(desk, "runs") as stream:
        before = stream.next("runs")["mark"]
        with kept.begin("moons", 0, {"seed": 0}, "abc"):
            during = stream.next("runs")["mark"]
        after = stream.next("runs")["mark"]
    assert len({before, during, after}) == 3


def test_a_topic_without_a_run_is_quiet(desk):
    for topic in ("run:99", "run:moons", "run"):
        with listening(desk, topic) as stream:
            assert stream.next("state")["status"] == "gone"


def test_the_curves_of_a_page_end_where_its_stream_begins(desk, kept):
    run = kept.begin("moons", 0, {"seed": 0}, "abc")
    log(run, 0, 30)
    with desk.client() as client:
        [found] = client.get(f"/runs/curves?run={run.id}&metric=*").json()["runs"]
    assert found["metrics"]["loss"]["steps"] == list(range(30)) and found["measured"] == ["loss", "other"]
    log(run, 30, 33)
    with listening(desk, f"run:{run.id}", since=f"run:{run.id}={found['last']}") as stream:
        assert stream.steps(3) == [30, 31, 32]
    run.end("finished")
