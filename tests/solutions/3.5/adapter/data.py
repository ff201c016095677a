"""PyTorch's sampler, loader and grid_sample behind the lesson's names."""

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import BatchSampler, SequentialSampler


def order(n, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(n)


class Loader:
    def __init__(self, *arrays, size, seed=0, shuffle=True, drop_last=False):
        if not arrays or any(len(a) != len(arrays[0]) for a in arrays):
            raise ValueError("arrays of one length")
        self.tensors = [torch.tensor(a) for a in arrays]
        self.seed, self.shuffle = seed, shuffle
        self.sampler = BatchSampler(SequentialSampler(range(len(arrays[0]))), size, drop_last)

    def __len__(self):
        return len(self.sampler)

    def epoch(self, number):
        n = len(self.tensors[0])
        rows = torch.tensor(order(n, self.seed, number)) if self.shuffle else torch.arange(n)
        for batch in self.sampler:
            yield tuple(t.index_select(0, rows[batch]).numpy() for t in self.tensors)


def hold_out(n, share, generator):
    held = max(1, round(share * n))
    if held >= n:
        raise ValueError("nothing is left")
    valid, train = np.split(generator.permutation(n), [held])
    return np.sort(train), np.sort(valid)


def pixel_scale(images):
    deviation, mean = torch.std_mean(torch.tensor(images.astype(np.float64)), correction=0)
    return mean.item(), deviation.item() or 1.0


def as_features(images, mean, deviation):
    pixels = torch.tensor(images.astype(np.float32))
    return ((pixels - mean) / deviation).flatten(1).numpy()


def warp(images, matrices, shifts):
    n, h, w = images.shape
    rows, columns = torch.meshgrid(torch.arange(h) - (h - 1) / 2, torch.arange(w) - (w - 1) / 2, indexing="ij")
    place = torch.stack([rows.flatten(), columns.flatten()]).double()  # (2, h w)
    source = torch.tensor(matrices) @ place + torch.tensor(shifts)[:, :, None]  # (n, 2, h w), from the centre
    grid = torch.stack([2 * source[:, 1] / w, 2 * source[:, 0] / h], dim=-1)  # x before y, edges at -1 and 1
    pixels = torch.tensor(images.astype(np.float64))[:, None]
    warped = functional.grid_sample(pixels, grid.reshape(n, h, w, 2), padding_mode="zeros", align_corners=False)
    return warped[:, 0].float().numpy()


def augment(images, generator, shift=2.0, turn=10.0, zoom=0.1):
    n = len(images)
    moves = generator.uniform(-shift, shift, (n, 2))
    scale, angle = 1 + generator.uniform(-zoom, zoom, n), np.radians(generator.uniform(-turn, turn, n))
    matrices = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale  # (2, 2, n)
    return warp(images, np.moveaxis(matrices, -1, 0), moves)
