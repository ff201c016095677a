"""The language model's experiment on a small text: trained, saved, restored, measured, and it writes."""

import random
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")

from groundup.course.overlay import Library
from groundup.experiments import language_model
from groundup.lab.recipe import RecipeError, configure, load
from groundup.lab.record import Records

SMALL = ["model.layers=1", "model.heads=2", "model.width=16", "train.seconds=0", "train.steps=6", "train.batch=2"]
LIBRARY = Library("groundup")


def text_in(folder: Path) -> Path:
    pick = random.Random(0)
    words = ["to", "be", "or", "not", "that", "is", "the", "question"]
    path = folder / "text.txt"
    path.write_text(" ".join(pick.choice(words) for _ in range(1500)))
    return path


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["model.tied=true", "model.zero_init=false", "model.position=learned"],
        ["tokenizer=bpe", "vocabulary=270", "train.compile=false"],
    ],
)
def test_what_is_saved_is_what_is_measured_and_what_writes(tmp_path, settings):
    data = text_in(tmp_path)
    config = configure(load("char-lm"), language_model.Config, [*SMALL, "train.context=16", f"data={data}", *settings])
    with Records(tmp_path / "runs") as records:
        record = records.begin("char-lm", 0, {}, "source")
        with record:
            language_model.run(config, record, LIBRARY)
            first = language_model.evaluate(config, record.folder, LIBRARY)
        assert language_model.evaluate(config, record.folder, LIBRARY) == first
        assert 0 < first["val_loss"] < 6 and first["tokens"] == 6 * 2 * 16
        written = "".join(language_model.sample(config, record.folder, LIBRARY, "to be", tokens=20))
        again = "".join(language_model.sample(config, record.folder, LIBRARY, "to be", tokens=20))
    assert written == again and written


def test_what_cannot_be_trained_on_is_said_in_a_line(tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("too short")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9" * 1000)
    for data, says in ((tmp_path / "none", "no file"), (short, "too few"), (tmp_path / "latin.txt", "not UTF-8")):
        config = configure(load("char-lm"), language_model.Config, [f"data={data}"])
        with pytest.raises(RecipeError, match=says):
            language_model.read(config, LIBRARY)
    with pytest.raises(RecipeError, match="--data"):
        language_model.read(configure(load("char-lm"), language_model.Config), LIBRARY)
