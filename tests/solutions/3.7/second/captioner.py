"""The captioner with its layers written in line."""

import numpy as np

from .layers.attention import attention_backward, attention_forward
from .layers.recurrent import lstm_backward, lstm_forward

PAD, BEGIN, END = 0, 1, 2
FIRST = 3
NAMES = ("Wf", "bf", "P", "W0", "b0", "E", "Wx", "Wh", "b", "Wo", "bo")


def encode(captions, words):
    known = list(words)
    t = 2 + max((len(c) for c in captions), default=-2)
    ids = np.zeros((len(captions), t), dtype=int)
    for row, caption in zip(ids, captions):
        for word in caption:
            if word not in known:
                raise ValueError(word)
        row[0] = BEGIN
        row[1 : len(caption) + 1] = [known.index(word) + FIRST for word in caption]
        row[len(caption) + 1] = END
    return ids


def decode(ids, words):
    captions = []
    for row in ids:
        said = []
        for i in row:
            if i == END:
                break
            if i >= FIRST:
                said.append(words[int(i) - FIRST])
        captions.append(said)
    return captions


def cut(images, side):
    n, h, w, _ = images.shape
    squares = [
        images[:, i : i + side, j : j + side].reshape(n, -1) for i in range(0, h, side) for j in range(0, w, side)
    ]
    return np.stack(squares, axis=1)


def caption_loss_forward(scores, targets):
    top = scores.max(axis=2, keepdims=True)
    logs = scores - top - np.log(np.exp(scores - top).sum(axis=2, keepdims=True))
    weight = (targets != PAD) / (targets != PAD).sum()
    picked = np.take_along_axis(logs, targets[..., None], axis=2)[..., 0]
    return -(weight * picked).sum(), (logs, targets, weight)


def caption_loss_backward(dloss, cache):
    logs, targets, weight = cache
    onehot = np.arange(logs.shape[2]) == targets[..., None]
    return ((np.exp(logs) - onehot) * weight[..., None] * dloss).astype(logs.dtype)


class Captioner:
    def __init__(self, words, side, shape, width, generator, dtype=np.float32):
        self.words, self.side = tuple(words), side
        m, v, p = width, FIRST + len(words), 3 * side**2
        s = shape[0] * shape[1] // side**2

        def normal(rows, columns, variance):
            return generator.normal(0.0, np.sqrt(variance), (rows, columns)).astype(dtype)

        b = np.repeat([0, 1, 0, 0], m).astype(dtype)
        zeros = [np.zeros(k, dtype=dtype) for k in (m, m, v)]
        self.params = [
            normal(p, m, 2 / p),
            zeros[0],
            normal(s, m, 0.01),
            normal(s * m, m, 1 / (s * m)),
            zeros[1],
            normal(v, m, 1),
            normal(m, 4 * m, 1 / m),
            normal(m, 4 * m, 1 / m),
            b,
            normal(2 * m, v, 1 / (2 * m)),
            zeros[2],
        ]

    def look(self, images):
        w = dict(zip(NAMES, self.params))
        cells = cut(images, self.side).astype(w["Wf"].dtype)
        features = np.maximum(cells @ w["Wf"] + w["bf"] + w["P"], 0)
        c0 = features.reshape(len(images), -1) @ w["W0"] + w["b0"]
        h0 = np.tanh(c0)
        return features, h0, c0, {"cells": cells, "features": features, "h0": h0}

    def say(self, features, h, c, ids):
        w = dict(zip(NAMES, self.params))
        (hs, last), lstm = lstm_forward(w["E"][ids], h, c, w["Wx"], w["Wh"], w["b"])
        read, attention = attention_forward(hs, features, features)
        m = hs.shape[2]
        scores = hs @ w["Wo"][:m] + read @ w["Wo"][m:] + w["bo"]
        return scores, hs[:, -1], last, {"ids": ids, "lstm": lstm, "attention": attention, "hs": hs, "read": read}

    def loss_and_grads(self, images, ids):
        w = dict(zip(NAMES, self.params))
        features, h0, c0, seen = self.look(images)
        scores, _, _, said = self.say(features, h0, c0, ids[:, :-1])
        loss, cache = caption_loss_forward(scores, ids[:, 1:])
        d = caption_loss_backward(1.0, cache)
        n, t, v = d.shape
        m = h0.shape[1]
        flat = d.reshape(n * t, v)
        dWo = np.vstack([said["hs"].reshape(n * t, m).T @ flat, said["read"].reshape(n * t, m).T @ flat])
        dq, dk, dv = attention_backward(d @ w["Wo"][m:].T, said["attention"])
        dx, dh0, dc0, dWx, dWh, db = lstm_backward(d @ w["Wo"][:m].T + dq, said["lstm"])
        dE = np.zeros_like(w["E"])
        for i in range(len(dE)):
            dE[i] = dx[said["ids"] == i].sum(axis=0)
        dc0 = dc0 + dh0 * (1 - seen["h0"] ** 2)
        whole = seen["features"].reshape(n, -1)
        dfeatures = (dk + dv + (dc0 @ w["W0"].T).reshape(dk.shape)) * (seen["features"] > 0)
        cells = seen["cells"].reshape(-1, seen["cells"].shape[2])
        rows = dfeatures.reshape(-1, m)
        return loss, [
            cells.T @ rows,
            rows.sum(0),
            dfeatures.sum(0),
            whole.T @ dc0,
            dc0.sum(0),
            dE,
            dWx,
            dWh,
            db,
            dWo,
            flat.sum(0),
        ]

    def predict(self, images, longest=20):
        features, h, c, _ = self.look(images)
        rows = [[BEGIN] for _ in images]
        for _ in range(longest):
            if all(END in row for row in rows):
                break
            scores, h, c, _ = self.say(features, h, c, np.array([row[-1:] for row in rows]))
            for row, score in zip(rows, scores[:, 0]):
                row.append(PAD if END in row else END + int(np.argmax(score[END:])))
        return np.array(rows)

    def caption(self, images):
        return decode(self.predict(images), self.words)


def train(model, images, ids, steps, generator, size=64, rate=1e-2, clip=1.0):
    first = [np.zeros_like(p) for p in model.params]
    second = [np.zeros_like(p) for p in model.params]
    losses = []
    for step in range(steps):
        rows = generator.integers(len(images), size=size)
        loss, grads = model.loss_and_grads(images[rows], ids[rows])
        losses.append(float(loss))
        norm = np.sqrt(sum(float((g.astype(float) ** 2).sum()) for g in grads))
        share = min(1.0, clip / (norm + 1e-6))
        now = rate * (steps - step) / steps
        for p, g, a, b in zip(model.params, grads, first, second):
            a[...] = 0.9 * a + 0.1 * share * g
            b[...] = 0.999 * b + 0.001 * (share * g) ** 2
            p -= (now * (a / (1 - 0.9 ** (step + 1))) / (np.sqrt(b / (1 - 0.999 ** (step + 1))) + 1e-8)).astype(p.dtype)
    return losses
