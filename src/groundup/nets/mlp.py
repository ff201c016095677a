"""The part of a block that looks at one place at a time: wider, bent, narrower again.

GELU: Hendrycks and Gimpel (2016), in the tanh form of GPT-2. Squared ReLU: So and others, Primer (2021). SwiGLU: Shazeer,
GLU Variants Improve Transformer (2020); three matrices where the others have two, so its hidden layer is narrower.
"""

from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    """x (B, T, width) -> (B, T, width), every place by itself. The bend is the configuration's `mlp`:

    "gelu"    down(gelu(up(x))), gelu in its tanh form
    "relu2"   down(relu(up(x))^2)
    "swiglu"  down(silu(gate(x)) * up(x))

    Learns: up and, for "swiglu", gate (hidden, width), down (width, hidden), with biases where `bias`. Their start is set
    by the model that holds them. Reads width, hidden_width, mlp, bias and dropout of the configuration.
    """

    def __init__(self, config):
        super().__init__()
        self.kind = config.mlp
        self.up = nn.Linear(config.width, config.hidden_width, bias=config.bias)
        self.gate = nn.Linear(config.width, config.hidden_width, bias=config.bias) if self.kind == "swiglu" else None
        self.down = nn.Linear(config.hidden_width, config.width, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        h = self.up(x)  # (B, T, hidden)
        if self.kind == "gelu":
            h = F.gelu(h, approximate="tanh")
        elif self.kind == "relu2":
            h = F.relu(h).square()
        else:
            h = F.silu(self.gate(x)) * h
        return self.dropout(self.down(h))  # (B, T, width)
