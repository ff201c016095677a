"""The experiment on five vocabularies, made very small: equal parameters, and numbers that fit together. What they are is not tested."""

import math

import pytest

import groundup.nets.counts
import groundup.nets.gpt
import groundup.text.bpe
import groundup.text.formats
import groundup.text.stats
import groundup.train.data
import groundup.train.evaluation
import groundup.train.loop
from groundup.data.catalogue import DataError, fetch
from groundup.experiments import vocabularies
from groundup.lab.record import Records


def test_five_models_of_one_size_are_trained_and_compared_by_the_byte(tmp_path):
    try:
        fetch("gpt2"), fetch("tinyshakespeare")
    except DataError as problem:
        pytest.skip(str(problem))
    config = vocabularies.Config(context=16, batch=2, epochs=0.01, characters=8000)
    said = []
    with Records(tmp_path) as records, records.begin("vocabularies", 0, {}, "0" * 64) as record:
        record.say = said.append
        vocabularies.run(config, record, groundup)
        found = vocabularies.evaluate(config, record.folder, groundup)
    assert found["parameters_apart"] < 1e-3
    assert len(said[0].splitlines()) == 1 + len(vocabularies.SIZES)
    for size in vocabularies.SIZES:
        assert found[f"reach.{size}"] * found[f"tokens_per_character.{size}"] == pytest.approx(16)
        assert 0 < found[f"bits_per_byte.{size}"] < 1.1 * math.log2(size)
    assert found["reach.256"] == 16 and found["gpt2_over_its_first_4096"] > 1


def test_too_few_parameters_for_a_vocabulary_are_refused():
    with pytest.raises(ValueError, match="too few"):
        vocabularies.shape(vocabularies.Config(parameters=1000), 256, groundup)
