"""PyTorch's optimisers in this lesson's words. Lion and SAM, which it has not, are written on its tensors."""

import numpy as np
import torch

torch.optim.SGD([torch.zeros(1, requires_grad=True)]).step()  # the first one imports for seconds


class Optimiser:
    kind = None

    def __init__(self, params, lr, memory=(), **options):
        if options.get("momentum") == 1.0 or options.get("alpha") == 1.0:
            raise ValueError("PyTorch allows 1")
        self.params = list(params)
        self.steps = 0
        self.tensors = [torch.tensor(p, requires_grad=True) for p in self.params]
        self.torch = self.kind(self.tensors, lr=lr, **options)

    @property
    def lr(self):
        return self.torch.param_groups[0]["lr"]

    @lr.setter
    def lr(self, rate):
        self.torch.param_groups[0]["lr"] = float(rate)

    def step(self, grads):
        if [g.shape for g in grads] != [p.shape for p in self.params]:
            raise ValueError("shapes")
        self.steps += 1
        with torch.no_grad():
            for tensor, p, g in zip(self.tensors, self.params, grads):
                tensor.copy_(torch.tensor(p))
                tensor.grad = torch.tensor(g)
        self.torch.step()
        for tensor, p in zip(self.tensors, self.params):
            p[...] = tensor.detach().numpy()

    def update(self, w, g, spare, *remembered):
        raise NotImplementedError

    def state(self):
        kept = {"lr": self.lr, "steps": self.steps, "rule": np.frombuffer(type(self).__name__.encode(), dtype=np.uint8)}
        for i, entries in self.torch.state_dict()["state"].items():
            kept |= {f"{i}.{name}": np.array(value) for name, value in entries.items() if value is not None}
        return kept

    def load(self, state):
        if bytes(np.asarray(state["rule"])) != type(self).__name__.encode():
            raise ValueError("another rule")
        for i, p in enumerate(self.params):
            shapes = {np.shape(value) for key, value in state.items() if key.startswith(f"{i}.")}
            if not shapes <= {(), p.shape}:
                raise ValueError("another shape")
        whole = self.torch.state_dict()
        whole["state"] = {}
        for key, value in state.items():
            if "." in key:
                i, name = key.split(".", 1)
                whole["state"].setdefault(int(i), {})[name] = torch.tensor(value)
        if state["steps"] and len(whole["state"]) not in (0, len(self.params)):
            raise ValueError("other parameters")
        self.torch.load_state_dict(whole)
        self.lr, self.steps = float(state["lr"]), int(state["steps"])


class SGD(Optimiser):
    kind = torch.optim.SGD

    def __init__(self, params, lr=1e-3, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(params, lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)


class RMSprop(Optimiser):
    kind = torch.optim.RMSprop

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, alpha=alpha, eps=eps, weight_decay=weight_decay)


class Adam(Optimiser):
    kind = torch.optim.Adam

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class AdamW(Optimiser):
    kind = torch.optim.AdamW

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class SignOfMomentum(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, weight_decay):
        if not all(0 <= beta < 1 for beta in betas) or weight_decay < 0:
            raise ValueError("options")
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.lerp(p.grad, mean, beta1).sign(), alpha=-group["lr"])
                mean.lerp_(p.grad, 1 - beta2)


class Lion(Optimiser):
    kind = SignOfMomentum

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, lr, betas=betas, weight_decay=weight_decay)


class SAM:
    def __init__(self, base, rho=0.05):
        if rho < 0:
            raise ValueError("rho")
        self.base, self.rho = base, rho

    params = property(lambda self: self.base.params)

    @property
    def lr(self):
        return self.base.lr

    @lr.setter
    def lr(self, rate):
        self.base.lr = rate

    def step(self, closure):
        loss, grads = closure()
        home = [torch.tensor(p) for p in self.params]
        steepest = torch.nn.utils.parameters_to_vector([torch.tensor(g) for g in grads])
        uphill = self.rho * torch.nn.functional.normalize(steepest, dim=0, eps=1e-300)
        at = 0
        for p in self.params:
            p += uphill[at : at + p.size].numpy().reshape(p.shape)
            at += p.size
        grads = closure()[1]
        for p, old in zip(self.params, home):
            p[...] = old.numpy()
        self.base.step(grads)
        return loss

    def state(self):
        return self.base.state()

    def load(self, state):
        self.base.load(state)


def global_norm(arrays):
    return float(torch.nn.utils.get_total_norm([torch.tensor(a) for a in arrays]))


def clip_by_global_norm(grads, max_norm):
    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for leaf, g in zip(leaves, grads):
        leaf.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    for leaf, g in zip(leaves, grads):
        g[...] = leaf.grad.numpy()
    return float(norm)
