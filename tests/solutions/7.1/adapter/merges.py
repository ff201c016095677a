"""Hugging Face's trainer."""

import json

from tokenizers import Tokenizer
from tokenizers.models import BPE as Model
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

BYTES = bytes([*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173])


def learn(pieces, count):
    tokenizer = Tokenizer(Model())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = BpeTrainer(vocab_size=256 + count, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator((piece for piece, n in pieces.items() for _ in range(int(n))), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return [(model["vocab"][a], model["vocab"][b]) for a, b in model["merges"]]
