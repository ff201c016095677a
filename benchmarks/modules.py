"""Modules, losses and optimisers of `grad` against PyTorch, on PyTorch's own samples of them (ModuleInfo, OptimizerInfo).

    python benchmarks/modules.py             all that both have
    python benchmarks/modules.py Norm LSTM   those whose name holds a word

A row for each module: how many samples agree to 1e-9 with the same weights, outputs and gradients in float64, in training and in
evaluation, and how many were left out for which reason. How PyTorch's are made of ours stands in tests/grad/test_modules.py. Then
a row for each optimiser: with how many samples of its options a hundred steps end at the same place to 1e-10.
"""

import runpy
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from groundup.grad import optim

CONTRACT = Path(__file__).parents[1] / "tests" / "grad" / "test_modules.py"
OPTIMISERS = {"SGD": optim.SGD, "RMSprop": optim.RMSprop, "Adam": optim.Adam, "AdamW": optim.AdamW}
STEPS, CLOSE = 100, 1e-10


class LeftOut(Exception):
    """This sample asks for something that our optimisers do not do; the message says what."""


def main(words):
    """Both tables; exit status 1 where a sample differs."""
    contract = runpy.run_path(str(CONTRACT))
    infos = contract["infos"]()
    samples = {
        name: [
            (sample, training) for training in (True, False) for sample in contract["samples"](infos[name], training)
        ]
        for name in contract["OURS"]
        if name in infos
    }

    def compare_modules(sample):
        (theirs, inputs, named), training = sample
        return contract["compare"](theirs, inputs, named, training)

    differing = table("module", samples, compare_modules, contract["LeftOut"], words)
    differing += table(f"optimiser, {STEPS} steps", optimiser_samples(), compare_optimisers, LeftOut, words)
    return 1 if differing else 0


def table(title, samples, compare, left_out, words):
    """A row for each name that holds a word; -> how many samples differ."""
    total = Counter()
    names = [name for name in samples if not words or any(word in name for word in words)]
    print(f"{title:46}{'equal':>7}{'left out':>10}")
    for name in names:
        counts, reasons = Counter(), Counter()
        for sample in samples[name]:
            try:
                problem = compare(sample)
            except left_out as reason:
                counts["left out"] += 1
                reasons[str(reason)] += 1
                continue
            counts["differs" if problem else "equal"] += 1
            if problem:
                print(f"    {name} DIFFERS: {problem}; {sample}")
        total += counts
        why = "; ".join(f"{n} {reason}" for reason, n in reasons.items())
        print(f"{name:46}{counts['equal']:>7}{counts['left out']:>10}   {why}".rstrip(), flush=True)
    print(f"{f'all {len(names)}':46}{total['equal']:>7}{total['left out']:>10}   {total['differs']} differ")
    return total["differs"]


# ---- Optimisers


def optimiser_samples():
    """name -> pairs of that name and options."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_optimizers import optim_db
    theirs = {info.optim_cls.__name__: info for info in optim_db}
    return {
        name: [(name, sample.kwargs) for sample in theirs[name].optim_inputs_func(device="cpu", dtype=torch.float64)]
        for name in OPTIMISERS
    }


def compare_optimisers(sample):
    """None where both end at the same place from the same start, on the same gradients; else how far apart they end."""
    import torch

    name, options = sample
    for option in ("maximize", "amsgrad", "centered", "dampening"):
        if options.get(option):
            raise LeftOut(option)
    if name == "RMSprop" and options.get("momentum"):
        raise LeftOut("momentum")
    options = {key: float(value) if isinstance(value, torch.Tensor) else value for key, value in options.items()}
    rng = np.random.default_rng(0)
    ours = [rng.standard_normal(shape) for shape in ((3, 4), (4,), ())]
    theirs = [torch.tensor(array.copy(), requires_grad=True) for array in ours]
    mine, other = OPTIMISERS[name](ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(STEPS):
        grads = [rng.standard_normal(w.shape) * 10.0 ** (step % 5 - 2) for w in ours]  # of every size
        for leaf, grad in zip(theirs, grads):
            leaf.grad = torch.tensor(grad)
        mine.step([np.asarray(grad) for grad in grads])
        other.step()
    apart = max(float(np.abs(w - leaf.detach().numpy()).max()) for w, leaf in zip(ours, theirs))
    return None if apart <= CLOSE else f"{apart:.1e} apart after {STEPS} steps with {options}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
