"""Multiple choice, question by question."""

import statistics
from collections import namedtuple

import numpy as np

from .likelihood import encode_pair, scores

RULES = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")
Question = namedtuple("Question", ["text", "choices", "answer"])


def prompt(question, shots=(), delimiter=" ", between="\n\n"):
    text = ""
    for shot in shots:
        if shot == question:
            raise ValueError("the question is among the examples")
        text += shot.text + delimiter + shot.choices[shot.answer] + between
    return text + question.text


def choose(rule, logprobs, choices, alone=None):
    divisors = {
        "acc": lambda text: 1,
        "acc_norm": len,
        "acc_bytes": lambda text: len(bytes(text, "utf-8")),
        "acc_mutual_info": lambda text: 1,
    }
    if rule not in divisors or (rule == "acc_mutual_info" and alone is None):
        raise ValueError(rule)
    if rule in ("acc_norm", "acc_bytes") and "" in choices:
        raise ValueError("an empty choice")
    start = alone if rule == "acc_mutual_info" else [0.0] * len(choices)
    worths = [(lp - a) / divisors[rule](text) for lp, a, text in zip(logprobs, start, choices)]
    return worths.index(max(worths))


def answer(model, tokenizer, questions, context, prefix, *, shots=(), delimiter=" ", batch=8):
    def sums(before, choices):
        pairs = [encode_pair(tokenizer, before, delimiter + choice, prefix) for choice in choices]
        return np.array([score.total for score in scores(model, pairs, context, batch)])

    return [{"given": sums(prompt(q, shots, delimiter), q.choices), "alone": sums("", q.choices)} for q in questions]


def report(questions, answers):
    if len(questions) == 0 or len(questions) != len(answers):
        raise ValueError("one answer for each question")
    found = {}
    for rule in RULES:
        right = [float(choose(rule, a["given"], q.choices, a["alone"]) == q.answer) for q, a in zip(questions, answers)]
        found[rule] = statistics.fmean(right)
        found[rule + "_stderr"] = statistics.stdev(right) / len(right) ** 0.5 if len(right) > 1 else float("nan")
    return found
