"""The captioner by PyTorch: the parameters are shared with NumPy, autograd finds the gradients."""

import numpy as np
import torch
from torch.nn import functional

PAD, BEGIN, END = 0, 1, 2
FIRST = 3


def encode(captions, words):
    places = {word: i for i, word in enumerate(words)}
    try:
        rows = [torch.tensor([BEGIN, *(FIRST + places[word] for word in caption), END]) for caption in captions]
    except KeyError as unknown:
        raise ValueError(f"{unknown} is not in the vocabulary") from None
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD).numpy()


def decode(ids, words):
    captions = []
    for row in np.asarray(ids).tolist():
        end = row.index(END) if END in row else len(row)
        captions.append([words[i - FIRST] for i in row[:end] if i >= FIRST])
    return captions


def cut(images, side):
    x = torch.tensor(images).permute(0, 3, 1, 2)  # (n, 3, h, w)
    cells = functional.unfold(x, side, stride=side).mT  # a cell's numbers colour by colour
    n, s, _ = cells.shape
    return cells.reshape(n, s, 3, side * side).mT.reshape(n, s, -1).contiguous().numpy()


def caption_loss_forward(scores, targets):
    given = torch.tensor(scores, requires_grad=True)
    loss = functional.cross_entropy(given.flatten(0, 1), torch.tensor(targets).flatten(), ignore_index=PAD)
    return loss.item(), (loss, given)


def caption_loss_backward(dloss, cache):
    loss, given = cache
    return torch.autograd.grad(loss, given, torch.tensor(dloss, dtype=loss.dtype), retain_graph=True)[0].numpy()


class Captioner:
    def __init__(self, words, side, shape, width, generator, dtype=np.float32):
        self.words, self.side = list(words), side
        torch.manual_seed(int(generator.integers(2**31)))
        m, v, p = width, FIRST + len(words), 3 * side * side
        s = (shape[0] // side) * (shape[1] // side)
        make = {
            "Wf": torch.nn.init.kaiming_normal_(torch.empty(m, p)).T,
            "bf": torch.zeros(m),
            "P": 0.1 * torch.randn(s, m),
            "W0": torch.randn(s * m, m) / (s * m) ** 0.5,
            "b0": torch.zeros(m),
            "E": torch.randn(v, m),
            "Wx": torch.randn(m, 4 * m) / m**0.5,
            "Wh": torch.randn(m, 4 * m) / m**0.5,
            "b": torch.cat([torch.zeros(m), torch.ones(m), torch.zeros(2 * m)]),
            "Wo": torch.randn(2 * m, v) / (2 * m) ** 0.5,
            "bo": torch.zeros(v),
        }
        self.params = [np.ascontiguousarray(value.numpy(), dtype=dtype) for value in make.values()]
        self.leaves = [torch.from_numpy(p).requires_grad_() for p in self.params]  # the same memory

    def _look(self, images):
        Wf, bf, P, W0, b0 = self.leaves[:5]
        features = torch.relu(torch.tensor(cut(images, self.side)).to(Wf.dtype) @ Wf + bf + P)
        c0 = features.flatten(1) @ W0 + b0
        return features, torch.tanh(c0), c0

    def _say(self, features, h, c, ids):
        E, Wx, Wh, b, Wo, bo = self.leaves[5:]
        x = functional.embedding(torch.tensor(ids), E)
        weights = [Wx.T, Wh.T, b, torch.zeros_like(b)]
        hs, _, c = torch.lstm(x, (h[None], c[None]), weights, True, 1, 0.0, False, False, True)
        read = functional.scaled_dot_product_attention(hs, features, features)
        return torch.cat([hs, read], dim=2) @ Wo + bo, hs[:, -1], c[0]

    def look(self, images):
        with torch.no_grad():
            return *(x.numpy() for x in self._look(images)), None

    def say(self, features, h, c, ids):
        with torch.no_grad():
            return *(x.numpy() for x in self._say(*(torch.tensor(x) for x in (features, h, c)), ids)), None

    def _loss(self, images, ids):
        scores, _, _ = self._say(*self._look(images), ids[:, :-1])
        return functional.cross_entropy(scores.flatten(0, 1), torch.tensor(ids[:, 1:]).flatten(), ignore_index=PAD)

    def loss_and_grads(self, images, ids):
        loss = self._loss(images, ids)
        return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, self.leaves)]

    def predict(self, images, longest=20):
        features, h, c, _ = self.look(images)
        ids = np.full((len(images), 1), BEGIN)
        while ids.shape[1] <= longest:
            done = (ids == END).any(axis=1)
            if done.all():
                break
            scores, h, c, _ = self.say(features, h, c, ids[:, -1:])
            best = scores[:, 0, END:].argmax(axis=1) + END
            ids = np.column_stack([ids, np.where(done, PAD, best)])
        return ids

    def caption(self, images):
        return decode(self.predict(images), self.words)


def train(model, images, ids, steps, generator, size=64, rate=1e-2, clip=1.0):
    adam = torch.optim.Adam(model.leaves, lr=rate)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / steps)
    losses = []
    for _ in range(steps):
        rows = generator.integers(len(images), size=size)
        loss = model._loss(images[rows], ids[rows])
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.leaves, clip)
        adam.step()
        falling.step()
        losses.append(loss.item())
    return losses
