"""Muon: momentum whose every step is made orthogonal. For the matrices inside a network's blocks.

The gradient of a matrix has a few large singular values and many small ones, and a step along it moves in few directions.
Muon keeps the directions and sets all singular values to about 1, by five turns of a polynomial that needs only products
(Newton-Schulz). K. Jordan and others, Muon: An optimizer for hidden layers in neural networks (2024).
"""

import torch

from .step import has_bfloat16

# p(s) = a s + b s^3 + c s^5 takes every singular value in (0, 1] into about [0.7, 1.2] when applied five times. Jordan's choice:
# the slope at 0 is as steep as it can be, which is what small singular values need.
A, B, C = 3.4445, -4.7750, 2.0315


def orthogonalised(matrices, turns=5):
    """matrices (n, r, c) -> (n, r, c): the same singular vectors, singular values about 1. In the dtype of what is given.

    The smaller side is brought to the rows, so that the products are of the smaller size.
    """
    tall = matrices.size(-2) > matrices.size(-1)
    X = matrices.mT if tall else matrices  # (n, r, c) with r <= c
    X = X / (X.norm(dim=(-2, -1), keepdim=True) + 1e-7)  # no singular value above 1
    for _ in range(turns):
        gram = X @ X.mT  # (n, r, r)
        X = torch.baddbmm(X, torch.baddbmm(gram, gram, gram, beta=B, alpha=C), X, beta=A)
    return X.mT if tall else X


class Muon(torch.optim.Optimizer):
    """Momentum (Nesterov's), orthogonalised, for parameters that are matrices.

    params: matrices (r, c); lr; momentum; weight_decay, decoupled as in AdamW. splits: {parameter: numbers of rows} for matrices
    that are several in one, as query, key and value are: each part is orthogonalised by itself. A matrix with more rows than
    columns gets a step longer by sqrt(r / c), so that what it does to its inputs is of one size whatever its shape.

    Parts of one shape are stacked and orthogonalised in one batched product. State: "momentum_buffer", of the parameter's shape.
    Raises ValueError for a parameter that is no matrix.
    """

    def __init__(self, params, lr=0.02, momentum=0.95, weight_decay=0.0, turns=5, splits=None):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, turns=turns))
        self._splits = splits or {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(f"Muon is for matrices; a parameter of shape {tuple(p.shape)} belongs to AdamW")

    @torch.no_grad()
    def step(self, closure=None):
        """One step with the gradients that are there; a parameter without one is left as it is."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                self._step(group, params)
        return loss

    def _step(self, group, params):
        for p in params:
            if not self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        grads, buffers = [p.grad for p in params], [self.state[p]["momentum_buffer"] for p in params]
        torch._foreach_lerp_(buffers, grads, 1.0 - group["momentum"])
        ahead = torch._foreach_lerp(grads, buffers, group["momentum"])  # Nesterov: where the momentum is going
        if group["weight_decay"]:
            torch._foreach_mul_(params, 1.0 - group["lr"] * group["weight_decay"])
        alike = {}  # shape -> the parts of that shape: (part of the parameter, part of the step)
        for p, direction in zip(params, ahead):
            rows = self._splits.get(p, (len(p),))
            for part in zip(p.split(rows), direction.split(rows)):
                alike.setdefault(part[0].shape, []).append(part)
        for (r, c), parts in alike.items():
            stacked = torch.stack([direction for _, direction in parts])  # (n, r, c)
            if has_bfloat16(stacked.device):
                stacked = stacked.bfloat16()  # half the time, and singular values about 1 are all that is asked for
            steps = orthogonalised(stacked, group["turns"]).to(parts[0][0].dtype)
            longer = max(1.0, r / c) ** 0.5
            torch._foreach_add_([p for p, _ in parts], list(steps.unbind()), alpha=-group["lr"] * longer)
