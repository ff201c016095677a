"""Questions with written answers, in the format of OpenAI's Evals: samples in, a log of events and a report out.

A sample is a line of JSON: `{"input": [{"role": "system", "content": "2 + 2 ="}], "ideal": "4"}`. The model completes
the input, a grader holds the completion against the ideal answers, and each step is a line of the log. What counts as
right differs from grader to grader: github.com/openai/evals, docs/eval-templates.md and evals/elsuite/basic.
"""

import json
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

ROLES = {"system": "", "example_user": "User: ", "example_assistant": "Assistant: "}  # what stands before a message


@dataclass(frozen=True)
class Sample:
    """What the model is given, a text or a list of messages {"role", "content"}, and the answers that are right."""

    input: str | list[dict[str, str]]
    ideal: tuple[str, ...]

    @property
    def text(self) -> str:
        """The input as one text for a model that completes texts.

        A text stays, and so does a single message. Of several, each is a line, "Role: content", by its name if it has
        one; for system nothing stands before the content, for example_user and example_assistant "User: " and
        "Assistant: ". White space at the beginning goes, and "Assistant:" is added at the end.
        """
        if isinstance(self.input, str):
            return self.input
        if len(self.input) == 1:
            return self.input[0]["content"]
        lines = []
        for message in self.input:
            role = message.get("name", message["role"])
            lines.append(f"{ROLES.get(role, role.capitalize() + ': ')}{message['content']}\n")
        return ("".join(lines) + "Assistant:").lstrip()


