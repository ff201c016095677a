from time import monotonic

import torch
from torch import nn

CONTEXT = 128


class Recurrent(nn.Module):
    def __init__(self, size, width=192):
        super().__init__()
        self.into = nn.Embedding(size, width)
        self.cells = nn.GRU(width, width, batch_first=True)
        self.out = nn.Linear(width, size)

    def forward(self, ids):
        return self.out(self.cells(self.into(ids))[0])


def train(text_ids, vocab_size, seconds, seed=0):
    torch.manual_seed(seed)
    ids, model = torch.tensor(text_ids, dtype=torch.long), Recurrent(vocab_size)
    adam = torch.optim.Adam(model.parameters(), lr=4e-3)
    end = monotonic() + seconds
    while monotonic() < end:
        rows = [ids[i : i + CONTEXT + 1] for i in torch.randint(0, len(ids) - CONTEXT, (24,)).tolist()]
        rows = torch.stack(rows)
        loss = nn.functional.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:])
        adam.zero_grad()
        loss.backward()
        adam.step()
    model.eval()
    return model
