"""The figures of lesson 7.2."""

import math

import matplotlib.pyplot as plt
import torch

from groundup.course.figures import INK
from groundup.nets.gpt import GPT, GPTConfig

COLD, WARM, THIRD = "#2b7a9e", "#a8402a", "#6b8e23"


def stream():
    """The stream's root mean square after each block of an untrained GPT-2, with and without 1 / sqrt(2 layers)."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    for layers, colour in ((6, THIRD), (12, COLD), (24, WARM)):
        for scaled in (True, False):
            torch.manual_seed(0)
            model = GPT(GPTConfig.gpt2(vocab_size=200, context=32, layers=layers, heads=4, width=128))
            sizes = []
            for block in model.blocks:
                if not scaled:
                    torch.nn.init.normal_(block.attention.out.weight, std=0.02)
                    torch.nn.init.normal_(block.mlp.down.weight, std=0.02)
                block.register_forward_hook(lambda module, inputs, out, to=sizes: to.append(out.square().mean().sqrt()))
            with torch.no_grad():
                model(torch.randint(200, (8, 32)))
            label = f"{layers} blocks" if scaled else None
            axes.plot(range(1, layers + 1), sizes, color=colour, ls="-" if scaled else "--", label=label)
    axes.plot([], [], color=INK, ls="--", label="0.02 everywhere")
    axes.set_ylim(0, None)
    axes.set_xlabel("after block")
    axes.set_ylabel("size of the stream")
    axes.legend(loc="upper left")
    return figure


def first_loss():
    """The first loss of a GPT with 1,000 tokens and a width of 192, against the standard deviation of its head."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    torch.manual_seed(0)
    model = GPT(GPTConfig.gpt2(vocab_size=1000, context=64, layers=2, heads=3, width=192, tied=False))
    ids = torch.randint(1000, (32, 65))
    deviations = torch.linspace(0.0, 0.4, 17)
    losses = []
    with torch.no_grad():
        for sd in deviations:
            torch.nn.init.normal_(model.head.weight, std=float(sd))
            losses.append(model(ids[:, :-1], ids[:, 1:]))
    axes.plot(deviations, math.log(1000) + 192 * deviations**2 / 2, color=COLD, label="ln V + s²/2")
    axes.plot(deviations, losses, "o", color=WARM, ms=4, label="measured")
    axes.axhline(math.log(1000), color=INK, lw=0.8, ls="--", label="ln V")
    axes.set_ylim(5, 20)
    axes.set_xlabel("standard deviation of the head's entries")
    axes.set_ylabel("first loss, nats")
    axes.legend(loc="upper left")
    return figure
