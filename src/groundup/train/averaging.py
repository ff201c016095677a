"""A moving average of the weights: each step the average goes a small part of the way to where the weights are.

The noise of single steps cancels in it. Polyak and Juditsky (1992) average evenly; the exponential average forgets the beginning.
"""

import contextlib

import torch


class Average:
    """average <- decay * average + (1 - decay) * weights, begun at the weights as they are.

    decay: 0 <= decay < 1; of the weights of n steps ago decay^n is left. In the first steps a smaller decay, (1 + n) / (10 + n), so
    that the random start is forgotten.
    """

    def __init__(self, model, decay):
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"the decay of an average is from 0 up to below 1, not {decay}")
        self.decay, self.steps = decay, 0
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        """Takes in the weights of one more step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.weights.values()), [p.detach() for p in model.parameters()], 1.0 - decay)

    @torch.no_grad()
    def copy_to(self, model):
        """The averaged weights into a model."""
        for name, p in model.named_parameters():
            p.copy_(self.weights[name])

    @contextlib.contextmanager
    def inside(self, model):
        """A context in which the model has the averaged weights; then it has its own again, to the bit."""
        own = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.copy_to(model)
        try:
            yield model
        finally:
            with torch.no_grad():
                for name, p in model.named_parameters():
                    p.copy_(own[name])

    def state_dict(self):
        """{"steps": int, "weights": {name: tensor}}."""
        return {"steps": self.steps, "weights": self.weights}

    def load_state_dict(self, state):
        """Takes over what state_dict gave."""
        self.steps = state["steps"]
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)
