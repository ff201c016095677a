"""What is asked of lesson 7.7: GPT-2 read from its files and written to them, against Hugging Face's own GPT2LMHeadModel."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from groundup.course import checkpoint

PREFIX = "transformer."


# ------------------------------------------------------------------------------------------------- files


def shapes(said):
    """{published name, without the prefix: shape} for what a config.json says."""
    C, V = said["n_embd"], said["vocab_size"]
    H = said.get("n_inner") or 4 * C
    found = {"wte.weight": (V, C), "wpe.weight": (said["n_positions"], C)}
    for i in range(said["n_layer"]):
        block = {"ln_1": (C,), "attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C)}
        block |= {"ln_2": (C,), "mlp.c_fc": (C, H), "mlp.c_proj": (H, C)}
        for name, shape in block.items():
            found |= {f"h.{i}.{name}.weight": shape, f"h.{i}.{name}.bias": shape[-1:]}
    found |= {"ln_f.weight": (C,), "ln_f.bias": (C,)}
    if not said.get("tie_word_embeddings", True):
        found["lm_head.weight"] = (V, C)
    return found


def tensors_for(said, seed, dtype=np.float32):
    """{published name, without the prefix: array}, random, and of such a size that every one of them matters."""
    rng, found = np.random.default_rng(seed), {}
    for name, shape in shapes(said).items():
        noise = rng.standard_normal(shape)
        if len(shape) == 1:
            values = 0.3 * noise + (name.endswith("weight") and 1.0)
        else:
            values = noise / np.sqrt(shape[0] if name.startswith("h.") else shape[1])
        found[name] = values.astype(dtype)
    return found


def named(tensors, prefix):
    """As a file has them: the prefix before every name but the head's."""
    return {name if name == "lm_head.weight" else prefix + name: tensor for name, tensor in tensors.items()}


def written(folder, said, tensors):
    """A folder as transformers writes it."""
    (folder / "config.json").write_text(json.dumps(said))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def draw_said(draw):
    """A small config.json, now and then with what may stand in one besides sizes."""
    heads = draw.choice([1, 2, 3])
    said = dict(
        vocab_size=draw.integer(2, 20),
        n_positions=draw.integer(2, 10),
        n_layer=draw.integer(1, 3),
        n_head=heads,
        n_embd=heads * draw.choice([2, 4, 6]),
    )
    if draw.boolean(0.3):
        said["n_inner"] = draw.choice([5, 8])
    if draw.boolean(0.3):
        said["tie_word_embeddings"] = False
    if draw.boolean(0.5):
        said |= dict(model_type="gpt2", activation_function="gelu_new", layer_norm_epsilon=1e-5, resid_pdrop=0.1)
    return said


SMALLEST = dict(vocab_size=2, n_positions=2, n_layer=1, n_head=1, n_embd=2)
SECOND = dict(vocab_size=5, n_positions=4, n_layer=3, n_head=2, n_embd=4, n_inner=6, tie_word_embeddings=False)
EDGES = [SMALLEST, SECOND, SMALLEST | dict(n_inner=None, n_layer=2, n_embd=4, resid_pdrop=0.1)]


# ------------------------------------------------------------------------------------------------- the oracle


def hugging_face(said, tensors):
    """GPT2LMHeadModel of a config.json, with these tensors; ValueError where they are not exactly its own."""
    from transformers.models.gpt2.configuration_gpt2 import GPT2Config
    from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(**said, bos_token_id=0, eos_token_id=0))
    state = {name: torch.tensor(a).float() for name, a in named(tensors, PREFIX).items()}
    missing, unknown = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if name != "lm_head.weight" or not model.config.tie_word_embeddings]
    if missing or unknown:
        raise ValueError(f"missing {missing[:3]}, unknown {unknown[:3]}")
    return model.eval()


@torch.no_grad()
def hugging_face_logits(said, tensors, ids):
    return hugging_face(said, tensors)(torch.tensor(ids)).logits.numpy()


# ------------------------------------------------------------------------------------------------- probes


@checkpoint("Four sizes: 124, 355, 774 and 1,558 million parameters", count=4, seconds=6.0)
def sizes(lib, name, over):
    try:
        config = lib.nets.gpt2.sized(name, **over)
    except ValueError:
        return "ValueError"
    keys = ["layers", "heads", "width", "context", "vocab_size", "position", "norm", "mlp", "bias", "tied", "dropout"]
    return {key: getattr(config, key) for key in keys} | {"parameters": lib.nets.counts.parameters(config)}


