"""Which parameter is moved by which rule: explicit groups that cover the model exactly."""

import torch

from .muon import Muon


def adamw_groups(named, weight_decay):
    """Pairs (name, parameter) -> two groups for AdamW: matrices and embeddings decay; gains and biases do not."""
    named = list(named)
    return [
        {"params": [p for _, p in named if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
    ]


def block_matrices(model):
    """The parameters that are Muon's: the matrices of model.blocks. {name: parameter}"""
    blocks = getattr(model, "blocks", None)
    if blocks is None:
        return {}
    inside = {id(p) for p in blocks.parameters() if p.ndim == 2}
    return {name: p for name, p in model.named_parameters() if id(p) in inside}


def make(model, config):
    """The optimisers of a run, from its TrainConfig.

    "adamw": AdamW with the rate lr on everything. "muon": Muon with the rate muon_lr on the matrices of the blocks, AdamW on the
    rest: embeddings, head, gains. Where a module holds query, key and value in one matrix `qkv`, its `parts` (rows of each) say
    where Muon is to cut it. Raises ValueError for another name, AssertionError if a parameter is
    in no group or in two.
    """
    if config.optimizer not in ("adamw", "muon"):
        raise ValueError(f"there is no optimiser {config.optimizer!r}: adamw or muon")
    matrices = block_matrices(model) if config.optimizer == "muon" else {}
    rest = [(name, p) for name, p in model.named_parameters() if name not in matrices]
    found = []
    if matrices:
        splits = {module.qkv.weight: module.parts for module in model.modules() if hasattr(module, "parts")}
        found.append(
            Muon(
                list(matrices.values()), config.muon_lr, config.momentum, config.weight_decay, config.muon_turns, splits
            )
        )
    groups = [group for group in adamw_groups(rest, config.weight_decay) if group["params"]]
    if groups:
        found.append(torch.optim.AdamW(groups, lr=config.lr, betas=tuple(config.betas), fused=_can_fuse(model)))
    return Optimizers(found, model)


class Optimizers:
    """Several optimisers as one: `rate`, `step`, `zero_grad`, `state_dict`, `load_state_dict`."""

    def __init__(self, optimizers, model):
        self.all = tuple(optimizers)
        held = [id(p) for group in self.groups for p in group["params"]]
        assert len(held) == len(set(held)), "a parameter is in two groups"
        assert set(held) == {id(p) for p in model.parameters()}, "the groups are not the model's parameters"
        for group in self.groups:
            group["peak_lr"] = group["lr"]

    @property
    def groups(self):
        """Every parameter group of every optimiser."""
        return [group for optimizer in self.all for group in optimizer.param_groups]

    def rate(self, share):
        """Sets every rate to this share of its peak."""
        for group in self.groups:
            group["lr"] = group["peak_lr"] * share

    def step(self, scaler=None):
        """One step of each, through a GradScaler if there is one."""
        for optimizer in self.all:
            if scaler is None:
                optimizer.step()
            else:
                scaler.step(optimizer)

    def zero_grad(self):
        """Drops all gradients."""
        for optimizer in self.all:
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self):
        """{"0": the first one's state, "1": the second one's ...}."""
        return {str(i): optimizer.state_dict() for i, optimizer in enumerate(self.all)}

    def load_state_dict(self, states):
        """Takes over what state_dict gave. ValueError if it is of other optimisers."""
        if len(states) != len(self.all):
            raise ValueError(f"the checkpoint has {len(states)} optimisers, this run has {len(self.all)}")
        for i, optimizer in enumerate(self.all):
            optimizer.load_state_dict(states[str(i)])


def _can_fuse(model):
    return all(p.device.type in ("cpu", "cuda", "mps") and p.is_floating_point() for p in model.parameters())
