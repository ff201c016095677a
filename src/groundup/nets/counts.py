"""What a GPT costs before it is built: parameters, floating-point operations, memory, by formula.

A product of (m, k) and (k, n) counts 2 m k n operations, a multiplication and an addition each. Norms, softmax and bends are not
counted: they are few, though not always fast. The backward pass is two products for each product of the forward pass. Kaplan and
others, Scaling Laws for Neural Language Models (2020), 2.1; Korthikanti and others, Reducing Activation Recomputation (2022), 4.
"""

from .attention import SHORT
from .gpt import BIGRAM_ROWS

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
STATES = {"adamw": 2, "muon": 1, "sgd": 0}  # numbers that an optimiser remembers of each parameter


def parts(config):
    """{part: parameters} of GPT(config), all layers together. A tied head has none of its own."""
    C, L, V, H = config.width, config.layers, config.vocab_size, config.hidden_width
    keys = config.key_heads * config.head_width
    bias = int(config.bias)
    norm = C if config.norm == "rms" else C * (1 + bias)
    attention = C * (C + 2 * keys) + bias * (C + 2 * keys) + C * C + bias * C
    attention += config.value_embeddings  # a scale
    ups = 2 if config.mlp == "swiglu" else 1
    return {
        "tokens": V * C,
        "positions": config.context * C if config.position == "learned" else 0,
        "bigrams": min(V * V, BIGRAM_ROWS) * C if config.bigram else 0,
        "earlier": config.before * V * C,
        "values": V * keys if config.value_embeddings else 0,
        "attention": L * attention,
        "mlp": L * (ups * (C * H + bias * H) + H * C + bias * C),
        "norms": (2 * L + 1) * norm,
        "head": 0 if config.tied else V * C,
    }


def parameters(config):
    """The number of parameters of GPT(config), each counted once."""
    return sum(parts(config).values())


def flops_per_token(config, context=None, training=True):
    """Operations for one token of a sequence of `context` (default: the configuration's): forward, and with `training` backward
    too, which is three times as much.

    Attention compares every query with every key and throws half of it away; all of it is counted, as is usual. What
    `checkpoint_activations` computes again is not: it is no progress.
    """
    T = config.context if context is None else context
    C, H = config.width, config.hidden_width
    keys = config.key_heads * config.head_width
    ups = 2 if config.mlp == "swiglu" else 1
    weights = C * (C + 2 * keys) + C * C + (ups + 1) * C * H  # of one layer, in its products
    compared = 2 * T * C  # queries with keys, shares with values
    forward = 2 * (config.layers * (weights + compared) + C * config.vocab_size)
    return 3 * forward if training else forward


def activations(config, batch, context=None):
    """About how many numbers a forward pass of `batch` sequences keeps for the backward pass: eager, all in one type, no dropout.

    The square of shares, heads * T * T for each layer, is there where attention is written as two products (on a CPU up to
    SHORT positions), and not in the fused kernel. A compiled model keeps less: it computes cheap things again.
    """
    T = config.context if context is None else context
    C, H = config.width, config.hidden_width
    keys = config.key_heads * config.head_width
    norm = 2 * C + 2 if config.norm == "layer" else 3 * C + 1  # the input and the output; by hand also x / rms
    attention = C + 2 * keys + C  # q, k and v as they enter the products, and what enters `out`
    if config.qk_norm:
        scales = 2 if config.norm == "layer" else 1  # mean and 1 / sd, or 1 / rms
        attention += C + 2 * keys + scales * (config.heads + config.key_heads)  # what was normalised is a part of qkv
    if config.position == "rope":
        attention += 2 * config.head_width / batch  # its tables, once for all sequences
    attention += config.heads * (T if T <= SHORT else 1)  # the shares, or the fused kernel's logarithms of their sums
    mlp = 4 * H if config.mlp == "swiglu" else 2 * H
    layer = 2 * norm + attention + mlp
    layers = config.layers * layer
    if config.checkpoint_activations:
        layers = config.layers * C + layer  # the inputs of all blocks, and one block while it is computed again
    logits = (2 if config.softcap else 1) * config.vocab_size
    return round(batch * T * (layers + norm + logits + (keys if config.value_embeddings else 0)))


def memory(config, batch, context=None, optimizer="adamw", dtype="float32"):
    """Bytes of a training step, by what they are for, and their "total": an estimate that leaves out the allocator and workspaces.

    Parameters, gradients and the optimiser's memory are float32; dtype is that of the activations. optimizer: "adamw", "sgd",
    or "muon", which remembers one number for a block's matrices and, with AdamW, two for the rest. ValueError for others.
    """
    if optimizer not in STATES:
        raise ValueError(f"optimizer is one of {', '.join(STATES)}, not {optimizer!r}")
    if dtype not in BYTES:
        raise ValueError(f"dtype is one of {', '.join(BYTES)}, not {dtype!r}")
    N = parameters(config)
    remembered = STATES[optimizer] * N
    if optimizer == "muon":
        C, H = config.width, config.hidden_width
        keys = config.key_heads * config.head_width
        ups = 2 if config.mlp == "swiglu" else 1
        matrices = config.layers * (C * (C + 2 * keys) + C * C + (ups + 1) * C * H)
        remembered = matrices + 2 * (N - matrices)
    spent = {
        "parameters": 4 * N,
        "gradients": 4 * N,
        "optimizer": 4 * remembered,
        "activations": BYTES[dtype] * activations(config, batch, context),
    }
    return spent | {"total": sum(spent.values())}
