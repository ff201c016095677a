"""How fast a run is: tokens a second, the share of the hardware that it uses, and the share of time in which it waits for data.

MFU, model FLOPs utilisation: the FLOPs that the model needs for its tokens (recomputation is not counted) over those that the
hardware could have done in that time. Chowdhery and others, PaLM (2022), appendix B.
"""

import functools
import time

import torch

# Dense products in bfloat16 or float16 with float32 sums, in FLOP/s, from NVIDIA's data sheets.
PEAKS = {
    "H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10G": 70e12, "T4": 65e12,
    "V100": 125e12, "RTX 4090": 165e12, "RTX 3090": 71e12,
}  # fmt: skip


@functools.lru_cache(maxsize=8)
def peak_flops(device, dtype):
    """The FLOP/s that a device reaches in dtype: from a table for a GPU by its name, else measured by a square product.

    device, dtype: torch's, or the device's name. Measuring takes some 0.1 s, once in a process.
    """
    device = torch.device(device)
    if device.type == "cuda" and dtype in (torch.bfloat16, torch.float16):
        name = torch.cuda.get_device_name(device)
        for part, flops in PEAKS.items():
            if part in name:
                return flops
    best, n = 0.0, 128
    while n <= 8192:  # the larger the product, the nearer to the peak
        a = torch.ones(n, n, dtype=dtype, device=device)
        for _ in range(3):
            _wait(device)
            begun = time.perf_counter()
            a @ a
            _wait(device)
            seconds = time.perf_counter() - begun
            best = max(best, 2.0 * n**3 / seconds)
        if seconds > 0.005:
            break
        n *= 2
    return best


class Meter:
    """Counts the tokens of a run and the time it waited; flops_per_token and peak (FLOP/s) give the MFU.

    tokens_per_s, mfu and waiting are those since the last `lap`, or since the beginning.
    """

    def __init__(self, flops_per_token=0.0, peak=float("inf"), clock=time.perf_counter):
        self.flops_per_token, self.peak, self.clock = flops_per_token, peak, clock
        self.tokens, self._waited, self._begun = 0, 0.0, clock()

    def waited(self, seconds):
        """So long there was nothing to compute."""
        self._waited += seconds

    def count(self, tokens):
        """So many tokens have been trained on."""
        self.tokens += tokens

    def pause(self, seconds):
        """So long something else was done, such as an evaluation: not to be counted."""
        self._begun += seconds

    def lap(self):
        """Since the last lap: {"tokens_per_s", "mfu", "waiting"}; then counts from here."""
        now = self.clock()
        seconds = max(now - self._begun, 1e-9)
        speed = self.tokens / seconds
        found = {
            "tokens_per_s": speed,
            "mfu": speed * self.flops_per_token / self.peak,
            "waiting": self._waited / seconds,
        }
        self.tokens, self._waited, self._begun = 0, 0.0, now
        return found


def _wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
