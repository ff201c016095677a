import math
from dataclasses import dataclass

import torch


class Diverged(FloatingPointError):
    pass


@dataclass(frozen=True)
class StepResult:
    loss: float
    grad_norm: float


class Precision:
    def __init__(self, name="float32", device="cpu"):
        self.device = torch.device(device)
        if name == "auto":
            name = "bfloat16" if has_bfloat16(self.device) else "float32"
        kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
        if name not in kinds:
            raise ValueError("float32, bfloat16, float16 or auto")
        self.dtype = kinds[name]
        self.scaler = torch.amp.GradScaler("cpu") if name == "float16" else None

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16 if self.dtype == torch.float32 else self.dtype,
                              enabled=self.dtype != torch.float32)  # fmt: skip


def has_bfloat16(device):
    return device.type == "cuda"


def gradient(model, x, y, precision, parallel=None):
    wanted = [(a, b, int(torch.count_nonzero(b + 1))) for a, b in zip(x, y)]
    whole = sum(n for _, _, n in wanted)
    if whole == 0:
        raise ValueError("no target")
    losses = []
    for a, b, n in wanted:
        if n > 0:
            with precision.autocast():
                part = model(a, b)
            losses.append(part.detach() * n / whole)
            part = part * n / whole
            if precision.scaler:
                part = precision.scaler.scale(part)
            part.backward()
    return sum(losses)


def step(model, optimizers, x, y, *, clip=0.0, precision=None, parallel=None):
    if precision is None:
        precision = Precision()
    for p in model.parameters():
        p.grad = None
    loss = float(gradient(model, x, y, precision))
    scaler = precision.scaler
    if scaler:
        for optimizer in optimizers.all:
            scaler.unscale_(optimizer)
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip if clip > 0 else math.inf))
    bad = [name for name, p in model.named_parameters() if not bool(p.isfinite().all())]
    if math.isnan(loss) or math.isinf(loss) or (not scaler and not math.isfinite(norm)):
        worse = [
            name for name, p in model.named_parameters() if p.grad is not None and not bool(p.grad.isfinite().all())
        ]
        raise Diverged(f"loss {loss}: {[*bad, *worse, 'nobody'][0]} is not finite")
    optimizers.step(scaler)
    if scaler:
        scaler.update()
    return StepResult(loss, norm)
