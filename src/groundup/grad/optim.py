"""Optimisers: what to do with a gradient.

All of them hold a list of arrays, the parameters, and change them in place when they are given a list of gradients.
They know of no network and no engine. The rules work in arrays that are made once, so that a step allocates nothing;
parameters keep their dtype, and gradients are only read.

Letters: w a parameter, g its gradient, t the number of the step, 1 for the first.
Goodfellow, Bengio and Courville, Deep Learning (2016), sections 8.3 and 8.5.
"""

import math

import numpy as np


class Optimiser:
    """What all of them share: the parameters, what is remembered for each of them, and the order of a step.

    params: list of float arrays, each once. lr: the rate (float, >= 0), which may be set at any time between steps, as
    schedules do. steps: how many steps have been taken (int). A rule is a subclass that has `update`.
    """

    def __init__(self, params, lr, memory=()):
        """params: the arrays themselves, not copies. memory: names of what is remembered; each parameter has an array
        of its own for it, which begins as zeros. Raises ValueError unless lr is finite and >= 0.
        """
        if not 0.0 <= lr < math.inf:
            raise ValueError(f"a rate is at least 0 and finite, not {lr}")
        self.params, self.lr, self.steps = list(params), float(lr), 0
        self.memory = {name: [np.zeros_like(p) for p in self.params] for name in memory}
        largest = max((p.size for p in self.params), default=0)
        room = {p.dtype: np.empty((2, largest), p.dtype) for p in self.params}  # to work in, shared by all of a dtype
        self._spare = [tuple(r[: p.size].reshape(p.shape) for r in room[p.dtype]) for p in self.params]

    def step(self, grads):
        """One step. grads: a list of arrays, each of the shape of its parameter; they are only read.

        Raises ValueError, before anything has changed, for another number of arrays or another shape.
        """
        if len(grads) != len(self.params):
            raise ValueError(f"{len(self.params)} parameters, and {len(grads)} gradients")
        for w, g in zip(self.params, grads):
            if g.shape != w.shape:
                raise ValueError(f"a parameter of shape {w.shape} has a gradient of shape {g.shape}")
        self.lr, self.steps = float(self.lr), self.steps + 1  # a NumPy number would make float64 of float32
        for w, g, spare, *remembered in zip(self.params, grads, self._spare, *self.memory.values()):
            self.update(w, g, spare, *remembered)

    def update(self, w, g, spare, *remembered):
        """The rule, for one parameter: changes w and what is remembered in place; g is only read.

        spare: two arrays like w to work in, with anything in them. remembered: the arrays of `memory`, in its order.
        """
        raise NotImplementedError("a rule says what an update is")

    def state(self):
        """All that the next steps depend on: a flat dict of copies, "lr", "steps", and "NAME.I" for each parameter I."""
        kept = {f"{name}.{i}": array.copy() for name in self.memory for i, array in enumerate(self.memory[name])}
        return {"lr": self.lr, "steps": self.steps, **kept}

    def load(self, state):
        """Takes over a state: the steps after it are those that would have followed, bit for bit. Parameters are not in it.

        The arrays are copied. Numbers may have become arrays of no axes, as a file makes them. Raises ValueError for the
        state of another rule or other shapes.
        """
        own = self.state()
        if state.keys() != own.keys() or any(np.shape(state[key]) != np.shape(own[key]) for key in own):
            raise ValueError("this state belongs to another optimiser, or to other parameters")
        self.lr, self.steps = float(state["lr"]), int(state["steps"])
        for name, all_kept in self.memory.items():
            for i, kept in enumerate(all_kept):
                np.copyto(kept, state[f"{name}.{i}"])


