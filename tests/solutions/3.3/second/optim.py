"""Optimisers written another way: one flat vector per parameter's memory, new arrays at every step, formulas as they stand."""

import numpy as np


class Optimiser:
    names = ()

    def __init__(self, params, lr, memory=()):
        if lr < 0 or not np.isfinite(lr):
            raise ValueError("lr")
        self.params = params
        self.lr = lr
        self.steps = 0
        self.names = tuple(memory)
        self.cells = [{name: np.zeros(p.shape, p.dtype) for name in memory} for p in params]

    def step(self, grads):
        if [np.shape(g) for g in grads] != [p.shape for p in self.params]:
            raise ValueError("shapes")
        self.steps = self.steps + 1
        for i in range(len(self.params)):
            self.update(self.params[i], np.array(grads[i]), None, self.cells[i])

    def update(self, w, g, spare, *remembered):
        raise NotImplementedError

    def state(self):
        state = {"lr": self.lr, "steps": self.steps}
        for i, cell in enumerate(self.cells):
            for name in self.names:
                state[f"{i}/{name}"] = np.array(cell[name])
        return state

    def load(self, state):
        mine = self.state()
        if set(mine) != set(state):
            raise ValueError("another rule")
        for key in mine:
            if np.shape(mine[key]) != np.shape(state[key]):
                raise ValueError("another shape")
        self.lr = float(state["lr"])
        self.steps = int(state["steps"])
        for i, cell in enumerate(self.cells):
            for name in self.names:
                cell[name] = np.array(state[f"{i}/{name}"])


def between(*values):
    for value in values:
        if not (value >= 0 and value < 1):
            raise ValueError("a share")


def positive(*values):
    for value in values:
        if not value >= 0:
            raise ValueError("a price")


class SGD(Optimiser):
    def __init__(self, params, lr=1e-3, momentum=0.0, nesterov=False, weight_decay=0.0):
        between(momentum)
        positive(weight_decay)
        if nesterov and momentum == 0:
            raise ValueError("nesterov")
        Optimiser.__init__(self, params, lr, ["u"])
        self.options = momentum, nesterov, weight_decay

    def update(self, w, g, spare, cell=None):
        momentum, nesterov, weight_decay = self.options
        g = g + weight_decay * w
        cell["u"] = momentum * cell["u"] + g
        direction = g + momentum * cell["u"] if nesterov else cell["u"]
        w[...] = w - float(self.lr) * direction


class RMSprop(Optimiser):
    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0):
        between(alpha)
        positive(eps, weight_decay)
        Optimiser.__init__(self, params, lr, ["v"])
        self.options = alpha, eps, weight_decay

    def update(self, w, g, spare, cell):
        alpha, eps, weight_decay = self.options
        g = g + weight_decay * w
        cell["v"] = cell["v"] + (1 - alpha) * (g**2 - cell["v"])
        w[...] = w - g * (float(self.lr) / (cell["v"] ** 0.5 + eps))


class Adam(Optimiser):
    coupled = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        between(*betas)
        positive(eps, weight_decay)
        Optimiser.__init__(self, params, lr, ["m", "v"])
        self.options = betas[0], betas[1], eps, weight_decay

    def update(self, w, g, spare, cell):
        beta1, beta2, eps, weight_decay = self.options
        before = w.copy()
        if self.coupled:
            g = g + weight_decay * before
        cell["m"] = cell["m"] + (1 - beta1) * (g - cell["m"])
        cell["v"] = beta2 * cell["v"] + (1 - beta2) * g**2
        m_hat = cell["m"] / (1 - beta1**self.steps)
        v_hat = cell["v"] / (1 - beta2**self.steps)
        w[...] = before - float(self.lr) * m_hat / (np.sqrt(v_hat) + eps)
        if not self.coupled:
            w -= float(self.lr) * weight_decay * before


class AdamW(Adam):
    coupled = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        Adam.__init__(self, params, lr, betas, eps, weight_decay)

    def update(self, w, g, spare, cell):
        Adam.update(self, w, g, spare, cell)


class Lion(Optimiser):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        between(*betas)
        positive(weight_decay)
        Optimiser.__init__(self, params, lr, ["m"])
        self.options = betas[0], betas[1], weight_decay

    def update(self, w, g, spare, cell):
        beta1, beta2, weight_decay = self.options
        mixed = g + beta1 * (cell["m"] - g)
        direction = np.where(mixed > 0, 1.0, np.where(mixed < 0, -1.0, 0.0)).astype(w.dtype)
        w[...] = w - float(self.lr) * (direction + weight_decay * w)
        cell["m"] = g + beta2 * (cell["m"] - g)


class SAM:
    def __init__(self, base, rho=0.05):
        positive(rho)
        self.base = base
        self.rho = rho

    @property
    def params(self):
        return self.base.params

    @property
    def lr(self):
        return self.base.lr

    @lr.setter
    def lr(self, rate):
        self.base.lr = rate

    def step(self, closure):
        home = [np.array(w) for w in self.params]
        loss, grads = closure()
        everything = np.concatenate([np.ravel(g) for g in grads])
        length = np.linalg.norm(everything)
        if length > 0:
            for w, g in zip(self.params, grads):
                w[...] = w + self.rho * (g / length)
        try:
            grads = closure()[1]
        except BaseException:
            self.settle(home)
            raise
        self.settle(home)
        self.base.step(grads)
        return loss

    def settle(self, home):
        for w, h in zip(self.params, home):
            w[...] = h

    def state(self):
        return self.base.state()

    def load(self, state):
        self.base.load(state)


def global_norm(arrays):
    total = 0.0
    for x in arrays:
        for entry in np.ravel(x).tolist():
            total += entry * entry
    return total**0.5


def clip_by_global_norm(grads, max_norm):
    before = global_norm(grads)
    factor = min(1.0, max_norm / (before + 1e-6))
    for g in grads:
        g[...] = factor * g
    return before
