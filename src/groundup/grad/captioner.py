"""A captioner: it looks at an image and says what is there, word by word.

The image is cut into cells, and every cell becomes a row of features. An LSTM, whose first state comes from the image as a whole,
reads the words so far; what its state asks for, attention reads from the cells; state and reading together score the
next word. While training, the words so far are the true ones; afterwards they are its own.

Vinyals, Toshev, Bengio and Erhan, Show and Tell (2015), and with attention Xu and others, Show, Attend and Tell (2015); the
attention comes after the LSTM, as in Luong, Pham and Manning (2015), so that all steps are one call of each layer.
"""

import numpy as np

from .layers.attention import attention_backward, attention_forward
from .layers.dense import (
    affine_backward,
    affine_forward,
    relu_backward,
    relu_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
    tanh_backward,
    tanh_forward,
)
from .layers.recurrent import embedding_backward, embedding_forward, lstm_backward, lstm_forward
from .optim import Adam, clip_by_global_norm

PAD, BEGIN, END = 0, 1, 2  # ids that are no words: filling, before the first word, after the last
FIRST = 3  # the id of the first word of a vocabulary


def encode(captions, words):
    """Ids (n, t) of n captions, lists of words: BEGIN, a caption's words, END, then PAD up to the longest of them.

    The id of a word is FIRST and its place in words, the vocabulary. Raises ValueError for a word that is not in it.
    """
    ids = {word: i for i, word in enumerate(words, FIRST)}
    unknown = sorted({word for caption in captions for word in caption} - ids.keys())
    if unknown:
        raise ValueError(f"not in the vocabulary: {', '.join(unknown)}")
    rows = [[BEGIN, *(ids[word] for word in caption), END] for caption in captions]
    longest = max(map(len, rows), default=0)
    return np.array([row + [PAD] * (longest - len(row)) for row in rows], dtype=np.int64).reshape(-1, longest)


def decode(ids, words):
    """The captions, lists of words, of the rows of ids: what stands before the first END, without BEGIN and PAD."""
    captions = []
    for row in np.asarray(ids).tolist():
        before = row[: row.index(END)] if END in row else row
        captions.append([words[i - FIRST] for i in before if i >= FIRST])
    return captions


def cut(images, side):
    """Images (n, h, w, 3) in squares, in the order of reading: (n, s, side * side * 3), h and w multiples of side.

    A row holds the pixels of a cell in the order of reading, three numbers each.
    """
    n, height, width, colours = images.shape
    rows, columns = height // side, width // side
    cells = images.reshape(n, rows, side, columns, side, colours).transpose(0, 1, 3, 2, 4, 5)
    return cells.reshape(n, rows * columns, side * side * colours)


def caption_loss_forward(scores, targets):
    """Cross-entropy, the mean over the targets that are not PAD, in nats.

    scores (n, t, v), targets (n, t), ids. Returns the loss and a cache.
    """
    real = targets != PAD
    loss, of_loss = softmax_cross_entropy_forward(scores[real], targets[real])
    return loss, (of_loss, real, scores.shape)


def caption_loss_backward(dloss, cache):
    """dscores (n, t, v), zero where the target is PAD."""
    of_loss, real, shape = cache
    chosen = softmax_cross_entropy_backward(dloss, of_loss)
    dscores = np.zeros(shape, dtype=chosen.dtype)
    dscores[real] = chosen
    return dscores


