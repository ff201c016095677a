"""GPT-2 as it was published: its four sizes, its weights read under their names, and written so that others can read them.

A folder holds config.json and model.safetensors, as Hugging Face's `transformers` writes them. OpenAI's code kept a linear
layer's weight as (in, out), and the files have kept it so; ours, as torch.nn's, is (out, in). The architecture: Radford and
others, Language Models are Unsupervised Multitask Learners (2019), table 2.
"""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .gpt import GPT, GPTConfig

SIZES = {  # 124, 355, 774 and 1,558 million parameters
    "gpt2": dict(layers=12, heads=12, width=768),
    "gpt2-medium": dict(layers=24, heads=16, width=1024),
    "gpt2-large": dict(layers=36, heads=20, width=1280),
    "gpt2-xl": dict(layers=48, heads=25, width=1600),
}
FIXED = {  # what a config.json may say besides sizes; a key that is absent has the value that stands here
    "model_type": "gpt2",
    "activation_function": "gelu_new",  # the tanh form
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}
PREFIX = "transformer."  # before every name but lm_head.weight; the files of 2019 leave it out
MASKS = (".attn.bias", ".attn.masked_bias")  # endings of causal masks that old files carry along: constants, no weights


def sized(name, **over):
    """The GPTConfig of a size by name; `over` replaces fields. ValueError for a name that is not in SIZES."""
    if name not in SIZES:
        raise ValueError(f"the sizes of GPT-2 are {', '.join(SIZES)}, not {name!r}")
    return GPTConfig.gpt2(**{**SIZES[name], **over})


def names(config):
    """{published name, without PREFIX: (name in GPT(config).state_dict(), transposed)}, everything that a file has to hold.

    wte and wpe are the tables, h.0 the first block; in it ln_1, attn.c_attn (queries, keys, values), attn.c_proj, ln_2, mlp.c_fc
    and mlp.c_proj; ln_f the last norm; lm_head.weight is there only where the head is not tied.
    """
    found = {"wte.weight": ("tokens.weight", False), "wpe.weight": ("positions.weight", False)}
    layers = {
        "attn.c_attn": "attention.qkv",
        "attn.c_proj": "attention.out",
        "mlp.c_fc": "mlp.up",
        "mlp.c_proj": "mlp.down",
    }
    norms = {"ln_1": "norm1", "ln_2": "norm2"}
    for i in range(config.layers):
        for theirs, ours in (layers | norms).items():
            found[f"h.{i}.{theirs}.weight"] = (f"blocks.{i}.{ours}.weight", theirs in layers)
            found[f"h.{i}.{theirs}.bias"] = (f"blocks.{i}.{ours}.bias", False)
    found |= {"ln_f.weight": ("norm.weight", False), "ln_f.bias": ("norm.bias", False)}
    if not config.tied:
        found["lm_head.weight"] = ("head.weight", False)
    return found


