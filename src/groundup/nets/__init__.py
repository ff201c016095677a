"""Networks on PyTorch: the language model, its parts, and how it speaks."""
