"""Made scenes: the sentence is true of the picture, and the generator alone decides which scene it is."""

import numpy as np
import pytest

from groundup.data.scenes import CELL, COLOURS, GRID, SHAPES, SOLO, WORDS, scenes


def lit(image):
    """The cells with a shape in them, (row, column), by their colourfulness."""
    spread = image.max(axis=2) - image.min(axis=2)
    cells = spread.reshape(GRID, CELL, GRID, CELL).transpose(0, 2, 1, 3).reshape(GRID, GRID, -1)
    return [(int(i), int(j)) for i, j in np.argwhere((cells > 0.35).sum(axis=2) >= 5)]


def test_images_are_float32_within_zero_and_one():
    images, captions = scenes(20, np.random.default_rng(0))
    assert images.shape == (20, 24, 24, 3) and images.dtype == np.float32
    assert images.min() >= 0.0 and images.max() <= 1.0
    assert len(captions) == 20


def test_the_same_generator_makes_the_same_scenes_and_another_does_not():
    (a, words_a), (b, words_b), (c, words_c) = (scenes(30, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and words_a == words_b
    assert not np.array_equal(a, c) and words_a != words_c


def test_a_generator_goes_on():
    rng = np.random.default_rng(0)
    first, second = scenes(5, rng)[0], scenes(5, rng)[0]
    assert not np.array_equal(first, second)


def test_all_words_are_in_the_vocabulary_and_all_of_it_is_used():
    _, captions = scenes(1000, np.random.default_rng(0))
    assert {word for words in captions for word in words} == set(WORDS)
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize("seed", range(3))
def test_the_sentence_says_how_many_shapes_there_are_and_how_they_lie(seed):
    images, captions = scenes(200, np.random.default_rng(seed))
    for image, words in zip(images, captions):
        cells = lit(image)
        assert len(cells) == words.count("a")
        if len(cells) == 2:
            (row, column), (row2, column2) = cells  # in the order of reading
            assert ("above" in words) == (row < row2)
            assert ("left" in words) == (column < column2)
            assert ("right" in words) == (column > column2)
            assert ("and" in words) == (row < row2 and column != column2)


def test_the_sentence_names_the_colours_in_the_order_of_reading():
    images, captions = scenes(200, np.random.default_rng(5))
    names, palette = list(COLOURS), np.array(list(COLOURS.values()))
    for image, words in zip(images, captions):
        said = [word for word in words if word in COLOURS]
        seen = []
        for i, j in lit(image):
            pixels = image[i * CELL : (i + 1) * CELL, j * CELL : (j + 1) * CELL].reshape(-1, 3)
            strong = pixels[np.argsort(np.ptp(pixels, axis=1))[-8:]].mean(axis=0)
            near = np.linalg.norm(
                palette / np.linalg.norm(palette, axis=1)[:, None] - strong / np.linalg.norm(strong), axis=1
            )
            seen.append(names[near.argmin()])
        assert seen == said


def test_a_triangle_fills_the_least_of_its_cell():
    images, captions = scenes(800, np.random.default_rng(0))
    areas = {shape: [] for shape in SHAPES}
    for image, words in zip(images, captions):
        if len(words) == 3:
            areas[words[2]].append((np.ptp(image, axis=2) > 0.3).sum())
    means = {shape: np.mean(area) for shape, area in areas.items()}
    assert means["triangle"] < means["circle"] and means["triangle"] < means["square"]


def test_one_scene_in_five_has_a_single_shape():
    _, captions = scenes(1500, np.random.default_rng(0))
    assert np.mean([len(words) == 3 for words in captions]) == pytest.approx(SOLO, abs=0.04)


def test_no_scenes_are_an_empty_array():
    images, captions = scenes(0, np.random.default_rng(0))
    assert images.shape == (0, 24, 24, 3) and captions == []
