"""One step of training: the gradient of a batch, gathered in parts, clipped, and given to the optimisers.

A batch that does not fit into memory is cut into micro-batches. The loss is a mean over all tokens, so a micro-batch of n of the
N tokens counts n / N: with that factor the gradients of the parts add up to the gradient of the whole.
"""

import contextlib
import math
from dataclasses import dataclass

import torch


class Diverged(FloatingPointError):
    """The loss or a gradient is no longer a finite number."""


@dataclass(frozen=True)
class StepResult:
    """loss: the mean over all tokens of all micro-batches, in nats. grad_norm: of all gradients as one vector, before clipping."""

    loss: float
    grad_norm: float


class Precision:
    """The dtype of the products, and what it needs: autocast, and for float16 a scaled loss.

    name: "float32", "bfloat16", "float16", or "auto", which is bfloat16 where the hardware multiplies it natively (`has_bfloat16`),
    float32 elsewhere. The weights stay in float32.
    """

    def __init__(self, name="float32", device="cpu"):
        self.device = torch.device(device)
        if name == "auto":
            name = "bfloat16" if has_bfloat16(self.device) else "float32"
        if name not in ("float32", "bfloat16", "float16"):
            raise ValueError(f"there is no precision {name!r}: float32, bfloat16, float16 or auto")
        self.dtype = getattr(torch, name)
        # below 6e-8 float16 is 0: the loss is multiplied by a large number, the gradients divided by it again
        self.scaler = torch.amp.GradScaler(self.device.type) if name == "float16" else None

    def autocast(self):
        """A context in which matrix products are of this dtype."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)


def has_bfloat16(device):  # given
    """Whether a device has instructions for products in bfloat16: not only an emulation, which is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


def gradient(model, x, y, precision, parallel=None):
    """Adds the gradient of the mean loss over all micro-batches to the parameters' .grad, and returns that loss (a 0-d tensor).

    x, y (A, B, T) int64: A micro-batches; a target of -1 is not counted, neither in the mean of its micro-batch, which model(x, y)
    returns, nor in the mean over all. Raises ValueError if none is counted. parallel: several processes that share the work; only the last micro-batch is exchanged.
    """
    counted = (y >= 0).sum(dim=(1, 2)).tolist()  # A numbers
    if sum(counted) == 0:
        raise ValueError("there is nothing to learn: not one target is counted")
    total, last = torch.zeros((), device=x.device), len(x) - 1
    for i, n in enumerate(counted):
        targets = y[i] if n else y[i].clamp(min=0)  # a mean over none would be 0 / 0; this one is multiplied by 0
        with contextlib.nullcontext() if parallel is None else parallel.micro(model, i == last):
            with precision.autocast():
                loss = model(x[i], targets) * (n / sum(counted))
            (loss if precision.scaler is None else precision.scaler.scale(loss)).backward()
        total = total + loss.detach()
    return total


def step(model, optimizers, x, y, *, clip=0.0, precision=None, parallel=None):
    """One step of all optimisers on x, y (A, B, T) -> StepResult.

    clip: the largest norm of all gradients as one vector; 0: as they are. Raises Diverged, before any weight is changed, if the loss
    or the norm is not finite, and names the first parameter at fault. With a scaler, gradients that overflow are no divergence:
    the scaler leaves that step out and halves its factor.
    """
    precision = precision or Precision("float32", x.device)
    optimizers.zero_grad()
    total = gradient(model, x, y, precision, parallel)
    if precision.scaler is not None:
        for optimizer in optimizers.all:
            precision.scaler.unscale_(optimizer)
    params = [p for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm([p.grad for p in params])
    norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # of gradients that are split over processes
    if clip > 0.0:
        torch.nn.utils.clip_grads_with_norm_(params, clip, norm)
    loss, grad_norm = float(total), float(norm)
    if parallel is not None:
        loss = parallel.mean(loss)
    if not math.isfinite(loss) or (not math.isfinite(grad_norm) and precision.scaler is None):
        raise Diverged(_what_broke(model, loss))
    optimizers.step(precision.scaler)
    if precision.scaler is not None:
        precision.scaler.update()
    return StepResult(loss, grad_norm)


def _what_broke(model, loss):
    named = [(name.removeprefix("_orig_mod.").removeprefix("module."), p) for name, p in model.named_parameters()]
    for what, of in (("the weights", lambda p: p), ("the gradient", lambda p: p.grad)):
        for name, p in named:
            if of(p) is not None and not torch.isfinite(of(p)).all():
                return f"loss {loss:.4g}: {what} of {name} {'are' if what[-1] == 's' else 'is'} not finite"
    return f"loss {loss:.4g}, with finite weights and gradients"
