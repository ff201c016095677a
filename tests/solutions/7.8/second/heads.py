"""Heads, with gather and masked sums in place of fancy indexing."""

import copy
import dataclasses

import torch


def headless(model):
    body = copy.deepcopy(model)
    body.head = torch.nn.Sequential()
    body.config = dataclasses.replace(body.config, softcap=0.0)
    return body


def pack(texts, start, between, end, context):
    if len(texts) == 1:
        if context < 2:
            raise ValueError("no room")
        return [start, *texts[0][: context - 2], end]
    if len(texts) != 2 or context < 3:
        raise ValueError("one text or two, and room for the separators")
    room, (a, b) = context - 3, map(len, texts)
    if a + b > room:
        if min(a, b) * 2 <= room:
            a, b = (room - b, b) if a > b else (a, room - a)
        else:
            a, b = room - room // 2, room // 2
    return [start, *texts[0][:a], between, *texts[1][:b], end]


def pad(rows, filler=0):
    if len(rows) == 0 or min(len(row) for row in rows) == 0:
        raise ValueError("no rows, or an empty one")
    tensors = [torch.as_tensor(row, dtype=torch.long) for row in rows]
    ids = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=filler)
    return ids, torch.tensor(list(map(len, rows)))


class Classifier(torch.nn.Module):
    def __init__(self, body, width, classes, pool="last", dropout=0.0):
        super().__init__()
        if pool not in ("last", "mean") or classes < 1:
            raise ValueError("pool or classes")
        self.body, self.pool, self.p = body, pool, dropout
        self.head = torch.nn.Linear(width, classes)
        with torch.no_grad():
            self.head.weight.copy_(0.02 * torch.randn(classes, width))
            self.head.bias.fill_(0.0)

    def forward(self, ids, lengths, labels=None):
        hidden = self.body(ids)
        positions = torch.arange(ids.size(1)).expand(ids.size(0), -1)
        if self.pool == "last":
            weights = (positions == lengths[:, None] - 1).to(hidden.dtype)
        else:
            weights = (positions < lengths[:, None]).to(hidden.dtype) / lengths[:, None]
        pooled = torch.einsum("bt,btc->bc", weights.to(hidden.dtype), hidden)
        out = self.head(torch.nn.functional.dropout(pooled, self.p, self.training))
        if out.size(1) == 1:
            out = out.squeeze(1)
            return out if labels is None else ((out - labels) ** 2).mean()
        return out if labels is None else -out.log_softmax(1)[torch.arange(len(out)), labels].mean()

    def predict(self, ids, lengths):
        mode = self.training
        self.train(False)
        with torch.no_grad():
            out = self.forward(ids, lengths)
        self.train(mode)
        return out.max(dim=1).indices if out.dim() == 2 else out
