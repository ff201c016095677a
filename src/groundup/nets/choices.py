"""Multiple choice by likelihood: the model answers with the choice that it finds the least surprising.

A long answer is less likely than a short one for its length alone, so there are several ways to compare. Which is used
can change an accuracy by ten points; say which. Brown et al., Language Models are Few-Shot Learners (2020), section
2.4; Gao, Multiple Choice Normalization in LM Evaluation (2021); names and definitions as in lm-evaluation-harness.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .likelihood import encode_pair, scores

RULES = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")


@dataclass(frozen=True)
class Question:
    """A question, its choices, and which of them is right (counted from 0)."""

    text: str
    choices: tuple[str, ...]
    answer: int


def prompt(question: Question, shots: Sequence[Question] = (), delimiter: str = " ", between: str = "\n\n") -> str:
    """What comes before a choice: each shot as its text, the delimiter and its right choice, then the question's text.

    All of them are joined by `between`. The delimiter before the choice itself is not part of the prompt. Raises
    ValueError where the question is among its own shots.
    """
    if question in shots:
        raise ValueError("the question is among the examples, and its answer with it")
    solved = [f"{shot.text}{delimiter}{shot.choices[shot.answer]}" for shot in shots]
    return between.join([*solved, question.text])


def choose(rule: str, logprobs, choices: Sequence[str], alone=None) -> int:
    """Which choice a rule takes; the first of several that are equal.

    logprobs: (k,) nats, ln p of each choice after the question. choices: their texts, without the delimiter. acc: the
    largest logprob. acc_norm: the largest per character. acc_bytes: the largest per byte of UTF-8. acc_mutual_info: the
    largest logprob - alone, where alone (k,) is ln p of each choice with no question before it. Raises ValueError for
    another rule, for an empty choice under acc_norm and acc_bytes, and for no `alone` where it is needed.
    """
    logprobs = np.asarray(logprobs, dtype=float)  # (k,)
    if rule == "acc":
        worth = logprobs
    elif rule == "acc_mutual_info":
        if alone is None:
            raise ValueError("acc_mutual_info compares with the choices alone: pass their logprobs")
        worth = logprobs - np.asarray(alone, dtype=float)
    elif rule in ("acc_norm", "acc_bytes"):
        lengths = [len(c if rule == "acc_norm" else c.encode("utf-8")) for c in choices]
        if 0 in lengths:
            raise ValueError("an empty choice has no length to divide by")
        worth = logprobs / np.array(lengths, dtype=float)
    else:
        raise ValueError(f"there is no rule {rule!r}: {', '.join(RULES)}")
    return int(np.argmax(worth))


def answer(
    model, tokenizer, questions: Sequence[Question], context: int, prefix: int, *,
    shots: Sequence[Question] = (), delimiter: str = " ", batch: int = 8,
) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """For each question the logprobs of its choices: {"given": (k,), "alone": (k,)}, float64, nats.

    given: of delimiter + choice after the `prompt`. alone: of delimiter + choice after nothing, that is after [prefix].
    Pairs are cut as `encode_pair` cuts them.
    """
    pairs = []
    for question in questions:
        for before in (prompt(question, shots, delimiter), ""):
            pairs += [encode_pair(tokenizer, before, delimiter + choice, prefix) for choice in question.choices]
    totals = iter([score.total for score in scores(model, pairs, context, batch)])
    return [
        {name: np.array([next(totals) for _ in question.choices]) for name in ("given", "alone")}
        for question in questions
    ]


def report(questions: Sequence[Question], answers: Sequence[dict[str, np.ndarray]]) -> dict[str, float]:
    """The share of right answers under each rule, and its standard error under the rule's name + "_stderr".

    Of n questions, the standard error of a share p is sqrt(p (1 - p) / (n - 1)); NaN for a single one. Raises
    ValueError where there is no question, or not as many answers.
    """
    if not questions or len(questions) != len(answers):
        raise ValueError(f"{len(questions)} questions and {len(answers)} answers: there has to be one for each")
    found = {}
    for rule in RULES:
        right = [choose(rule, a["given"], q.choices, a["alone"]) == q.answer for q, a in zip(questions, answers)]
        share, n = sum(right) / len(right), len(right)
        found[rule] = share
        found[f"{rule}_stderr"] = math.sqrt(share * (1.0 - share) / (n - 1)) if n > 1 else math.nan
    return found