def read(lines: str) -> list[Sample]:
    """The samples of a JSONL text, a line each; empty lines are passed over. A line ends at a newline and nowhere else.

    ideal may be one text or a list of at least one. ValueError with the number of the line for what is not JSON, lacks
    input or ideal, or has them in another form.
    """
    samples = []
    for number, line in enumerate(lines.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as problem:
            raise ValueError(f"line {number} is not JSON: {problem.msg}") from None
        if not isinstance(found, dict) or "input" not in found or "ideal" not in found:
            raise ValueError(f"line {number} needs an input and an ideal")
        ideal = [found["ideal"]] if isinstance(found["ideal"], str) else found["ideal"]
        if not isinstance(ideal, list) or not ideal or not all(isinstance(text, str) for text in ideal):
            raise ValueError(f"line {number}: ideal is a text, or a list of at least one")
        if not isinstance(found["input"], str) and not _is_chat(found["input"]):
            raise ValueError(f'line {number}: input is a text, or a list of messages {{"role", "content"}}')
        samples.append(Sample(found["input"], tuple(ideal)))
    return samples


def match(completion: str, ideal: Sequence[str]) -> bool:
    """Whether the completion begins with one of the answers, to the letter."""
    return any(completion.startswith(answer) for answer in ideal)


def includes(completion: str, ideal: Sequence[str], ignore_case: bool = False) -> bool:
    """Whether one of the answers stands anywhere in the completion."""
    if ignore_case:
        completion, ideal = completion.lower(), [answer.lower() for answer in ideal]
    return any(answer in completion for answer in ideal)


def normalise(text: str) -> str:
    """Lower case, without ASCII punctuation, then without the words a, an and the, with single spaces and none at the
    ends."""
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def fuzzy_match(completion: str, ideal: Sequence[str]) -> bool:
    """Whether, both normalised, the completion stands in one of the answers, or one of the answers in it.

    Where either is empty after that, only the other being empty too is a match.
    """
    said = normalise(completion)
    for answer in map(normalise, ideal):
        if (said == answer) if not said or not answer else (said in answer or answer in said):
            return True
    return False


def f1(completion: str, ideal: Sequence[str]) -> float:
    """The harmonic mean of precision and recall over normalised words, counted as often as they occur; the best
    answer's."""
    said = Counter(normalise(completion).split())
    best = 0.0
    for answer in ideal:
        true = Counter(normalise(answer).split())
        common = sum((said & true).values())
        if common:
            best = max(best, 2.0 * common / (sum(said.values()) + sum(true.values())))
    return best


def json_match(completion: str, ideal: Sequence[str]) -> bool:
    """Whether the completion is JSON, and equal to one of the answers, part by part: order of keys and spaces do not
    count.

    A null on either side, anywhere, never matches, and nor does a key that only one of the two has. A completion that
    is not JSON does not match. ValueError for an answer that is not JSON.
    """
    answers = [json.loads(answer) for answer in ideal]
    try:
        said = json.loads(completion)
    except ValueError:
        return False
    return any(_same(said, answer) for answer in answers)


GRADERS: dict[str, Callable[[str, Sequence[str]], bool]] = {
    "match": match,
    "includes": includes,
    "fuzzy_match": fuzzy_match,
    "json_match": json_match,
}


def run(
    samples: Sequence[Sample],
    complete: Callable[[str], str],
    grader: str = "match",
    *,
    name: str = "eval",
    run_id: str = "run",
    now: Callable[[], str] = lambda: "",
    write: Callable[[str], object] = lambda line: None,
) -> dict[str, float]:
    """Completes and grades every sample in order, writes the log line by line, and returns the report.

    complete: Sample.text -> the model's continuation. write: gets each line of the log without its newline, as soon as
    it is known. The log, each line an object: first {"spec": {"eval_name", "run_id", "grader"}}; for each sample two
    events, {"run_id", "event_id", "sample_id", "type", "data", "created_by", "created_at"}, whose event_id counts from
    0, sample_id is "name.number" from 0, created_by "" and created_at now(); the first has type "sampling" and data
    {"prompt", "sampled"}, the second type "match" and data {"correct", "expected", "picked", "sampled"}, where prompt
    is the sample's input as it was, expected the list of answers, or the only one, and picked the first answer that
    alone is matched, or null; last {"final_report": the report, "run_id"}. The report: {"accuracy": share of right
    samples, "stderr": its standard error sqrt(p (1 - p) / (n - 1)), NaN for one sample}, and for fuzzy_match also
    "f1_score", the mean of `f1`. A NaN is written as null. ValueError for no samples, or another grader.
    """
    if grader not in GRADERS:
        raise ValueError(f"there is no grader {grader!r}: {', '.join(GRADERS)}")
    if not samples:
        raise ValueError("there are no samples")
    grade = GRADERS[grader]
    write(_line({"spec": {"eval_name": name, "run_id": run_id, "grader": grader}}))
    events, right, overlaps = 0, 0, 0.0
    for number, sample in enumerate(samples):
        said = complete(sample.text)
        picked = next((answer for answer in sample.ideal if grade(said, [answer])), None)
        right += picked is not None
        overlaps += f1(said, sample.ideal)
        expected: Any = sample.ideal[0] if len(sample.ideal) == 1 else list(sample.ideal)
        for kind, data in (
            ("sampling", {"prompt": sample.input, "sampled": said}),
            ("match", {"correct": picked is not None, "expected": expected, "picked": picked, "sampled": said}),
        ):
            head = {"run_id": run_id, "event_id": events, "sample_id": f"{name}.{number}", "type": kind}
            write(_line({**head, "data": data, "created_by": "", "created_at": now()}))
            events += 1
    n, p = len(samples), right / len(samples)
    report = {"accuracy": p, "stderr": math.sqrt(p * (1.0 - p) / (n - 1)) if n > 1 else math.nan}
    if grader == "fuzzy_match":
        report["f1_score"] = overlaps / n
    written = {key: None if math.isnan(value) else value for key, value in report.items()}
    write(_line({"final_report": written, "run_id": run_id}))
    return report


def _is_chat(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) > 0
        and all(
            isinstance(message, dict)
            and isinstance(message.get("role"), str)
            and isinstance(message.get("content"), str)
            for message in found
        )
    )


def _same(a: Any, b: Any) -> bool:
    """Part by part; null is equal to nothing."""
    if a is None or b is None:
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b


def _line(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False)