class Captioner:
    """Images to sentences.

    words: the vocabulary, a list; there are v = FIRST + len(words) ids. side: pixels along a side of a cell; shape: (h, w)
    of an image, so that it has s = (h / side) (w / side) cells of p = 3 side^2 numbers. width: m, of all that is inside.
    generator: a numpy.random.Generator, which draws the weights. dtype: of the parameters and of all that is computed.

    params, a list of arrays, in this order:
      Wf (p, m), bf (m,), P (s, m)   features F = relu(cells Wf + bf + P): P is how a cell knows its place
      W0 (s m, m), b0 (m,)           the first cell state c0 = all rows of F, one after the other, times W0, + b0; h0 = tanh(c0)
      E (v, m)                       a row for each id
      Wx, Wh (m, 4 m), b (4 m,)      an LSTM, which reads the rows of the ids so far and begins at h0, c0
      Wo (2 m, v), bo (v,)           scores = [h, read] Wo + bo, where read = attention(h, F, F)
    A matrix with r rows is drawn normal with variance 1 / r, but Wf 2 / r, P 0.01, E 1. The biases are 0, but the forget
    gate's, the second quarter of b, 1.
    """

    def __init__(self, words, side, shape, width, generator, dtype=np.float32):
        """Draws the weights."""
        self.words, self.side = list(words), side
        m, v = width, FIRST + len(self.words)
        p, s = 3 * side * side, (shape[0] // side) * (shape[1] // side)
        drawn = {  # shape and scale
            "Wf": ((p, m), (2 / p) ** 0.5),
            "bf": ((m,), 0.0),
            "P": ((s, m), 0.1),
            "W0": ((s * m, m), (s * m) ** -0.5),
            "b0": ((m,), 0.0),
            "E": ((v, m), 1.0),
            "Wx": ((m, 4 * m), m**-0.5),
            "Wh": ((m, 4 * m), m**-0.5),
            "b": ((4 * m,), 0.0),
            "Wo": ((2 * m, v), (2 * m) ** -0.5),
            "bo": ((v,), 0.0),
        }
        self.params = [(scale * generator.standard_normal(size)).astype(dtype) for size, scale in drawn.values()]
        self.params[8][m : 2 * m] = 1.0  # at first the cell keeps most of what it has

    def look(self, images):
        """Images (n, h, w, 3) -> features (n, s, m), first state h0 and cell c0 (n, m), and a cache."""
        Wf, bf, P, W0, b0 = self.params[:5]
        z, of_cells = affine_forward(cut(images, self.side).astype(Wf.dtype), Wf, bf)
        features, of_relu = relu_forward(z + P)  # (n, s, m)
        c0, of_whole = affine_forward(features.reshape(len(features), -1), W0, b0)
        h0, of_tanh = tanh_forward(c0)
        return features, h0, c0, (of_cells, of_relu, of_whole, of_tanh)

    def say(self, features, h, c, ids):
        """Scores (n, t, v) of the id after each of ids (n, t); the state and the cell after the last, (n, m); and a cache.

        h, c (n, m): the state and the cell before the first of ids.
        """
        E, Wx, Wh, b, Wo, bo = self.params[5:]
        x, of_words = embedding_forward(ids, E)
        (hs, c), of_lstm = lstm_forward(x, h, c, Wx, Wh, b)
        read, of_attention = attention_forward(hs, features, features)
        scores, of_scores = affine_forward(np.concatenate([hs, read], axis=2), Wo, bo)
        return scores, hs[:, -1], c, (of_words, of_lstm, of_attention, of_scores)

    def loss_and_grads(self, images, ids):
        """images (n, h, w, 3), ids (n, t) of `encode` -> caption_loss, and its gradients, a list as params.

        The id after ids[:, s] is ids[:, s + 1]: the true ids go in, whatever the model would have said.
        """
        features, h0, c0, of_look = self.look(images)
        scores, _, _, of_say = self.say(features, h0, c0, ids[:, :-1])
        loss, of_loss = caption_loss_forward(scores, ids[:, 1:])
        return loss, self._backward(caption_loss_backward(1.0, of_loss), of_say, of_look)

    def _backward(self, dscores, of_say, of_look):
        of_words, of_lstm, of_attention, of_scores = of_say
        of_cells, of_relu, of_whole, of_tanh = of_look
        dboth, dWo, dbo = affine_backward(dscores, of_scores)  # (n, t, 2 m)
        dhs, dread = np.split(dboth, 2, axis=2)
        dquery, dkeys, dvalues = attention_backward(dread, of_attention)
        dx, dh0, dc0, dWx, dWh, db = lstm_backward(dhs + dquery, of_lstm)
        dE = embedding_backward(dx, of_words)
        dc0 = dc0 + tanh_backward(dh0, of_tanh)
        dwhole, dW0, db0 = affine_backward(dc0, of_whole)
        dfeatures = dkeys + dvalues + dwhole.reshape(dkeys.shape)  # they are keys, values, and the whole image
        dz = relu_backward(dfeatures, of_relu)
        _, dWf, dbf = affine_backward(dz, of_cells, with_dx=False)
        return [dWf, dbf, dz.sum(axis=0), dW0, db0, dE, dWx, dWh, db, dWo, dbo]

    def predict(self, images, longest=20):
        """Ids (n, t), greedily: first BEGIN, then each time the id of the highest score, until there is END in every row.

        PAD and BEGIN are never chosen; after END a row is filled with PAD. After BEGIN there are at most `longest` ids.
        """
        features, h, c, _ = self.look(images)
        ids = np.full((len(images), 1), BEGIN)
        done = np.zeros(len(images), dtype=bool)
        while ids.shape[1] <= longest and not done.all():
            scores, h, c, _ = self.say(features, h, c, ids[:, -1:])
            best = scores[:, -1, END:].argmax(axis=1) + END
            ids = np.column_stack([ids, np.where(done, PAD, best)])
            done |= best == END
        return ids

    def caption(self, images):
        """What the model says: a list of words for each image."""
        return decode(self.predict(images), self.words)


def train(model, images, ids, steps, generator, size=64, rate=1e-2, clip=1.0):
    """Trains on images (n, h, w, 3) and ids (n, t), in place, and returns the loss before each step, a list.

    A step draws its rows as generator.integers(n, size=size), clips the gradients' global norm at `clip`, and goes by
    Adam at a rate that falls in a straight line: rate (1 - step / steps), step = 0, 1, ...
    """
    optimiser = Adam(model.params, lr=rate)
    losses = []
    for step in range(steps):
        rows = generator.integers(len(images), size=size)
        loss, grads = model.loss_and_grads(images[rows], ids[rows])
        clip_by_global_norm(grads, clip)
        optimiser.lr = rate * (1 - step / steps)
        optimiser.step(grads)
        losses.append(float(loss))
    return losses
