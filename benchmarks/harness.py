"""Our likelihoods beside EleutherAI's lm-evaluation-harness: one small GPT, two generated tasks, and the differences.

The harness is heavy, so it is no part of the project's environment. Give it one of its own beside this one:

    python -m venv harness
    harness/bin/pip install lm-eval torch -e .
    harness/bin/python benchmarks/harness.py

Exit status 0 if all numbers agree, 1 if one does not, 2 where lm_eval cannot be imported: then nothing was measured.
"""

import json
import logging
import os
import random
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # both tasks are local files
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import torch

from groundup.nets.choices import RULES, Question, answer, report
from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.likelihood import evaluate
from groundup.text import bpe

CONTEXT = 48
QUESTIONS = 60
TOLERANCE = 1e-5  # relative: both sum float32 logarithms, in another order


def corpus(rng):
    """Sentences of a small language, with words of different lengths and some that are not ASCII."""
    who, what = ["the cat", "a rat", "Zoë", "the café owner"], ["saw", "followed", "painted", "heard of"]
    return [f"{rng.choice(who)} {rng.choice(what)} {rng.choice(who)}." for _ in range(400)]


def questions(rng):
    """The beginning of a sentence and four ends, of which one is meant; some end with a space, which must not matter."""
    ends = [
        "the cat.",
        "Zoë, naïvely.",
        "a rat",
        "the café owner, and a rat as well.",
        "é",
        "Zoë",
        "owner",
        "the",
        "cat ca",
    ]
    made = []
    for _ in range(QUESTIONS):
        choices = rng.sample(ends, 4)
        start = rng.choice(["Zoë saw", "the cat followed", "a rat heard of"]) + rng.choice(["", "", " "])
        made.append(Question(start, tuple(choices), rng.randrange(4)))
    return made


def trained(tokenizer, text):
    """A GPT after a few steps: its numbers have to differ from token to token, and need not be good."""
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=tokenizer.vocab_size, context=CONTEXT, layers=2, heads=2, width=32)
    model, ids = GPT(config), torch.from_numpy(tokenizer.encode(text)).long()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(12):
        starts = torch.randint(len(ids) - CONTEXT - 1, (8,))
        rows = torch.stack([ids[i : i + CONTEXT + 1] for i in starts])
        optimiser.zero_grad()
        model(rows[:, :-1], rows[:, 1:]).backward()
        optimiser.step()
    return model.eval()


def adapter(model, tokenizer, prefix):
    """Our GPT as the harness wants one: the harness cuts, windows and aggregates; the model only gives logits."""
    from lm_eval.api.model import TemplateLM
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    class Ours(TemplateLM):
        backend = "causal"

        @property
        def eot_token_id(self):
            return prefix

        @property
        def tokenizer_name(self):
            return "groundup"

        def tok_encode(self, string, **_):
            return tokenizer.encode(string).tolist()

        @torch.no_grad()
        def _loglikelihood_tokens(self, requests, disable_tqdm=False, **_):
            found = []
            for _, given, continuation in requests:
                fed = torch.tensor([(given + continuation)[-(CONTEXT + 1) :][:-1]])
                logprobs = model(fed)[0, -len(continuation) :].log_softmax(-1)
                target = torch.tensor(continuation)
                total = logprobs.gather(1, target[:, None]).sum().item()
                found.append((total, bool((logprobs.argmax(-1) == target).all())))
            return found

        def loglikelihood_rolling(self, requests, disable_tqdm=False):
            totals = []
            for (string,) in [request.args for request in requests]:
                pairs = get_rolling_token_windows(self.tok_encode(string), prefix, CONTEXT, 1)
                pairs = [(None, *make_disjoint_window(pair)) for pair in pairs]
                totals.append(sum(total for total, _ in self._loglikelihood_tokens(pairs)))
            return totals

        def generate_until(self, requests, disable_tqdm=False):
            raise NotImplementedError("neither task generates")

    return Ours()


