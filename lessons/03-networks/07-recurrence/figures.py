"""The figures of lesson 3.7."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from groundup.course.figures import INK
from groundup.data.scenes import WORDS, scenes
from groundup.grad.captioner import Captioner, encode, train
from groundup.grad.layers.attention import attention_forward
from groundup.grad.layers.recurrent import (
    embedding_forward,
    gradient_by_lag,
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)

BLUE, RED, GREEN, GOLD = "#2b7a9e", "#a8402a", "#4a8a5c", "#b8862b"


def lag():
    """The gradient of the state k steps before the last, against k: tanh network, GRU, and LSTMs by their forget bias."""
    rng = np.random.default_rng(0)
    n, t, d, m = 16, 60, 8, 64
    x, dh, zero = rng.standard_normal((n, t, d)), rng.standard_normal((n, m)), np.zeros((n, m))

    def weights(k, biases=1):
        draw = [rng.standard_normal((rows, k * m)) / np.sqrt(rows) for rows in (d, m)]
        return [*draw, *[np.zeros(k * m) for _ in range(biases)]]

    figure, axes = plt.subplots(figsize=(6.0, 3.8))
    curves = [("tanh", RED, "-", gradient_by_lag(rnn_forward, rnn_backward, x, (zero,), weights(1), dh))]
    curves.append(("GRU", GREEN, "-", gradient_by_lag(gru_forward, gru_backward, x, (zero,), weights(3, 2), dh)))
    for bias, style in ((0.0, ":"), (1.0, "--"), (3.0, "-")):
        layer = weights(4)
        layer[2][m : 2 * m] = bias
        norms = gradient_by_lag(lstm_forward, lstm_backward, x, (zero, zero), layer, dh)
        curves.append((f"LSTM, forget bias {bias:.0f}", BLUE, style, norms))
    for name, colour, style, norms in curves:
        axes.semilogy(norms / norms[0], style, color=colour, label=name)
    axes.set_xlim(0, t)
    axes.set_xlabel("lag: steps before the last")
    axes.set_ylabel("size of the gradient")
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="lower left")
    return figure


@cache
def _trained():
    """A captioner after a short training, and scenes that it has not seen."""
    generator = np.random.default_rng(0)
    images, captions = scenes(3000, generator)
    model = Captioner(WORDS, 8, (24, 24), 48, generator)
    train(model, images, encode(captions, WORDS), 500, generator)
    return model, *scenes(40, generator)


def attention():
    """A new scene, and which cells are read for each word that is said about it."""
    model, images, captions = _trained()
    said = model.caption(images)
    chosen = next(i for i, words in enumerate(captions) if len(words) == 10 and said[i] == words)
    image, words = images[chosen : chosen + 1], captions[chosen]
    features, h, c, _ = model.look(image)
    E, Wx, Wh, b = model.params[5:9]
    x, _ = embedding_forward(encode([words], WORDS)[:, :-1], E)
    (hs, _), _ = lstm_forward(x, h, c, Wx, Wh, b)
    identity = np.eye(features.shape[1], dtype=features.dtype)[None]
    shares, _ = attention_forward(hs, features, identity)  # (1, words and end, cells)
    figure, axes = plt.subplots(2, 6, figsize=(7.2, 2.9))
    axes = axes.ravel()
    axes[0].imshow(image[0])
    axes[0].set_title("the scene", color=INK, fontsize=8)
    for place, word, share in zip(axes[1:], [*words, "(end)"], shares[0]):
        place.imshow(share.reshape(3, 3), cmap="Blues", vmin=0.0, vmax=1.0)
        place.set_title(word, color=INK, fontsize=8)
    for place in axes:
        place.set_xticks([])
        place.set_yticks([])
    return figure


def made():
    """Six scenes and their sentences."""
    images, captions = scenes(6, np.random.default_rng(4))
    figure, axes = plt.subplots(2, 3, figsize=(6.0, 4.4))
    for place, image, words in zip(axes.ravel(), images, captions):
        place.imshow(image)
        middle = (len(words) + 1) // 2
        lines = [" ".join(words)] if len(words) < 5 else [" ".join(words[:middle]), " ".join(words[middle:])]
        place.set_title("\n".join(lines), color=INK, fontsize=8)
        place.set_xticks([])
        place.set_yticks([])
    figure.subplots_adjust(hspace=0.35)
    return figure