@sizes.cases
def _(draw):
    name = draw.choice(["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "gpt3"])
    return dict(name=name, over=draw.choice([{}, {"vocab_size": 50_304}, {"layers": 2}, {"dropout": 0.1}]))


@sizes.edges
def _():
    return [dict(name=name, over={}) for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "gpt-2")]


@sizes.oracle
def _(name, over):
    table = {
        "gpt2": (12, 12, 768),
        "gpt2-medium": (24, 16, 1024),
        "gpt2-large": (36, 20, 1280),
        "gpt2-xl": (48, 25, 1600),
    }
    if name not in table:
        return "ValueError"
    layers, heads, width = table[name]
    fixed = dict(context=1024, vocab_size=50_257, position="learned", norm="layer", mlp="gelu", bias=True, tied=True)
    found = dict(layers=layers, heads=heads, width=width) | fixed | dict(dropout=0.0) | over
    block = 12 * width**2 + 13 * width
    count = (found["vocab_size"] + 1024) * width + found["layers"] * block + 2 * width
    return found | {"parameters": count}


@checkpoint("config.json is read, and another network refused", count=16, seconds=6.0)
def configured(lib, said):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        (Path(folder) / "config.json").write_text(json.dumps(said))
        try:
            config = lib.nets.gpt2.read_config(folder)
        except ValueError:
            return "ValueError"
    keys = ["vocab_size", "context", "layers", "heads", "width", "hidden_width", "tied", "position", "norm", "mlp"]
    return {key: getattr(config, key) for key in [*keys, "bias", "qk_norm", "dropout"]}


OTHERS = [
    ("activation_function", "gelu"),
    ("activation_function", "relu"),
    ("layer_norm_epsilon", 1e-6),
    ("model_type", "llama"),
    ("scale_attn_weights", False),
    ("scale_attn_by_inverse_layer_idx", True),
    ("add_cross_attention", True),
]


@configured.cases
def _(draw):
    said = draw_said(draw)
    if draw.boolean(0.3):
        key, value = draw.choice(OTHERS)
        said[key] = value
    elif draw.boolean(0.2):
        del said[draw.choice(["n_layer", "n_head", "n_embd", "vocab_size", "n_positions"])]
    return dict(said=said)


@configured.edges
def _():
    return [dict(said=said) for said in EDGES] + [dict(said=SMALLEST | {key: value}) for key, value in OTHERS]


@configured.oracle
def _(said):
    plain = dict(OTHERS) | {"activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "model_type": "gpt2"}
    plain |= {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False}
    sizes = dict(n_positions="context", n_layer="layers", n_head="heads", n_embd="width", vocab_size="vocab_size")
    if any(said.get(key, value) != value for key, value in plain.items()) or not sizes.keys() <= said.keys():
        return "ValueError"
    found = {ours: said[theirs] for theirs, ours in sizes.items()}
    found |= {"hidden_width": said.get("n_inner") or 4 * said["n_embd"], "tied": said.get("tie_word_embeddings", True)}
    return found | dict(position="learned", norm="layer", mlp="gelu", bias=True, qk_norm=False, dropout=0.0)


@checkpoint("Logits equal transformers' to 1e-4", atol=1e-4, count=14, seconds=6.0)
def logits(lib, said, tensors, ids):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        written(Path(folder), said, tensors)
        torch.manual_seed(0)  # what is not read from the file starts the same each time
        try:
            model = lib.nets.gpt2.from_pretrained(folder)
        except ValueError as problem:
            names = ("lm_head.weight", *(name.removeprefix(PREFIX) for name in tensors))
            return {"refused because of": sorted({name for name in names if name in str(problem)})}
    kinds = sorted({str(p.dtype) for p in model.parameters()})
    return {"logits": model(torch.tensor(ids)).detach().numpy(), "kinds": kinds, "training": model.training}


def logits_case(said, seed, old=False, half=False):
    """old: as the files of 2019 are, without the prefix, and with constants among the tensors."""
    tensors = named(tensors_for(said, seed, np.float16 if half else np.float32), "" if old else PREFIX)
    T = said["n_positions"]
    if old:
        for i in range(said["n_layer"]):
            tensors[f"h.{i}.attn.bias"] = np.tril(np.ones((1, 1, T, T), np.float32))
            tensors[f"h.{i}.attn.masked_bias"] = np.array([-1e4], np.float32)
        tensors.setdefault("lm_head.weight", tensors["wte.weight"])
    ids = np.random.default_rng(seed).integers(0, said["vocab_size"], (2, T))
    return dict(said=said, tensors=tensors, ids=ids)


@logits.cases
def _(draw):
    return logits_case(draw_said(draw), draw.seed(), draw.boolean(0.4), draw.boolean(0.2))


@logits.edges
def _():
    cases = [logits_case(said, seed) for seed, said in enumerate(EDGES)]
    return [
        *cases,
        logits_case(SECOND, 3, old=True),
        logits_case(SMALLEST, 4, old=True),
        logits_case(SECOND, 5, half=True),
    ]


@logits.oracle
def _(said, tensors, ids):
    wanted = shapes(said)
    own = {name.removeprefix(PREFIX): a for name, a in tensors.items()}
    found = hugging_face_logits(said, {name: own[name] for name in wanted}, ids)
    return {"logits": found, "kinds": ["torch.float32"], "training": False}


@logits.shown
def _(said, tensors, ids):
    names = list(tensors)
    return f"config.json {json.dumps(said)}, {len(names)} tensors ({names[0]}, {names[-1]}, ...), ids {ids.tolist()}"


@checkpoint("What is missing, unknown or misshapen is told, all of it", count=12, seconds=6.0)
def misfits(lib, said, tensors, names):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        written(Path(folder), said, tensors)
        try:
            lib.nets.gpt2.from_pretrained(folder)
        except ValueError as problem:
            return {"raised": "ValueError", "told": [name in str(problem) for name in names]}
    return {"raised": "nothing", "told": [False for _ in names]}


def misfit_case(said, seed, missing, unknown, misshapen):
    """misshapen: {name: shape}."""
    tensors = tensors_for(said, seed)
    for name in missing:
        del tensors[name]
    tensors |= {name: np.zeros((2, 2), np.float32) for name in unknown}
    tensors |= {name: np.zeros(shape, np.float32) for name, shape in misshapen.items()}
    return dict(said=said, tensors=named(tensors, PREFIX), names=[*missing, *unknown, *misshapen])


@misfits.cases
def _(draw):
    said = draw_said(draw)
    wanted = shapes(said)
    names = [list(wanted)[i] for i in draw.permutation(len(wanted))[:3]]
    missing = names[:1] if draw.boolean(0.6) else []
    unknown = [f"h.{said['n_layer']}.ln_1.weight"] if draw.boolean(0.4) or not missing else []
    misshapen = {name: draw.choice([(1,) * len(wanted[name]), (*wanted[name], 1)]) for name in names[1:2]}
    misshapen = {name: shape for name, shape in misshapen.items() if shape != wanted[name]}
    return misfit_case(said, draw.seed(), missing, unknown, misshapen)


@misfits.edges
def _():
    return [
        misfit_case(SMALLEST, 0, ["h.0.ln_1.bias"], [], {}),
        misfit_case(SMALLEST, 1, [], ["h.1.ln_1.bias"], {}),
        misfit_case(SMALLEST, 2, [], [], {"h.0.ln_2.bias": (1,)}),
        misfit_case(SECOND, 3, [], [], {"h.0.mlp.c_fc.weight": (6, 4)}),
        misfit_case(SECOND, 4, ["wte.weight", "lm_head.weight"], ["h.3.ln_1.bias"], {"wpe.weight": (1, 4)}),
    ]


@misfits.oracle
def _(said, tensors, names):
    return {"raised": "ValueError", "told": [True for _ in names]}


@misfits.shown
def _(said, tensors, names):
    return f"config.json {json.dumps(said)}; what does not fit in model.safetensors: {', '.join(names)}"


@checkpoint("Files that are torn or not there are told", count=6, seconds=6.0)
def torn(lib, said, seed, absent, share):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        folder = Path(folder)
        written(folder, said, named(tensors_for(said, seed), PREFIX))
        if absent:
            (folder / absent).unlink()
        else:
            whole = (folder / "model.safetensors").read_bytes()
            (folder / "model.safetensors").write_bytes(whole[: int(share * len(whole))])
        try:
            lib.nets.gpt2.from_pretrained(folder)
        except ValueError:
            return "ValueError"
    return "nothing raised"


@torn.cases
def _(draw):
    absent = draw.choice(["", "", "config.json", "model.safetensors"])
    return dict(said=SMALLEST, seed=draw.seed(), absent=absent, share=draw.uniform(0.0, 0.99))


@torn.edges
def _():
    cases = [("config.json", 1.0), ("model.safetensors", 1.0), ("", 0.0), ("", 0.5), ("", 0.99)]
    return [dict(said=SMALLEST, seed=0, absent=absent, share=share) for absent, share in cases]


@torn.oracle
def _(**case):
    return "ValueError"


@checkpoint("What is written, transformers reads", count=10, seconds=6.0)
def saved(lib, fields, seed, ids):
    torch.manual_seed(seed)
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig.gpt2(**fields)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        folder = Path(folder) / "a" / "new"
        lib.nets.gpt2.save_pretrained(model, folder)
        with safe_open(folder / "model.safetensors", "np") as file:
            about = file.metadata()
        return {
            "files": sorted(path.name for path in folder.iterdir()),
            "metadata": about,
            "said": json.loads((folder / "config.json").read_text()),
            "tensors": load_file(folder / "model.safetensors"),
            "logits": model(torch.tensor(ids)).detach().numpy(),
        }


def saved_case(fields, seed):
    ids = np.random.default_rng(seed).integers(0, fields["vocab_size"], (2, fields["context"]))
    return dict(fields=fields, seed=seed, ids=ids)


@saved.cases
def _(draw):
    heads = draw.choice([1, 2, 3])
    fields = dict(vocab_size=draw.integer(2, 20), context=draw.integer(2, 10), layers=draw.integer(1, 3), heads=heads)
    fields |= dict(width=heads * draw.choice([2, 4]), tied=draw.boolean(0.6), dropout=draw.choice([0.0, 0.1]))
    if draw.boolean(0.3):
        fields["hidden"] = draw.choice([5, 8])
    return saved_case(fields, draw.seed())


@saved.edges
def _():
    small = dict(vocab_size=2, context=2, layers=1, heads=1, width=2)
    return [saved_case(small, 0), saved_case(small | dict(layers=2, width=4, heads=2, hidden=6, tied=False), 1)]


@saved.accepts
def _(got, fields, seed, ids):
    if got["files"] != ["config.json", "model.safetensors"]:
        return f"the folder holds {got['files']}, not config.json and model.safetensors alone"
    if not got["metadata"] or got["metadata"].get("format") != "pt":
        return "the file's metadata does not say format: pt, without which transformers does not read it"
    said, tensors = got["said"], got["tensors"]
    for key, value in dict(
        model_type="gpt2", architectures=["GPT2LMHeadModel"], activation_function="gelu_new"
    ).items():
        if said.get(key) != value:
            return f"config.json: {key} is {said.get(key)!r}, not {value!r}"
    sizes = dict(vocab_size="vocab_size", n_positions="context", n_layer="layers", n_head="heads", n_embd="width")
    for theirs, ours in sizes.items():
        if said.get(theirs) != fields[ours]:
            return f"config.json: {theirs} is {said.get(theirs)!r}, and the model has {fields[ours]}"
    tied = fields.get("tied", True)
    if said.get("tie_word_embeddings", True) != tied:
        return f"config.json: tie_word_embeddings is not {tied}"
    for key in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        if said.get(key) != fields.get("dropout", 0.0):
            return (
                f"config.json: {key} is {said.get(key)!r}, and the model has a dropout of {fields.get('dropout', 0.0)}"
            )
    H = fields.get("hidden") or 4 * fields["width"]
    wanted = named(shapes({k: said[k] for k in sizes} | {"n_inner": H, "tie_word_embeddings": tied}), PREFIX)
    if set(tensors) != set(wanted):
        missing, more = sorted(set(wanted) - set(tensors)), sorted(set(tensors) - set(wanted))
        return f"the file has not the published names: missing {missing[:3]}, not expected {more[:3]}"
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            return f"{name} has the shape {tensors[name].shape}, and is published as {shape}"
    plain = {k: said[k] for k in sizes} | {"n_inner": said.get("n_inner"), "tie_word_embeddings": tied}
    theirs = hugging_face_logits(plain, {name.removeprefix(PREFIX): a for name, a in tensors.items()}, ids)
    if not np.allclose(got["logits"], theirs, atol=1e-4, rtol=1e-4):
        return f"transformers reads the file, and its logits differ by {np.abs(got['logits'] - theirs).max():.2g}"
    return True


@saved.shown
def _(fields, seed, ids):
    return f"save_pretrained(GPT(GPTConfig.gpt2({', '.join(f'{k}={v!r}' for k, v in fields.items())})), folder)"


@checkpoint("A model that is no GPT-2 is not written", count=6, seconds=6.0)
def refused(lib, fields):
    model = lib.nets.gpt.GPT(lib.nets.gpt.GPTConfig.gpt2(vocab_size=5, context=4, layers=1, heads=2, width=8, **fields))
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        try:
            lib.nets.gpt2.save_pretrained(model, folder)
            raised = "nothing"
        except ValueError:
            raised = "ValueError"
        return {"raised": raised, "files": sorted(path.name for path in Path(folder).iterdir())}


OTHER_FIELDS = [
    dict(position="rope"),
    dict(mlp="relu2"),
    dict(norm="rms"),
    dict(kv_heads=1),
    dict(softcap=5.0),
    dict(bias=False),
    dict(qk_norm=True),
    dict(bigram=True),
]


@refused.cases
def _(draw):
    return dict(fields=draw.choice(OTHER_FIELDS))


@refused.edges
def _():
    return [
        dict(fields=fields)
        for fields in (*OTHER_FIELDS, dict(checkpoint_activations=True, zero_init=True, dropout=0.1))
    ]


@refused.oracle
def _(fields):
    if "dropout" in fields:
        return {"raised": "nothing", "files": ["config.json", "model.safetensors"]}
    return {"raised": "ValueError", "files": []}
