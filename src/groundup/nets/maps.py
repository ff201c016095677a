"""Where attention looks: with which weights each token reads from the tokens up to it.

Attention is linear in its values. With the rows of the identity for values, what it gives are its weights. So they are had
from the attention that the model runs, whatever that does to queries and keys before it compares them.
"""

import torch

from .sample import read

ARGUMENTS = ("x", "rotation", "values", "cache", "layer")  # of Attention.forward


def attention_maps(model, ids):
    """ids (B, T) -> (layers, B, H, T, T): entry t, s is the weight with which token t reads from token s, 0 where s > t.

    model: a GPT, whose `blocks` each have an `attention`. Rows add up to 1. ValueError where T exceeds the context.
    """
    calls = []

    def note(attention, given, named):
        calls.append((attention, {**dict(zip(ARGUMENTS, given)), **named}))

    hooks = [block.attention.register_forward_pre_hook(note, with_kwargs=True) for block in model.blocks]
    try:
        read(model, ids, None)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack([_weights(attention, given) for attention, given in calls])


class _Identity:
    """In the place of a cache: keys stay, and for values there are D columns of the identity, from `first` on."""

    def __init__(self, first):
        self.first = first

    def extend(self, layer, k, v):
        places = torch.arange(k.shape[2], device=v.device)  # (S,)
        columns = self.first + torch.arange(v.shape[3], device=v.device)  # (D,), those from S on are all 0
        return k, (places[:, None] == columns).to(v.dtype).expand(v.shape)


@torch.no_grad()
def _weights(attention, given):
    """The weights of one layer (B, H, T, T), as many columns in a pass as a value has numbers."""
    B, T, _ = given["x"].shape
    H, passes = attention.heads, []
    hook = attention.out.register_forward_pre_hook(lambda _, inputs: passes.append(inputs[0].view(B, T, H, -1)))
    training = attention.training
    attention.eval()
    try:
        for first in range(0, T, attention.head_width):
            attention(**given | {"cache": _Identity(first)})
    finally:
        hook.remove()
        attention.train(training)
    return torch.cat(passes, dim=3)[..., :T].transpose(1, 2)  # (B, T, H, T) -> (B, H, T, T)
