"""Hugging Face's splitting."""

from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


def split(text, pattern=GPT2):
    try:
        splitter = Split(Regex(pattern), "isolated")
    except Exception as error:
        raise ValueError(str(error)) from error
    return [text[a:b] for _, (a, b) in splitter.pre_tokenize_str(text)]
