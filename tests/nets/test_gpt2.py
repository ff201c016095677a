"""GPT-2 against Hugging Face's own, with random weights that it saved or reads; and what does not fit.

Published weights need the network, so they are not read here: their names, shapes and prefix are made instead.
"""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from groundup.nets.gpt import GPT, GPTConfig
from groundup.nets.gpt2 import from_pretrained, names, read_config, save_pretrained, sized

modeling = pytest.importorskip("transformers.models.gpt2.modeling_gpt2")
configuration = pytest.importorskip("transformers.models.gpt2.configuration_gpt2")


def theirs(seed, **over):
    torch.manual_seed(seed)
    fields = dict(n_layer=2, n_embd=24, n_head=3, vocab_size=50, n_positions=20, bos_token_id=0, eos_token_id=0)
    model = modeling.GPT2LMHeadModel(configuration.GPT2Config(**{**fields, **over})).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return model


@pytest.fixture
def folder(tmp_path):
    theirs(0).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("over", [{}, {"n_inner": 40}, {"tie_word_embeddings": False}, {"n_head": 1, "n_layer": 1}])
def test_logits_equal_transformers(tmp_path, over):
    reference = theirs(1, **over)
    reference.save_pretrained(tmp_path)
    ids = torch.randint(50, (3, 20))
    with torch.no_grad():
        torch.testing.assert_close(from_pretrained(tmp_path)(ids), reference(ids).logits, atol=1e-4, rtol=1e-4)


def test_transformers_reads_what_is_written(tmp_path):
    torch.manual_seed(2)
    model = GPT(GPTConfig.gpt2(vocab_size=40, context=12, layers=2, heads=2, width=16, hidden=20)).eval()
    save_pretrained(model, tmp_path / "new")
    reference, info = modeling.GPT2LMHeadModel.from_pretrained(tmp_path / "new", output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    ids = torch.randint(40, (2, 12))
    with torch.no_grad():
        torch.testing.assert_close(reference.eval()(ids).logits, model(ids), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_a_round_trip_is_bitwise(tmp_path, tied):
    model = GPT(GPTConfig.gpt2(vocab_size=40, context=12, layers=2, heads=2, width=16, tied=tied))
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path)
    assert again.config == model.config
    for (name, p), q in zip(model.state_dict().items(), again.state_dict().values()):
        assert torch.equal(p, q), name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_the_files_of_2019_are_read_too(folder):
    """They have no prefix, and carry causal masks along."""
    expected = from_pretrained(folder)
    old = {name.removeprefix("transformer."): t for name, t in load_file(folder / "model.safetensors").items()}
    for i in range(2):
        old[f"h.{i}.attn.bias"] = torch.ones(1, 1, 20, 20).tril()
        old[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, folder / "model.safetensors")
    ids = torch.randint(50, (1, 9))
    assert torch.equal(from_pretrained(folder)(ids), expected(ids))


def test_what_does_not_fit_is_told_all_at_once(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["transformer.h.1.ln_2.bias"]
    tensors["transformer.h.2.ln_1.bias"] = torch.zeros(24)
    tensors["transformer.h.0.mlp.c_fc.weight"] = torch.zeros(96, 24)  # (out, in), as torch.nn would have it
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"h\.1\.ln_2\.bias is missing") as caught:
        from_pretrained(folder)
    assert "h.2.ln_1.bias is unknown" in str(caught.value)
    assert "h.0.mlp.c_fc.weight has the shape [96, 24], not [24, 96]" in str(caught.value)


def test_a_torn_file_is_told(folder):
    whole = (folder / "model.safetensors").read_bytes()
    for cut in (0, 5, len(whole) // 2):
        (folder / "model.safetensors").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="torn"):
            from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="not there"):
        from_pretrained(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("activation_function", "relu"), ("layer_norm_epsilon", 1e-6), ("model_type", "llama"), ("n_layer", None)],
)
def test_another_network_is_refused(folder, key, value):
    said = json.loads((folder / "config.json").read_text())
    said[key] = value
    if value is None:
        del said[key]
    (folder / "config.json").write_text(json.dumps(said))
    with pytest.raises(ValueError, match=key):
        read_config(folder)


def test_a_model_that_is_no_gpt2_is_not_written(tmp_path):
    model = GPT(GPTConfig.modern(vocab_size=9, context=8, layers=1, heads=2, width=8))
    with pytest.raises(ValueError, match="rope"):
        save_pretrained(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_cover_the_model_exactly():
    for config in (GPTConfig.gpt2(layers=2), GPTConfig.gpt2(layers=1, tied=False)):
        with torch.device("meta"):
            ours = set(GPT(config).state_dict()) - ({"head.weight"} if config.tied else set())
        assert {name for name, _ in names(config).values()} == ours


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="gpt2-xl"):
        sized("gpt3")
