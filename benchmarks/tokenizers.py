"""Tokenizers beside those that are used: training beside Hugging Face's, encoding and decoding beside tiktoken's.

    python benchmarks/tokenizers.py            all tasks
    python benchmarks/tokenizers.py train      those whose name contains the word

The corpus is what lies on this machine: Tiny Shakespeare, then the sources and texts of Python's standard library and of the
installed packages, in order of their paths, until there are 50 MB. Training may use every core, on both sides, and is timed by the clock
on the wall; encoding has one thread. Before anything is timed, both have to give the same merges and the same ids.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

sys.path.remove(str(Path(__file__).parent))  # where this file has the name of Hugging Face's package

SIZE = 50_000_000  # bytes
VOCABULARY = 4096
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
SUFFIXES = (".py", ".pyi", ".rst", ".md", ".txt")


def corpus():
    """Texts, about 50 MB of them."""
    from groundup.data.loading import tinyshakespeare

    texts = [tinyshakespeare()]
    size = len(texts[0])
    for root in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for path in sorted(p for suffix in SUFFIXES for p in Path(root).rglob(f"*{suffix}")):
            try:
                content = path.read_bytes()
                texts.append(content.decode())
            except (OSError, UnicodeDecodeError):
                continue  # not a text in UTF-8: no part of this corpus
            size += len(content)
            if size >= SIZE:
                return texts
    return texts


def train_ours(texts):
    from groundup.text.bpe import train

    return train(texts, VOCABULARY, processes=CORES)


def train_theirs(texts):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_of(theirs):
    model = json.loads(theirs.to_str())["model"]
    return [(model["vocab"][a], model["vocab"][b]) for a, b in model["merges"]]


def in_tiktoken(bpe):
    import tiktoken

    from groundup.text.formats import tiktoken_ranks

    # GPT-2's pattern as tiktoken writes it: the same pieces, sooner
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
    return tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=tiktoken_ranks(bpe), special_tokens={})


def report(name, candidates, clock, megabytes, turns):
    """A line: both medians, the ratio's smallest, median and largest, and MB a second. Candidates take turns, in an order that reverses."""
    times = {which: [] for which in candidates}
    for turn in range(turns):
        for which in list(candidates)[:: 1 if turn % 2 == 0 else -1]:
            gc.collect()
            start = clock()
            candidates[which]()
            times[which].append(clock() - start)
    ratio = [a / b for a, b in zip(times["ours"], times["theirs"])]
    ours, theirs = (statistics.median(times[which]) for which in ("ours", "theirs"))
    spread = f"{min(ratio):10.2f} {statistics.median(ratio):7.2f} {max(ratio):7.2f}"
    print(
        f"{name:34} {ours:8.2f} {theirs:8.2f}   {spread}   {megabytes / ours:8.1f} {megabytes / theirs:8.1f}",
        flush=True,
    )


def peak(which):
    """MB that training takes at most beyond the corpus, in a process of its own with its children; None where Linux is not."""
    done = subprocess.run([sys.executable, __file__, "--peak", which], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def print_peak(which):
    import resource

    texts = corpus()
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return print("null")
    clear.write_text("5")  # the peak begins anew
    before = status("VmRSS")
    {"ours": train_ours, "theirs": train_theirs}[which](texts)
    children = (
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
    )  # a child begins as a copy of this process
    workers = CORES if which == "ours" and CORES > 1 else 0
    print(json.dumps((status("VmHWM") - before + workers * max(children, 0)) / 1024))


def status(field):
    """A line of /proc/self/status, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main(words):
    texts = corpus()
    whole = "\n".join(texts)
    megabytes = len(whole.encode()) / 1e6
    print(f"{megabytes:.1f} MB in {len(texts)} texts, {CORES} cores, vocabulary {VOCABULARY}")
    bpe, theirs = train_ours(texts), train_theirs(texts)
    assert bpe.merges == merges_of(theirs), "the merges differ"
    encoding = in_tiktoken(bpe)
    ids = bpe.encode(whole)
    assert ids.tolist() == encoding.encode_ordinary(whole), "the ids differ"
    assert bpe.decode(ids) == whole
    as_list = ids.tolist()

    def cold():
        return type(bpe)(bpe.merges, bpe.pattern).encode(whole)

    tasks = {
        "train": ({"ours": lambda: train_ours(texts), "theirs": lambda: train_theirs(texts)}, time.perf_counter, 3),
        "encode, nothing known yet": (
            {"ours": cold, "theirs": lambda: encoding.encode_ordinary(whole)},
            time.process_time,
            5,
        ),
        "encode, again": (
            {"ours": lambda: bpe.encode(whole), "theirs": lambda: encoding.encode_ordinary(whole)},
            time.process_time,
            5,
        ),
        "decode": ({"ours": lambda: bpe.decode(ids), "theirs": lambda: encoding.decode(as_list)}, time.process_time, 5),
    }
    print(f"{'':34} {'s':>8} {'theirs':>8}   {'ratio: min  median     max':26}   {'MB/s':>8} {'theirs':>8}")
    for name, (candidates, clock, turns) in tasks.items():
        if not words or any(word.lower() in name for word in words):
            report(name, candidates, clock, megabytes, turns)
    if not words or any(word.lower() in "train" for word in words):
        print("train, peak MB beyond the corpus:", *(f"{which} {peak(which)}" for which in ("ours", "theirs")))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        print_peak(sys.argv[2])
    else:
        main(sys.argv[1:])