class SGD(Optimiser):
    """Downhill, with or without momentum.

    With weight decay g <- g + weight_decay w first. Then, with u = 0 at the beginning,
        u <- momentum u + g;   w <- w - lr u,   or for Nesterov's look-ahead   w <- w - lr (g + momentum u).
    The rate is outside u: setting it acts at once. Sutskever, Martens, Dahl and Hinton, On the importance of
    initialization and momentum in deep learning (2013), section 2, in the form that PyTorch has.
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, nesterov=False, weight_decay=0.0):
        """Raises ValueError for a momentum outside [0, 1), a weight_decay below 0, or nesterov without momentum."""
        super().__init__(params, lr, ("momentum",) if momentum else ())
        _check_share("momentum", momentum)
        _check_price("weight_decay", weight_decay)
        if nesterov and not momentum:
            raise ValueError("Nesterov's look-ahead needs a momentum to look along")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def update(self, w, g, spare, u=None):
        """u: the momentum, None where there is none."""
        a, b = spare
        g = _with_decay(g, w, self.weight_decay, b)
        if u is not None:
            u *= self.momentum
            u += g
            if self.nesterov:
                np.multiply(u, self.momentum, out=a)
                a += g
                g = a
            else:
                g = u
        np.multiply(g, self.lr, out=a)
        w -= a


class RMSprop(Optimiser):
    """Each weight's gradient over the root of its recent mean square.

    With weight decay g <- g + weight_decay w first. Then, with v = 0 at the beginning,
        v <- alpha v + (1 - alpha) g^2;   w <- w - lr g / (sqrt(v) + eps).
    Tieleman and Hinton, Neural Networks for Machine Learning (2012), lecture 6.5.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0):
        """Raises ValueError for an alpha outside [0, 1), or an eps or weight_decay below 0."""
        super().__init__(params, lr, ("square",))
        _check_share("alpha", alpha)
        _check_price("eps", eps)
        _check_price("weight_decay", weight_decay)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def update(self, w, g, spare, v):
        """v: the running mean of g^2."""
        a, b = spare
        g = _with_decay(g, w, self.weight_decay, b)
        _average(v, np.multiply(g, g, out=a), self.alpha, a)
        np.sqrt(v, out=a)
        a += self.eps
        np.divide(g, a, out=a)
        a *= self.lr
        w -= a


class Adam(Optimiser):
    """Momentum and RMSprop at once, each corrected for having begun at zero.

    With weight decay g <- g + weight_decay w first. Then, with m = v = 0 at the beginning and betas (beta1, beta2),
        m <- beta1 m + (1 - beta1) g;   v <- beta2 v + (1 - beta2) g^2
        w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
    Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        """Raises ValueError for a beta outside [0, 1), or an eps or weight_decay below 0."""
        super().__init__(params, lr, ("mean", "square"))
        for beta in betas:
            _check_share("a beta", beta)
        _check_price("eps", eps)
        _check_price("weight_decay", weight_decay)
        self.betas, self.eps, self.weight_decay = tuple(betas), eps, weight_decay

    def update(self, w, g, spare, m, v):
        """m, v: the running means of g and of g^2."""
        self._move(w, _with_decay(g, w, self.weight_decay, spare[1]), spare[0], m, v)

    def _move(self, w, g, a, m, v):
        """Algorithm 1 as the end of its section 2 orders it: the corrections go into two numbers, and two passes less."""
        beta1, beta2 = self.betas
        correction1, correction2 = 1.0 - beta1**self.steps, 1.0 - beta2**self.steps
        root = math.sqrt(correction2)
        _average(m, g, beta1, a)
        _average(v, np.multiply(g, g, out=a), beta2, a)
        np.sqrt(v, out=a)
        a += self.eps * root
        np.divide(m, a, out=a)
        a *= self.lr * root / correction1
        w -= a


class AdamW(Adam):
    """Adam with a weight decay that is no part of the gradient: w <- (1 - lr weight_decay) w, and then Adam's step.

    Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2, with lr in the decay as in PyTorch.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        """As Adam."""
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, w, g, spare, m, v):
        """m, v: the running means of g and of g^2, which decay does not enter."""
        if self.weight_decay:
            w *= 1.0 - self.lr * self.weight_decay
        self._move(w, g, spare[0], m, v)


