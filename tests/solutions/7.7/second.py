"""GPT-2's files, written from pairs of modules: each linear layer of ours beside the name of theirs, no table of single tensors."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from .gpt import GPT, GPTConfig

SIZES = {
    "gpt2": dict(layers=12, heads=12, width=768),
    "gpt2-medium": dict(layers=24, heads=16, width=1024),
    "gpt2-large": dict(layers=36, heads=20, width=1280),
    "gpt2-xl": dict(layers=48, heads=25, width=1600),
}
FIXED = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}
PREFIX = "transformer."
MASKS = (".attn.bias", ".attn.masked_bias")
TURNED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
OF_A_BLOCK = (
    ("ln_1", "norm1"),
    ("attn.c_attn", "attention.qkv"),
    ("attn.c_proj", "attention.out"),
    ("ln_2", "norm2"),
    ("mlp.c_fc", "mlp.up"),
    ("mlp.c_proj", "mlp.down"),
)


def sized(name, **over):
    try:
        fields = dict(SIZES[name])
    except KeyError:
        raise ValueError(f"no GPT-2 is called {name!r}") from None
    fields.update(over)
    return GPTConfig.gpt2(**fields)


def names(config):
    pairs = [("wte.weight", "tokens.weight"), ("wpe.weight", "positions.weight")]
    for layer in range(config.layers):
        for theirs, ours in OF_A_BLOCK:
            pairs += [(f"h.{layer}.{theirs}.{what}", f"blocks.{layer}.{ours}.{what}") for what in ("weight", "bias")]
    pairs += [(f"ln_f.{what}", f"norm.{what}") for what in ("weight", "bias")]
    pairs += [] if config.tied else [("lm_head.weight", "head.weight")]
    return {theirs: (ours, theirs.endswith(TURNED)) for theirs, ours in pairs}


def read_config(folder):
    try:
        said = json.loads(Path(folder, "config.json").read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder} has no config.json") from None
    wrong = {key for key in FIXED.keys() & said.keys() if said[key] != FIXED[key]}
    if wrong:
        raise ValueError(f"not the network that is built here: {sorted(wrong)}")
    fields = {"bias": True}
    for ours, theirs in zip(
        ("vocab_size", "context", "layers", "heads", "width"),
        ("vocab_size", "n_positions", "n_layer", "n_head", "n_embd"),
    ):
        if theirs not in said:
            raise ValueError(f"config.json lacks {theirs}")
        fields[ours] = said[theirs]
    if said.get("n_inner") is not None:
        fields["hidden"] = said["n_inner"]
    fields["tied"] = said.get("tie_word_embeddings", True)
    return GPTConfig.gpt2(**fields)


def from_pretrained(folder):
    config = read_config(folder)
    try:
        stored = load(Path(folder, "model.safetensors").read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder} has no model.safetensors") from None
    except SafetensorError as problem:
        raise ValueError(f"model.safetensors cannot be read: {problem}") from problem
    model, state, complaints = GPT(config), {}, []
    target = model.state_dict()
    stored = {n[len(PREFIX) :] if n.startswith(PREFIX) else n: tensor for n, tensor in stored.items()}
    for theirs, (ours, turned) in names(config).items():
        if theirs not in stored:
            complaints.append(f"no {theirs}")
            continue
        tensor = stored.pop(theirs).float()
        wanted = list(target[ours].shape)[:: -1 if turned else 1]
        if list(tensor.shape) != wanted:
            complaints.append(f"{theirs} is {list(tensor.shape)} instead of {wanted}")
        else:
            state[ours] = tensor.permute(1, 0) if turned else tensor
    if config.tied:
        stored.pop("lm_head.weight", None)
    complaints += [f"what is {n}?" for n in stored if not any(n.endswith(mask) for mask in MASKS)]
    if complaints:
        raise ValueError(", ".join(complaints))
    model.load_state_dict(state, strict=False)
    model.train(False)
    return model


def save_pretrained(model, folder):
    c = model.config
    plain = (c.position, c.norm, c.mlp, c.bias, c.qk_norm, c.softcap, c.bigram, c.before, c.value_embeddings)
    if plain != ("learned", "layer", "gelu", True, False, 0.0, False, 0, False) or c.key_heads != c.heads:
        raise ValueError("that is no GPT-2")
    own = dict(model.named_parameters())
    tensors = {}
    for theirs, (ours, turned) in names(c).items():
        value = own[ours].data.cpu()
        name = theirs if theirs.startswith("lm_head") else PREFIX + theirs
        tensors[name] = torch.clone(value.permute(1, 0) if turned else value, memory_format=torch.contiguous_format)
    said = dict(FIXED, architectures=["GPT2LMHeadModel"], vocab_size=c.vocab_size, n_positions=c.context)
    said.update(n_layer=c.layers, n_head=c.heads, n_embd=c.width, n_inner=c.hidden_width, tie_word_embeddings=c.tied)
    said.update(resid_pdrop=c.dropout, embd_pdrop=c.dropout, attn_pdrop=c.dropout)
    os.makedirs(folder, exist_ok=True)
    for name, content in (
        ("model.safetensors", save(tensors, {"format": "pt"})),
        ("config.json", json.dumps(said).encode()),
    ):
        beside = Path(folder, "." + name)
        beside.write_bytes(content)
        beside.replace(Path(folder, name))
