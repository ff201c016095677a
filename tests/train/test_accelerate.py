"""The page's claim: the same loop under Hugging Face's Accelerate gives the same losses."""

import pytest
import torch
from torch import nn

accelerate = pytest.importorskip("accelerate", reason="Accelerate is not installed")

from groundup.train.optim import Optimizers  # noqa: E402
from groundup.train.seeds import seed_everything  # noqa: E402
from groundup.train.step import step  # noqa: E402

MICRO, BATCH, CONTEXT, WORDS, STEPS = 4, 3, 5, 11, 6


class Words(nn.Module):
    """The smallest language model: the next token from this one, through dropout."""

    def __init__(self):
        super().__init__()
        self.table, self.drop, self.out = nn.Embedding(WORDS, 6), nn.Dropout(0.2), nn.Linear(6, WORDS)

    def forward(self, x, y):
        return nn.functional.cross_entropy(self.out(self.drop(self.table(x))).flatten(0, 1), y.flatten())


def batches():
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(WORDS, (STEPS, 2, MICRO, BATCH, CONTEXT), generator=generator)
    return [(x, y) for x, y in ids]


def ours():
    seed_everything(3)
    model = Words()
    optimizers = Optimizers([torch.optim.AdamW(model.parameters(), lr=0.02)], model)
    return [step(model, optimizers, x, y).loss for x, y in batches()], model


def theirs():
    seed_everything(3)
    accelerator = accelerate.Accelerator(gradient_accumulation_steps=MICRO, cpu=True)
    model = Words()
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=0.02))
    losses = []
    for xs, ys in batches():
        total = 0.0
        for x, y in zip(xs, ys):
            with accelerator.accumulate(model):
                loss = model(x, y)
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
            total += loss.item() / MICRO
        losses.append(total)
    return losses, accelerator.unwrap_model(model)


def test_the_same_loop_under_accelerate_has_the_same_losses():
    (mine, model), (other, same) = ours(), theirs()
    assert mine == pytest.approx(other, rel=1e-6)  # float32: the mean is taken before or after the sum
    for a, b in zip(model.parameters(), same.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
