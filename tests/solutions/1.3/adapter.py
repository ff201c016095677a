"""The interface of lesson 1.3 on PyTorch: a right answer by definition."""

import torch


class Value:
    def __init__(self, data):
        self.tensor = (
            data
            if isinstance(data, torch.Tensor)
            else torch.tensor(float(data), dtype=torch.float64, requires_grad=True)
        )

    @property
    def data(self):
        return self.tensor.item()

    @property
    def grad(self):
        return 0.0 if self.tensor.grad is None else self.tensor.grad.item()

    @grad.setter
    def grad(self, value):
        self.tensor.grad = torch.tensor(value, dtype=torch.float64)

    def backward(self):
        self.tensor.backward(retain_graph=True)

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("a number, please")
        return Value(self.tensor**n)

    def __neg__(self):
        return Value(-self.tensor)


def forwarded(name):
    def method(self, *others):
        return Value(getattr(self.tensor, name)(*(o.tensor if isinstance(o, Value) else o for o in others)))

    return method


for name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(Value, f"__{name}__", forwarded(f"__{name}__"))
for name in ("exp", "log", "tanh", "relu"):
    setattr(Value, name, forwarded(name))
