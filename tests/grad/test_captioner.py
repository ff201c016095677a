"""The captioner: its gradients by central differences, the way from images to words, and that it learns."""

import numpy as np
import pytest

from groundup.data.scenes import WORDS, scenes
from groundup.grad.captioner import (
    BEGIN,
    END,
    FIRST,
    PAD,
    Captioner,
    caption_loss_backward,
    caption_loss_forward,
    cut,
    decode,
    encode,
    train,
)
from groundup.grad.check import gradient_check

TOY = ["a", "red", "blue", "square"]


def small(seed=0, dtype=np.float64):
    """A captioner of four words for images of 2 x 2 cells of 2 x 2 pixels, and a batch."""
    rng = np.random.default_rng(seed)
    model = Captioner(TOY, 2, (4, 4), 3, rng, dtype=dtype)
    captions = [["a", "red", "square"], ["a", "square"], ["blue"]]
    return model, rng.random((3, 4, 4, 3)), encode(captions, TOY)


def test_encoded_captions_come_back():
    _, captions = scenes(50, np.random.default_rng(0))
    ids = encode(captions, WORDS)
    assert (ids[:, 0] == BEGIN).all() and ((ids == END).sum(axis=1) == 1).all()
    assert decode(ids, WORDS) == captions


def test_a_caption_is_read_up_to_its_first_end():
    assert decode([[BEGIN, FIRST, END, FIRST + 1, END], [BEGIN, FIRST + 1, PAD, PAD, PAD]], TOY) == [["a"], ["red"]]


def test_an_unknown_word_is_named():
    with pytest.raises(ValueError, match="dragon"):
        encode([["a", "dragon"]], TOY)


def test_cells_are_the_squares_in_the_order_of_reading():
    images = np.random.default_rng(0).random((2, 4, 6, 3))
    cells = cut(images, 2)
    assert cells.shape == (2, 6, 12)
    for i in range(2):
        for j in range(3):
            square = images[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            np.testing.assert_array_equal(cells[:, 3 * i + j], square.reshape(2, -1))


def test_filling_changes_neither_loss_nor_gradients():
    model, images, ids = small()
    loss, grads = model.loss_and_grads(images, ids)
    longer = np.column_stack([ids, np.full((3, 2), PAD)])
    loss_filled, grads_filled = model.loss_and_grads(images, longer)
    assert loss == pytest.approx(loss_filled, abs=1e-14)
    for a, b in zip(grads, grads_filled):
        np.testing.assert_allclose(a, b, atol=1e-14)


def test_the_gradient_of_filling_is_zero():
    targets = np.array([[3, END, PAD], [4, 3, END]])
    _, cache = caption_loss_forward(np.random.default_rng(0).standard_normal((2, 3, 5)), targets)
    dscores = caption_loss_backward(1.0, cache)
    assert not dscores[0, 2].any() and dscores[1].any()
    np.testing.assert_allclose(dscores.sum(axis=2), 0.0, atol=1e-15)


@pytest.mark.parametrize("place", range(11))
def test_gradients_equal_central_differences(place):
    model, images, ids = small()
    _, grads = model.loss_and_grads(images, ids)
    parameter = model.params[place]
    kept = parameter.copy()

    def loss(value):
        parameter[...] = value
        found, _ = model.loss_and_grads(images, ids)
        parameter[...] = kept
        return found

    assert gradient_check(loss, grads[place], kept, tolerance=1e-5).passed


def test_all_words_at_once_are_the_words_one_by_one():
    model, images, ids = small()
    features, h, c, _ = model.look(images)
    together, h_last, c_last, _ = model.say(features, h, c, ids)
    for s in range(ids.shape[1]):
        scores, h, c, _ = model.say(features, h, c, ids[:, s : s + 1])
        np.testing.assert_allclose(scores[:, 0], together[:, s], atol=1e-13)
    np.testing.assert_allclose(h, h_last, atol=1e-13)
    np.testing.assert_allclose(c, c_last, atol=1e-13)


def test_what_is_predicted_has_the_highest_score_at_each_place():
    model, images, _ = small(seed=3)
    ids = model.predict(images, longest=7)
    features, h, c, _ = model.look(images)
    scores, _, _, _ = model.say(features, h, c, ids[:, :-1])
    best = scores[:, :, END:].argmax(axis=2) + END
    assert (ids[:, 0] == BEGIN).all()
    for row, wanted in zip(ids, best):
        end = row.tolist().index(END) if END in row else len(row) - 1
        np.testing.assert_array_equal(row[1 : end + 1], wanted[:end])
        assert (row[end + 1 :] == PAD).all()


def test_a_model_that_never_ends_is_stopped():
    model, images, _ = small()
    model.params[-1][END] = -100.0
    assert model.predict(images, longest=5).shape == (3, 6)
    assert all(len(words) == 20 for words in model.caption(images))


def test_parameters_are_float32_unless_asked_for_otherwise():
    model, images, ids = small(dtype=np.float32)
    _, grads = model.loss_and_grads(images, ids)
    assert all(a.dtype == np.float32 for a in (*model.params, *grads))


def test_training_is_repeatable_and_keeps_the_arrays():
    runs = []
    for _ in range(2):
        model, images, ids = small()
        arrays = list(model.params)
        losses = train(model, images, ids, 5, np.random.default_rng(0), size=2)
        assert all(a is b for a, b in zip(arrays, model.params))
        runs.append((losses, [p.copy() for p in model.params]))
    assert runs[0][0] == runs[1][0]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0][1], runs[1][1]))


def test_a_handful_of_scenes_is_learnt_by_heart():
    rng = np.random.default_rng(0)
    images, captions = scenes(8, rng)
    model = Captioner(WORDS, 8, (24, 24), 24, rng)
    losses = train(model, images, encode(captions, WORDS), 120, rng, size=8, rate=2e-2)
    assert losses[-1] < 0.05 < losses[0]
    assert model.caption(images) == captions
