"""A GPT from arrays of weights, where no file can be read."""

import torch

from .gpt import GPT, GPTConfig


def restored(config, weights):
    """config: the fields of a GPTConfig by name; weights: arrays by the names of the model's parameters -> a GPT to be asked.

    Where the head's weight is the table of tokens it may be left out. ValueError where names or shapes are not the model's.
    """
    model = GPT(GPTConfig(**config))
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    if model.config.tied and "tokens.weight" in tensors:
        tensors["head.weight"] = tensors["tokens.weight"]
    try:
        model.load_state_dict(tensors)
    except RuntimeError as problem:
        raise ValueError(f"these weights belong to another model: {problem}") from None
    return model.eval()
