"""A language model from a text: tokens, a GPT, the training loop, and the loss on the part of the text that it never saw.

The last tenth is held out. The loss is the mean over all of its tokens, in windows that do not overlap, computed from what was saved;
beside it stands what counting alone can predict: an n-gram model with Kneser-Ney smoothing, fitted on the same text.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

import numpy as np
import platformdirs
import torch
from safetensors.torch import load_file, save_file

from ..data import catalogue
from ..lab import plot
from ..lab.recipe import RecipeError
from ..nets.gpt import GPTConfig
from ..train.loop import TrainConfig

END = "<|endoftext|>"
FLOOR_ORDER = 6  # of the n-gram model, for characters
IN_MEMORY = 64 << 20  # bytes of text; more is tokenised into shards on disk
DRY_STEPS = 10
GPT2_TOKENS = 50_257
H100, USED = 989e12, 0.4  # FLOP/s in bfloat16, and the share of a peak that a good run uses
RESUMES = True  # from the checkpoints in the run's folder

_KINDS = get_type_hints(GPTConfig)
Shape = make_dataclass(  # a GPTConfig without the size of the vocabulary, which follows from the text
    "Shape",
    [(f.name, _KINDS[f.name], field(default=f.default)) for f in fields(GPTConfig) if f.default is not MISSING],
    frozen=True,
)


@dataclass(frozen=True)
class Config:
    """data: a text, or a folder of .txt and .jsonl; "": Tiny Shakespeare. tokenizer: characters, byte pairs trained on the text
    (`vocabulary` of them), or GPT-2's. window: of the evaluation, in tokens; 0: as in training. dry: ten small steps, to see that
    all is in place.
    """

    seed: int = 0
    data: str = ""
    tokenizer: Literal["chars", "bpe", "gpt2"] = "chars"
    vocabulary: int = 0
    window: int = 0
    dry: bool = False
    own: bool = False  # the text has to be given
    gpu: bool = False  # whether it wants one
    floor: bool = True  # whether the n-gram floor is computed
    model: Shape = field(default_factory=Shape)  # type: ignore[valid-type]
    train: TrainConfig = field(default_factory=lambda: TrainConfig(steps=1000))

    @property
    def tokens_a_step(self) -> int:
        """Of one process."""
        return self.train.tokens_a_step


@dataclass(frozen=True)
class Corpus:
    """The two parts of a text as ids: one row each, or shards. bytes: of the validation part."""

    tokenizer: Any
    train: Any
    validation: Any
    bytes: int


def run(config: Config, record: Any, lib: Any) -> None:
    """Trains, and saves the tokenizer, the model and its curve. RecipeError for what a person can mend."""
    begun = time.perf_counter()
    with in_one_line(lib), lib.train.parallel.start(device=_device()) as parallel:
        if config.gpu and parallel.device.type == "cpu" and not config.dry:
            raise RecipeError(f"{_price(config, lib)}. Ten steps, to see that all is in place: --dry")
        corpus = read(config, lib)
        torch.manual_seed(config.seed)
        model = build(config, corpus.tokenizer, lib).to(parallel.device)
        settings = lib.train.loop.TrainConfig(**asdict(config.train) | {"seed": config.seed} | _small(config))
        batches = lib.train.data.Batches(
            corpus.train,
            settings.context,
            settings.batch,
            seed=config.seed,
            rank=parallel.rank,
            world=parallel.world,
            accumulate=settings.accumulate,
            slide=True,
        )
        if parallel.is_main:
            corpus.tokenizer.save(record.folder / "tokenizer.json")
            print(_said(model, batches, settings, lib))
        evaluating = settings.evaluate_every > 0
        done = lib.train.loop.train(
            parallel.wrap(model),
            batches,
            settings,
            folder=record.folder / "checkpoints" if settings.save_every or settings.save_seconds else None,
            validation=corpus.validation if evaluating else None,
            log=record.log,
            clock_started=begun,
            parallel=parallel,
        )
        if parallel.is_main:
            _keep(record, model, done)
    if done.stopped == "interrupted":
        raise KeyboardInterrupt


@contextlib.contextmanager
def in_one_line(lib: Any) -> Iterator[None]:
    """What the training stack refuses, as a RecipeError: it says in a sentence what to do."""
    train = lib.train
    expected = (
        train.shards.ShardError,
        train.step.Diverged,
        train.checkpoint.CheckpointError,
        train.parallel.ParallelError,
    )
    try:
        yield
    except expected as problem:
        raise RecipeError(str(problem)) from problem


def _small(config: Config) -> dict[str, Any]:
    """What a dry run does otherwise."""
    if not config.dry:
        return {}
    sizes = {"batch": 1, "accumulate": min(2, config.train.accumulate), "context": min(128, config.train.context)}
    return sizes | {"steps": DRY_STEPS, "seconds": 0.0, "evaluate_every": 0, "log_every": 1, "compile": False}


def evaluate(config: Config, folder: Path, lib: Any) -> dict[str, float]:
    """The saved model on the whole validation part, the n-gram floor, and how fast it was trained."""
    done = json.loads((folder / "finished.json").read_text())
    corpus = read(config, lib, lib.text.load(folder / "tokenizer.json"))
    model = restored(config, folder, corpus.tokenizer, lib)
    window = min(128, config.train.context) if config.dry else config.window or config.train.context
    pairs = lib.train.data.Batches(corpus.validation, window, max(1, (1024 if config.dry else 8192) // window)).full()
    precision = lib.train.step.Precision(config.train.dtype, next(model.parameters()).device)
    some = DRY_STEPS * window if config.dry else 0
    loss = lib.train.evaluation.evaluate(model, pairs, tokens=some, precision=precision)
    bits = loss * (len(corpus.validation) - 1) / corpus.bytes / math.log(2)
    found = {"val_loss": loss, "bits_per_byte": bits}
    if config.floor and config.tokenizer == "chars":
        found["ngram_loss"] = floor(corpus, lib)
    return found | {name: done[name] for name in ("tokens", "tokens_per_s", "mfu", "parameters")}


def sample(
    config: Config,
    folder: Path,
    lib: Any,
    prompt: str,
    *,
    tokens: int = 400,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    seed: int = 0,
) -> Iterator[str]:
    """What the saved model writes after a prompt, piece by piece."""
    tokenizer = lib.text.load(folder / "tokenizer.json")
    yield from _written(restored(config, folder, tokenizer, lib), tokenizer, prompt or "\n", tokens, lib,
                        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)  # fmt: skip


def build(config: Config, tokenizer: Any, lib: Any) -> Any:
    """A model with fresh weights, long enough for the window of the evaluation."""
    shape = asdict(config.model) | {"context": max(config.train.context, config.window)}
    return lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig(vocab_size=tokenizer.vocab_size, **shape))


def restored(config: Config, folder: Path, tokenizer: Any, lib: Any) -> Any:
    """The model that a run has saved."""
    model = build(config, tokenizer, lib)
    weights = load_file(folder / "model.safetensors")
    if model.config.tied:
        weights["head.weight"] = weights["tokens.weight"]  # one tensor, saved once
    model.load_state_dict(weights)
    return model.eval()


def floor(corpus: Corpus, lib: Any) -> float:
    """The loss of counting: an n-gram model, fitted on the training part."""
    counted = lib.text.ngram.KneserNey(order=FLOOR_ORDER).fit(corpus.train, corpus.tokenizer.vocab_size)
    return float(counted.nats_per_token(corpus.validation))


def read(config: Config, lib: Any, tokenizer: Any = None) -> Corpus:
    """The text as tokens. ValueError where there is none, or too little of it."""
    sources = _sources(config)
    size = sum(path.stat().st_size for path in sources)
    if size > IN_MEMORY or any(path.suffix == ".jsonl" for path in sources):
        return _sharded(config, sources, lib, tokenizer)
    text = "\n".join(_text(path) for path in sources)
    if len(text) < 20 * config.train.context:
        raise RecipeError(
            f"{len(text)} characters are too few to train on and to hold a tenth out: give a longer text with --data"
        )
    cut = int(0.9 * len(text))
    tokenizer = tokenizer or _tokenizer(config, text, text[:cut], lib)
    train, validation = tokenizer.encode(text[:cut]), tokenizer.encode(text[cut:])
    return Corpus(tokenizer, train, validation, len(text[cut:].encode()))


def _sources(config: Config) -> list[Path]:
    if not config.data:
        if config.own and not config.dry:
            raise RecipeError("this recipe trains on a text of your own, a file or a folder: --data PATH")
        return [catalogue.fetch("tinyshakespeare") / "input.txt"]
    path = Path(config.data).expanduser()
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".jsonl"))
        if not found:
            raise RecipeError(f"{path} holds no .txt and no .jsonl file: give a folder of text with --data")
        return found
    if not path.is_file():
        raise RecipeError(f"there is no file or folder {path}: give a text with --data")
    return [path]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise RecipeError(f"{path} is not UTF-8 (byte {problem.start}): save it as UTF-8") from None


def _tokenizer(config: Config, whole: str, train: str, lib: Any) -> Any:
    """Characters are those of the whole text; byte pairs are learned from the part that is trained on."""
    if config.tokenizer == "chars":
        return lib.text.chars.Chars.of(whole)
    if config.tokenizer == "gpt2":
        return lib.text.formats.from_gpt2(catalogue.fetch("gpt2") / "vocab.bpe")
    return lib.text.bpe.train(train, config.vocabulary or 1024, specials=[END])


def _sharded(config: Config, sources: list[Path], lib: Any, tokenizer: Any) -> Corpus:
    """Large texts are tokenised once, into a folder of the cache that their names, sizes and dates decide; every tenth file, or the
    last one's tail, is held out.
    """
    if config.tokenizer == "chars":
        raise RecipeError("so much text, or JSON lines, want another tokenizer than characters: --set tokenizer=bpe")
    stamp = "".join(f"{path.resolve()} {path.stat().st_size} {path.stat().st_mtime_ns}\n" for path in sources)
    stamp += f"{config.tokenizer} {config.vocabulary}"
    cache = Path(platformdirs.user_cache_dir("groundup", appauthor=False)) / "shards"
    folder = cache / hashlib.sha256(stamp.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    if tokenizer is None:
        with sources[0].open(encoding="utf-8") as file:
            head = file.read(16 << 20)
        tokenizer = _tokenizer(config, head, head, lib)
    tokenizer.save(folder / "tokenizer.json")
    held_out = sources[-max(1, len(sources) // 10) :] if len(sources) > 1 else sources
    rest = sources[: len(sources) - len(held_out)] or sources
    parts = {}
    for split, files in (("train", rest), ("validation", held_out)):
        parts[split] = lib.train.tokenise.tokenise(files, folder, folder / "tokenizer.json", split=split, separator=END)
    size = sum(path.stat().st_size for path in held_out)
    return Corpus(tokenizer, parts["train"], parts["validation"], size)


def _device() -> str | None:
    """The one GPU, if there is one and one process; where there are several processes, each finds its own."""
    return "cuda" if torch.cuda.is_available() and int(os.environ.get("WORLD_SIZE", "1")) == 1 else None


def _price(config: Config, lib: Any) -> str:
    """What a run of so many steps needs, on a GPU and here."""
    vocabulary = config.vocabulary or GPT2_TOKENS
    shape = lib.nets.gpt.GPTConfig(vocab_size=vocabulary, **asdict(config.model) | {"context": config.train.context})
    tokens = config.train.steps * config.tokens_a_step
    flops = tokens * lib.nets.counts.flops_per_token(shape)
    peak = lib.train.meter.peak_flops("cpu", lib.train.step.Precision(config.train.dtype).dtype)
    hours, days = flops / (USED * H100 * 3600), flops / (USED * peak * 86400)
    return (
        f"it wants a GPU, or several by torchrun: {tokens / 1e9:.1f} billion tokens are {flops:.1e} FLOP, at {USED:.0%} of"
        f" the peak {hours:,.1f} hours on one H100 and {days:,.0f} days on this processor"
    )


def _said(model: Any, batches: Any, settings: Any, lib: Any) -> str:
    """What the run comes to, before it begins."""
    counts = lib.nets.counts
    parameters = counts.parameters(model.config)
    flops = counts.flops_per_token(model.config, settings.context)
    said = f"{parameters:,} parameters, {batches.tokens:,} tokens of text, {batches.step_tokens:,} a step, {flops / 1e6:.1f} MFLOP a token"
    if settings.steps:
        total = settings.steps * batches.step_tokens
        said += f"; {settings.steps:,} steps are {total / 1e6:.1f} M tokens, {total / batches.tokens:.1f} epochs, {total * flops / 1e12:.1f} TFLOP"
    else:
        said += f"; {settings.seconds:g} s"
    return said


def _keep(record: Any, model: Any, done: Any) -> None:
    """The model, how it went, and the curve."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if model.config.tied:
        del weights["head.weight"]
    save_file(weights, record.folder / "model.safetensors")
    record.keep(record.folder / "model.safetensors")
    record.keep(record.folder / "tokenizer.json")
    parameters = sum(p.numel() for p in model.parameters())
    (record.folder / "finished.json").write_text(json.dumps(asdict(done) | {"parameters": parameters}))
    series = {name: record.metrics(name) for name in ("loss", "val_loss")}
    drawn = {name: tuple(zip(*points)) for name, points in series.items() if points}
    if drawn:
        figure = plot.curves(drawn, "cross-entropy, nats a token")  # type: ignore[arg-type]
        record.keep(plot.save(figure, record.folder / "loss.png"))


def _written(
    model: Any, tokenizer: Any, prompt: str, tokens: int, lib: Any, *, seed: int, **options: Any
) -> Iterator[str]:
    ids = torch.from_numpy(np.asarray(tokenizer.encode(prompt), np.int64))[None]
    generator = torch.Generator().manual_seed(seed)
    waiting: list[int] = []
    options["cache"] = not (model.config.before or model.config.bigram)  # those read tokens that a cache does not hold
    for token in lib.nets.sample.stream(model, ids, tokens, generator=generator, **options):
        waiting.append(int(token))
        text = tokenizer.decode(waiting)
        if not text.endswith("\ufffd") or len(waiting) > 4:  # the bytes of one character may be several tokens
            yield text
            waiting = []