def theirs(model, tokenizer, prefix, asked, texts, folder):
    """What lm_eval's evaluator reports for a multiple-choice task and for a task of whole texts."""
    from lm_eval import simple_evaluate

    logging.getLogger("lm_eval").setLevel(logging.ERROR)

    rows = {
        "choices": [{"question": q.text, "choices": list(q.choices), "answer": q.answer} for q in asked],
        "texts": [{"text": text} for text in texts],
    }
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    local = {"dataset_path": "json", "test_split": "test"}
    tasks = [
        {
            **local,
            "task": "groundup_choices",
            "dataset_kwargs": {"data_files": {"test": str(folder / "choices.jsonl")}},
            "output_type": "multiple_choice",
            "doc_to_text": "{{question}}",
            "doc_to_choice": "choices",
            "doc_to_target": "answer",
            "metric_list": [{"metric": rule, "aggregation": "mean", "higher_is_better": True} for rule in RULES],
        },
        {
            **local,
            "task": "groundup_texts",
            "dataset_kwargs": {"data_files": {"test": str(folder / "texts.jsonl")}},
            "output_type": "loglikelihood_rolling",
            "doc_to_text": "",
            "doc_to_target": "{{text}}",
            "metric_list": [{"metric": "bits_per_byte"}, {"metric": "word_perplexity"}, {"metric": "byte_perplexity"}],
        },
    ]
    found = simple_evaluate(adapter(model, tokenizer, prefix), tasks=tasks, bootstrap_iters=0, verbosity="ERROR")
    choices, whole = found["results"]["groundup_choices"], found["results"]["groundup_texts"]
    numbers = {rule: choices[f"{rule},none"] for rule in RULES}
    numbers |= {name: whole[f"{name},none"] for name in ("bits_per_byte", "word_perplexity", "byte_perplexity")}
    sums = {}  # the four log-likelihoods of each question, as the harness logged them
    for sample in found["samples"]["groundup_choices"]:
        sums[sample["doc_id"]] = [float(response[0]) for response in sample["filtered_resps"]]
    return numbers, sums


def main():
    """A row for each number, ours and theirs, and their difference."""
    try:
        import lm_eval
    except ImportError:
        print("not measured: lm_eval cannot be imported.", *__doc__.split("\n\n")[1:3], sep="\n")
        return 2
    rng = random.Random(0)
    sentences = corpus(rng)
    text = "\n".join(sentences)
    tokenizer = bpe.train(text, 300)
    prefix = int(tokenizer.encode("\n")[0])
    model, asked = trained(tokenizer, text), questions(rng)
    texts = ["\n".join(rng.sample(sentences, n)) for n in (1, 3, 12, 30)] + [" a rat  saw\n\nZoë "]
    answers = answer(model, tokenizer, asked, CONTEXT, prefix)
    whole = evaluate(model, tokenizer, texts, CONTEXT, prefix)
    ours = report(asked, answers) | {
        "bits_per_byte": whole.bits_per_byte,
        "word_perplexity": whole.word_perplexity,
        "byte_perplexity": 2**whole.bits_per_byte,
    }
    with tempfile.TemporaryDirectory() as folder:
        numbers, sums = theirs(model, tokenizer, prefix, asked, texts, Path(folder))
    print(f"lm_eval {lm_eval.__version__}: {len(asked)} questions, {len(texts)} texts, context {CONTEXT}")
    print(f"{'':28}{'ours':>14}{'theirs':>14}{'difference':>14}")
    worst = 0.0
    for name, value in numbers.items():
        off = abs(ours[name] - value)
        worst = max(worst, off / max(1.0, abs(value)))
        print(f"{name:28}{ours[name]:14.6f}{value:14.6f}{off:14.1e}")
    pairs = [pair for i, found in enumerate(answers) for pair in zip(found["given"], sums[i])]
    far = max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs)
    print(f"{f'ln p of {len(pairs)} choices, relative':42}{'':14}{far:14.1e}")
    agree = max(worst, far) < TOLERANCE
    print("they agree" if agree else "they do not agree")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
