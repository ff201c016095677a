"""A head for a task: from a language model's vectors to a class, or to a number.

The table of scores over tokens comes off, and one linear layer goes on that reads one vector of the text: the last,
which alone has seen everything, or the mean. Two texts go in as one row with separators. Radford et al., Improving
Language Understanding by Generative Pre-Training (2018), section 3.3.

Rows are padded on the right, and their lengths say where: position t of a causal model does not see what comes after
it.
"""

import copy
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F


def headless(model):
    """A copy of a GPT that returns what its head was given: ids (B, T) -> (B, T, width). The copy shares no weights."""
    body = copy.deepcopy(model)
    body.head = nn.Identity()
    body.config = replace(model.config, softcap=0.0)  # a cap is for scores, not for vectors
    return body


def pack(texts, start: int, between: int, end: int, context: int) -> list[int]:
    """One or two texts as one row: [start] first ([between] second) [end], at most `context` tokens.

    texts: a list of one or two lists of ids. Where they do not fit, the longer of the two loses tokens from its right
    end until they do, and of two that are equally long the second: a question is not crowded out by the paragraph
    beside it. Raises ValueError for another number of texts, and where the separators alone do not fit.
    """
    if len(texts) not in (1, 2):
        raise ValueError(f"a row holds one text or two, not {len(texts)}")
    texts = [[int(i) for i in text] for text in texts]
    room = context - 1 - len(texts)
    if room < 0:
        raise ValueError(f"a context of {context} has no room for the separators")
    while sum(map(len, texts)) > room:
        max(reversed(texts), key=len).pop()
    row = [start]
    for number, text in enumerate(texts):
        row += ([between] if number else []) + text
    return [*row, end]


def pad(rows, filler: int = 0):
    """Rows of ids of different lengths as ids (B, T) int64, padded on the right, and lengths (B,) int64.

    Raises ValueError for no rows, and for an empty one.
    """
    if not rows or not all(len(row) for row in rows):
        raise ValueError("a batch needs at least one row, and a row at least one token")
    ids = torch.full((len(rows), max(map(len, rows))), filler, dtype=torch.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.as_tensor(row)
    return ids, torch.tensor([len(row) for row in rows])


class Classifier(nn.Module):
    """body(ids (B, T)) -> (B, T, width), pooled to (B, width), dropped out, and mapped by `head` (nn.Linear) to scores.

    classes: >= 2 for scores (B, classes) and cross-entropy; 1 for a number, (B,), and the squared error. pool: "last"
    for the vector of the last token that is not padding; "mean" for the mean over all that are not. The head starts
    with weights of standard deviation 0.02 and a bias of 0. Raises ValueError for another pool, or classes < 1.
    """

    def __init__(self, body, width: int, classes: int, pool: str = "last", dropout: float = 0.0):
        super().__init__()
        if pool not in ("last", "mean"):
            raise ValueError(f"pool is 'last' or 'mean', not {pool!r}")
        if classes < 1:
            raise ValueError(f"classes is at least 1, not {classes}: 1 stands for a number")
        self.body, self.pool = body, pool
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids, lengths, labels=None):
        """ids (B, T), lengths (B,) -> scores (B, classes), or (B,) for a number.

        With labels (B,), classes as int64 or numbers as floats: the mean loss over the batch.
        """
        hidden = self.body(ids)  # (B, T, C)
        if self.pool == "last":
            pooled = hidden[torch.arange(len(ids), device=ids.device), lengths - 1]  # (B, C)
        else:
            real = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]  # (B, T)
            pooled = (hidden * real[..., None]).sum(dim=1) / lengths[:, None]  # (B, C)
        scores = self.head(self.dropout(pooled))  # (B, classes)
        number = scores.shape[1] == 1
        scores = scores[:, 0] if number else scores
        if labels is None:
            return scores
        return F.mse_loss(scores, labels.to(scores.dtype)) if number else F.cross_entropy(scores, labels)

    @torch.no_grad()
    def predict(self, ids, lengths):
        """ids (B, T), lengths (B,) -> the likeliest class (B,) int64, or the number (B,).

        Without dropout and gradients; afterwards the module is in the mode it was in.
        """
        training = self.training
        self.eval()
        try:
            scores = self(ids, lengths)
        finally:
            self.train(training)
        return scores if scores.ndim == 1 else scores.argmax(dim=1)
