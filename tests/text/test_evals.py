"""Written answers: what each grader takes, a log that can be read back, and errors by the line."""

import json

import pytest

from groundup.text import evals


@pytest.mark.parametrize(
    ("grader", "completion", "ideal", "right"),
    [
        ("match", "42 it is", ["42"], True),
        ("match", " 42", ["42"], False),
        ("match", "", ["42"], False),
        ("includes", "it is 42.", ["41", "42"], True),
        ("includes", "Yes", ["yes"], False),
        ("fuzzy_match", "The  Cat!", ["cat"], True),
        ("fuzzy_match", "cat", ["the cat sat"], True),
        ("fuzzy_match", "", ["cat"], False),
        ("fuzzy_match", "the", ["an"], True),  # both are empty once the articles are gone
        ("json_match", '{"b": [1, 2.0], "a": "x"}', ['{"a": "x", "b": [1.0, 2]}'], True),
        ("json_match", '{"a": null}', ['{"a": null}'], False),
        ("json_match", "not json", ["1"], False),
    ],
)
def test_graders(grader, completion, ideal, right):
    assert evals.GRADERS[grader](completion, ideal) is right


def test_json_answers_have_to_be_json():
    with pytest.raises(ValueError):
        evals.json_match("1", ["one"])


def test_a_log_tells_the_whole_run():
    samples = evals.read('{"input": "2+2=", "ideal": "4"}\n{"input": "1+1=", "ideal": ["2", "two"]}\n')
    log = []
    report = evals.run(samples, {"2+2=": "5", "1+1=": "two."}.get, name="sums", write=log.append)
    rows = [json.loads(line) for line in log]
    assert report["accuracy"] == 0.5 == rows[-1]["final_report"]["accuracy"]
    events = rows[1:-1]
    assert [event["event_id"] for event in events] == [0, 1, 2, 3]
    graded = [event["data"]["correct"] for event in events if event["type"] == "match"]
    assert sum(graded) / len(graded) == report["accuracy"]


def test_whoever_stops_halfway_has_half_a_log():
    log = []

    def complete(text):
        if text == "b":
            raise KeyboardInterrupt
        return "x"

    samples = [evals.Sample("a", ("x",)), evals.Sample("b", ("x",))]
    with pytest.raises(KeyboardInterrupt):
        evals.run(samples, complete, write=log.append)
    assert [json.loads(line).get("type", "spec") for line in log] == ["spec", "sampling", "match"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "3",
        '{"input": "x"}',
        '{"input": 1, "ideal": "x"}',
        '{"input": [{}], "ideal": "x"}',
        '{"input": "x", "ideal": []}',
    ],
)
def test_a_bad_line_is_named(line):
    with pytest.raises(ValueError, match="line 3"):
        evals.read('{"input": "x", "ideal": "y"}\n\n' + line)


def test_a_line_separator_inside_a_text_does_not_end_the_line():
    [sample] = evals.read('{"input": "a\u2028b\u0085c", "ideal": "d"}')
    assert sample.input == "a\u2028b\u0085c"


def test_a_chat_becomes_a_text_that_ends_where_the_assistant_speaks():
    chat = [{"role": "system", "content": "Add."}, {"role": "user", "content": "2+2"}]
    assert evals.Sample(chat, ("4",)).text == "Add.\nUser: 2+2\nAssistant:"
    assert evals.Sample(chat[:1], ("4",)).text == "Add."


def test_no_samples_and_no_such_grader_are_refused():
    with pytest.raises(ValueError, match="no samples"):
        evals.run([], str)
    with pytest.raises(ValueError, match="match, includes"):
        evals.run([evals.Sample("x", ("y",))], str, "exact")
