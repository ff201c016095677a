"""PyTorch's schedulers, asked for one step."""

import warnings

import torch


def rate_at(step, rate, kind, **options):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = kind(optimiser, **options)
        for _ in range(step):
            scheduler.step()
    return float(optimiser.param_groups[0]["lr"])


def step_decay(step, rate, every, factor=0.1):
    return rate_at(step, rate, torch.optim.lr_scheduler.StepLR, step_size=every, gamma=factor)


def cosine(step, rate, steps, floor=0.0):
    return rate_at(step, rate, torch.optim.lr_scheduler.CosineAnnealingLR, T_max=steps, eta_min=floor)


def cyclic(step, low, high, up, down=None, mode="triangular", gamma=1.0):
    options = dict(base_lr=low, max_lr=high, step_size_up=up, step_size_down=down, mode=mode, gamma=gamma)
    return rate_at(step, low, torch.optim.lr_scheduler.CyclicLR, cycle_momentum=False, **options)


def one_cycle(step, peak, steps, warm=0.3, divide=25.0, final_divide=1e4):
    options = dict(max_lr=peak, total_steps=steps, pct_start=warm, div_factor=divide, final_div_factor=final_divide)
    return rate_at(min(step, steps - 1), 1.0, torch.optim.lr_scheduler.OneCycleLR, cycle_momentum=False, **options)


def warmup(step, steps, start=1 / 3):
    return rate_at(step, 1.0, torch.optim.lr_scheduler.LinearLR, start_factor=start, total_iters=steps)
