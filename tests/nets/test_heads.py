"""Heads for tasks: padding changes nothing, transformers' own classifier agrees, and a small task is learned."""

import numpy as np
import pytest
import torch

from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.heads import Classifier, headless, pack, pad


def model(**over):
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=13, context=16, layers=1, heads=2, width=16, zero_init=False, **over))


@pytest.mark.parametrize("pool", ["last", "mean"])
def test_padding_changes_no_score(pool):
    rng = np.random.default_rng(0)
    rows = [rng.integers(13, size=n).tolist() for n in (1, 4, 9, 16)]
    classifier = Classifier(headless(model()), 16, 3, pool).eval()
    together = classifier(*pad(rows))
    for row, scores in zip(rows, together):
        torch.testing.assert_close(classifier(*pad([row]))[0], scores, atol=1e-5, rtol=1e-5)


def test_the_last_token_is_read_as_transformers_reads_it():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=13, n_positions=16, n_embd=16, n_layer=1, n_head=2, num_labels=3, pad_token_id=12, resid_pdrop=0.0
    )
    theirs = transformers.GPT2ForSequenceClassification(config).eval()
    ours = Classifier(lambda ids: theirs.transformer(ids).last_hidden_state, 16, 3).eval()
    ours.head.weight.data.copy_(theirs.score.weight.data)
    rows = [[1, 2, 3], [4, 5, 6, 7, 8], [9]]
    ids, lengths = pad(rows, filler=12)
    torch.testing.assert_close(ours(ids, lengths), theirs(ids).logits, atol=1e-5, rtol=1e-5)


def test_a_head_learns_whether_a_pair_holds_a_token():
    rng = np.random.default_rng(0)
    pairs = [rng.integers(7, size=(2, 3)).tolist() for _ in range(40)]
    for a, b in pairs[::2]:
        (a if rng.random() < 0.5 else b)[rng.integers(3)] = 7
    ids, lengths = pad([pack(pair, 10, 11, 12, 16) for pair in pairs])
    labels = 1 - torch.arange(40) % 2
    classifier = Classifier(headless(model()), 16, 2, pool="mean")
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        classifier(ids, lengths, labels).backward()
        optimiser.step()
    assert (classifier.predict(ids, lengths) == labels).float().mean() > 0.9


def test_one_class_is_a_number_and_its_loss_the_squared_error():
    classifier = Classifier(headless(model()), 16, 1).eval()
    ids, lengths = pad([[1, 2], [3]])
    scores = classifier(ids, lengths)
    assert scores.shape == (2,)
    assert classifier(ids, lengths, torch.tensor([1.0, 0.0])).item() == pytest.approx(
        ((scores - torch.tensor([1.0, 0.0])) ** 2).mean().item()
    )


def test_a_body_is_a_copy():
    whole = model(tied=True)
    body = headless(whole)
    with torch.no_grad():
        body.tokens.weight.zero_()
    assert whole.tokens.weight.abs().sum() > 0 and whole.head.weight is whole.tokens.weight


@pytest.mark.parametrize("bad", [dict(pool="first"), dict(classes=0)])
def test_what_is_no_classifier_is_refused(bad):
    with pytest.raises(ValueError):
        Classifier(torch.nn.Identity(), 4, **{"classes": 2, **bad})


def test_packed_texts_fit_and_keep_their_beginnings():
    rng = np.random.default_rng(0)
    for _ in range(200):
        texts = [list(range(rng.integers(12))) for _ in range(rng.integers(1, 3))]
        context = int(rng.integers(1 + len(texts), 20))
        row = pack(texts, 50, 51, 52, context)
        assert len(row) <= context and row[0] == 50 and row[-1] == 52
        parts = [p.split() for p in " ".join(map(str, row[1:-1])).split("51")] if len(texts) == 2 else [row[1:-1]]
        for part, text in zip(parts, texts):
            assert [int(i) for i in part] == text[: len(part)]
