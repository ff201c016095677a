"""Evals' format, with regular expressions and translation tables."""

import json
import re
import statistics
import string
from collections import Counter, namedtuple


class Sample(namedtuple("Sample", ["input", "ideal"])):
    @property
    def text(self):
        if isinstance(self.input, str) or len(self.input) == 1:
            return self.input if isinstance(self.input, str) else self.input[0]["content"]
        text = ""
        for message in self.input:
            who = message["name"] if "name" in message else message["role"]
            if who == "example_user":
                who = "User"
            if who == "example_assistant":
                who = "Assistant"
            text += ("" if who == "system" else who.capitalize() + ": ") + message["content"] + "\n"
        return (text + "Assistant:").lstrip()


def read(lines):
    samples = []
    for number, line in enumerate(re.split("\r?\n", lines)):
        if line.strip():
            samples.append(one(line, number + 1))
    return samples


def one(line, number):
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not {"input", "ideal"} <= set(row):
        raise ValueError(f"line {number}: not a sample")
    ideal, given = row["ideal"], row["input"]
    if isinstance(ideal, str):
        ideal = [ideal]
    right = isinstance(ideal, list) and len(ideal) > 0 and all(type(answer) is str for answer in ideal)
    if isinstance(given, list):
        right = right and len(given) > 0
        for message in given:
            right = right and isinstance(message, dict) and {"role", "content"} <= set(message)
            right = right and type(message["role"]) is str and type(message["content"]) is str
    elif not isinstance(given, str):
        right = False
    if not right:
        raise ValueError(f"line {number}: input or ideal in another form")
    return Sample(given, tuple(ideal))


def match(completion, ideal):
    return completion.startswith(tuple(ideal))


def includes(completion, ideal, ignore_case=False):
    flags = re.IGNORECASE if ignore_case else 0
    return any(re.search(re.escape(answer), completion, flags) is not None for answer in ideal)


def normalise(text):
    words = text.lower().translate(str.maketrans("", "", string.punctuation)).split()
    return " ".join(word for word in words if word not in {"a", "an", "the"})


def fuzzy_match(completion, ideal):
    def alike(a, b):
        if "" in (a, b):
            return a == b
        return a in b or b in a

    return any(alike(normalise(completion), normalise(answer)) for answer in ideal)


def f1(completion, ideal):
    def overlap(a, b):
        a, b = Counter(normalise(a).split()), Counter(normalise(b).split())
        both = sum(min(a[word], b[word]) for word in a)
        return 2 * both / (sum(a.values()) + sum(b.values())) if both else 0.0

    return max(overlap(completion, answer) for answer in ideal)


def json_match(completion, ideal):
    wanted = [json.loads(answer) for answer in ideal]
    try:
        said = json.loads(completion)
    except json.JSONDecodeError:
        return False
    return not missing(said) and any(said == answer for answer in wanted)


def missing(value):
    if isinstance(value, dict):
        value = list(value.values())
    return value is None or (isinstance(value, list) and any(map(missing, value)))


GRADERS = {"match": match, "includes": includes, "fuzzy_match": fuzzy_match, "json_match": json_match}


def run(samples, complete, grader="match", *, name="eval", run_id="run", now=lambda: "", write=lambda line: None):
    if grader not in GRADERS or len(samples) == 0:
        raise ValueError("no such grader, or no samples")

    def event(number, sample, kind, data):
        write(
            json.dumps(
                {
                    "run_id": run_id,
                    "event_id": number,
                    "sample_id": f"{name}.{sample}",
                    "type": kind,
                    "data": data,
                    "created_by": "",
                    "created_at": now(),
                }
            )
        )

    write(json.dumps({"spec": {"eval_name": name, "run_id": run_id, "grader": grader}}))
    right, overlaps = [], []
    for i, sample in enumerate(samples):
        said = complete(sample.text)
        event(2 * i, i, "sampling", {"prompt": sample.input, "sampled": said})
        hits = [answer for answer in sample.ideal if GRADERS[grader](said, (answer,))]
        right.append(1.0 if hits else 0.0)
        overlaps.append(f1(said, sample.ideal))
        expected = list(sample.ideal)
        data = {"correct": bool(hits), "expected": expected if len(expected) > 1 else expected[0]}
        event(2 * i + 1, i, "match", {**data, "picked": hits[0] if hits else None, "sampled": said})
    n = len(right)
    report = {"accuracy": sum(right) / n, "stderr": float("nan")}
    if n > 1:
        report["stderr"] = statistics.stdev(right) / n**0.5
    if grader == "fuzzy_match":
        report["f1_score"] = sum(overlaps) / n
    told = dict(report, stderr=report["stderr"] if n > 1 else None)
    write(json.dumps({"final_report": told, "run_id": run_id}))
    return report