class Lion(Optimiser):
    """Only the sign of a momentum: every weight moves by lr, one way or the other (by 0 where the sign is that of 0).

    With m = 0 at the beginning and betas (beta1, beta2), everything on the right being what was before the step,
        w <- w - lr (sign(beta1 m + (1 - beta1) g) + weight_decay w);   m <- beta2 m + (1 - beta2) g.
    Chen et al., Symbolic Discovery of Optimization Algorithms (2023), algorithm 2.
    """

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        """Raises ValueError for a beta outside [0, 1), or a weight_decay below 0."""
        super().__init__(params, lr, ("mean",))
        for beta in betas:
            _check_share("a beta", beta)
        _check_price("weight_decay", weight_decay)
        self.betas, self.weight_decay = tuple(betas), weight_decay

    def update(self, w, g, spare, m):
        """m: the running mean of g."""
        a, b = spare
        beta1, beta2 = self.betas
        np.multiply(m, beta1, out=a)
        np.multiply(g, 1.0 - beta1, out=b)
        a += b
        np.sign(a, out=a)
        a *= self.lr
        if self.weight_decay:
            w *= 1.0 - self.lr * self.weight_decay
        w -= a
        _average(m, g, beta2, a)


class SAM:
    """Sharpness-aware minimisation: a step of another optimiser, with the gradient from the worst point near by.

    base: any Optimiser. rho: how far away that point is, at least 0, in the units of the weights; it lies uphill, at
    w + rho g / ||g|| with the norm over all parameters together. Foret, Kleiner, Mobahi and Neyshabur, Sharpness-Aware
    Minimization for Efficiently Improving Generalization (2021), equations 2 and 3 with p = 2.
    """

    def __init__(self, base, rho=0.05):
        """Raises ValueError unless rho >= 0."""
        _check_price("rho", rho)
        self.base, self.rho = base, rho
        self._kept = [np.empty_like(w) for w in base.params]

    @property
    def params(self):  # given
        """The base's parameters."""
        return self.base.params

    @property
    def lr(self):  # given
        """The base's rate; it may be set."""
        return self.base.lr

    @lr.setter
    def lr(self, rate):  # given
        """Sets the base's rate."""
        self.base.lr = rate

    def step(self, closure):
        """One step. closure() -> (loss, grads) where the parameters stand at that moment; it is asked twice.

        Returns the loss from before the step. The base steps from where the parameters were, bit for bit, with the
        second gradients. The second call may overwrite the arrays of the first. Where the first gradients are all 0
        there is no uphill, and no move. If the closure raises, the parameters are put back.
        """
        loss, grads = closure()
        norm = global_norm(grads)
        reach = self.rho / norm if norm > 0.0 else 0.0
        for w, kept, g in zip(self.params, self._kept, grads):
            np.copyto(kept, w)
            w += reach * g
        try:
            _, grads = closure()
        finally:
            for w, kept in zip(self.params, self._kept):
                np.copyto(w, kept)
        self.base.step(grads)
        return loss

    def state(self):  # given
        """The base's state: nothing is remembered from step to step besides."""
        return self.base.state()

    def load(self, state):  # given
        """Takes over a state of the base."""
        self.base.load(state)


def global_norm(arrays):
    """The Euclidean norm of all entries of all arrays, as one vector: a list of arrays -> float."""
    return math.sqrt(sum(float(np.vdot(x, x)) for x in arrays))


def clip_by_global_norm(grads, max_norm):
    """Shortens gradients that are together longer than max_norm, in place, and returns the norm they had (float).

    grads: a list of arrays. All are multiplied by one number, max_norm / (norm + 1e-6), if it is below 1: the direction
    stays, and nothing is made longer. A norm that is not finite makes them NaN, as in PyTorch: look at what is
    returned. Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013), algorithm 1.
    """
    norm = global_norm(grads)
    share = max_norm / (norm + 1e-6)
    if not share >= 1.0:  # NaN too
        for g in grads:
            g *= share
    return norm


def _average(running, new, beta, room):
    """running <- beta running + (1 - beta) new, in place. room may be new itself, which is lost then."""
    running *= beta
    running += np.multiply(new, 1.0 - beta, out=room)


def _with_decay(g, w, weight_decay, room):
    """g + weight_decay w in room, or g itself where there is no decay. The caller's array is not touched."""
    if not weight_decay:
        return g
    np.multiply(w, weight_decay, out=room)
    room += g
    return room


def _check_share(name, value):
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} is at least 0 and below 1, not {value}")


def _check_price(name, value):
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} is at least 0 and finite, not {value}")