def read_config(folder):
    """The GPTConfig of a folder's config.json: n_embd, n_layer, n_head, n_positions, vocab_size, and n_inner and
    tie_word_embeddings where they are there. Dropout is 0, whatever the file trained with.

    ValueError where the file is absent, a size is, or a key of FIXED has another value: that would be another network.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise ValueError(f"{path} is not there; a folder of GPT-2 holds config.json and model.safetensors")
    said = json.loads(path.read_text(encoding="utf-8"))
    for key, value in FIXED.items():
        if said.get(key, value) != value:
            raise ValueError(f"{path}: {key} is {said[key]!r}, and this network has {value!r}")
    absent = [key for key in ("vocab_size", "n_positions", "n_layer", "n_head", "n_embd") if key not in said]
    if absent:
        raise ValueError(f"{path} does not say {', '.join(absent)}")
    return GPTConfig.gpt2(
        vocab_size=said["vocab_size"],
        context=said["n_positions"],
        layers=said["n_layer"],
        heads=said["n_head"],
        width=said["n_embd"],
        hidden=said.get("n_inner") or 0,
        tied=said.get("tie_word_embeddings", True),
    )


def from_pretrained(folder):
    """The GPT of a folder, with its weights, in float32 and in evaluation mode.

    Names may stand with PREFIX or without. MASKS and, where the head is tied, lm_head.weight are passed over. ValueError that
    lists all of them where tensors are missing, unknown, or of another shape; also where a file is absent or no safetensors.
    """
    model = GPT(read_config(folder))
    ours, wanted = model.state_dict(), names(model.config)
    path = Path(folder) / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{path} is not there; a folder of GPT-2 holds config.json and model.safetensors")
    try:
        with safe_open(path, "pt") as file:
            problems = _fill(ours, wanted, file)
    except SafetensorError as problem:
        raise ValueError(f"{path} is no safetensors file, or a torn one ({problem})") from None
    if problems:
        raise ValueError(f"{path} does not fit its config.json: {'; '.join(problems)}")
    return model.eval()


@torch.no_grad()
def _fill(ours, wanted, file):
    """Copies tensor by tensor, so that no more than one is in memory twice. -> what does not fit, as sentences."""
    there = {name.removeprefix(PREFIX): name for name in sorted(file.keys())}
    passed = {name for name in there if name.endswith(MASKS)} | {"lm_head.weight"}
    problems = [f"{name} is missing" for name in wanted if name not in there]
    problems += [f"{name} is unknown" for name in there if name not in wanted and name not in passed]
    for theirs, (name, transposed) in wanted.items():
        if theirs in there:
            tensor = file.get_tensor(there[theirs])
            tensor = tensor.T if transposed and tensor.ndim == 2 else tensor
            if tensor.shape != ours[name].shape:
                has, needs = (list(reversed(t.shape) if transposed else t.shape) for t in (tensor, ours[name]))
                problems.append(f"{theirs} has the shape {has}, not {needs}")
            else:
                ours[name].copy_(tensor)  # state_dict() shares memory with the model
    return problems


def save_pretrained(model, folder):
    """Writes config.json and model.safetensors into a folder, made if need be, so that `from_pretrained` and transformers'
    GPT2LMHeadModel.from_pretrained read them. Each file is written beside and put in place whole.

    ValueError, before anything is written, for a model that is no GPT-2: other positions, norms, bends, grouped queries, no
    biases, a softcap, tables besides the two. zero_init and checkpoint_activations change no logit, and are not asked.
    """
    config = model.config
    sizes = dict(context=config.context, layers=config.layers, heads=config.heads, width=config.width)
    allowed = sizes | dict(vocab_size=config.vocab_size, hidden=config.hidden, tied=config.tied, dropout=config.dropout)
    allowed |= dict(zero_init=config.zero_init, checkpoint_activations=config.checkpoint_activations)
    other = [f"{k}={v!r}" for k, v in vars(config).items() if v != getattr(GPTConfig.gpt2(**allowed), k)]
    if other:
        raise ValueError(f"GPT-2's format has no place for {', '.join(other)}")
    weights = model.state_dict()
    tensors = {}
    for theirs, (name, transposed) in names(config).items():
        tensor = weights[name].detach().cpu()
        prefix = "" if theirs == "lm_head.weight" else PREFIX
        tensors[prefix + theirs] = (tensor.T if transposed else tensor).contiguous()
    said = {
        "architectures": ["GPT2LMHeadModel"],
        **FIXED,
        "vocab_size": config.vocab_size,
        "n_positions": config.context,
        "n_layer": config.layers,
        "n_head": config.heads,
        "n_embd": config.width,
        "n_inner": config.hidden or None,
        "tie_word_embeddings": config.tied,
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), config.dropout),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors.part", metadata={"format": "pt"})
    os.replace(folder / "model.safetensors.part", folder / "model.safetensors")
    (folder / "config.json.part").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    os.replace(folder / "config.json.part", folder / "config.json")
