"""Optimisers against PyTorch's in float64: the same hundred steps, in place, and the same again after a resume."""

import itertools

import numpy as np
import pytest
import torch

from groundup.grad.optim import SAM, SGD, Adam, AdamW, Lion, RMSprop, clip_by_global_norm, global_norm

RULES = {"SGD": SGD, "RMSprop": RMSprop, "Adam": Adam, "AdamW": AdamW}
SETTINGS = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.5, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.6, "nesterov": True, "weight_decay": 0.3}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.5, "eps": 1e-3}),
    ("RMSprop", {"alpha": 0.9, "weight_decay": 0.2}),
    ("Adam", {}),
    ("Adam", {"betas": (0.5, 0.9), "eps": 1e-2}),
    ("Adam", {"betas": (0.0, 0.99), "weight_decay": 0.2}),
    ("AdamW", {}),
    ("AdamW", {"betas": (0.5, 0.9), "eps": 1e-2, "weight_decay": 0.5}),
    ("AdamW", {"weight_decay": 0.0}),
]


def arrays(rng, count=3):
    """Arrays of up to three axes, one of them with none, and two of one shape."""
    shapes = [tuple(rng.integers(1, 5, rng.integers(0, 4))) for _ in range(count)]
    return [np.asarray(rng.standard_normal(shape)) for shape in [(), *shapes, shapes[-1]]]


def gradients(rng, params):
    scale = 10.0 ** rng.uniform(-3, 2)
    return [np.asarray(scale * rng.standard_normal(p.shape)) for p in params]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("rule", "options"), SETTINGS)
def test_a_hundred_steps_are_pytorchs(rule, options, seed):
    rng = np.random.default_rng(seed)
    params = arrays(rng)
    tensors = [torch.tensor(p, requires_grad=True) for p in params]
    mine = RULES[rule](params, lr=0.05, **options)
    theirs = getattr(torch.optim, rule)(tensors, lr=0.05, foreach=False, **options)
    for step in range(100):
        if step % 9 == 4:
            mine.lr = theirs.param_groups[0]["lr"] = mine.lr * 0.8
        grads = gradients(rng, params)
        for tensor, g in zip(tensors, grads):
            tensor.grad = torch.tensor(g)
        mine.step(grads)
        theirs.step()
        for p, tensor in zip(params, tensors):
            np.testing.assert_allclose(p, tensor.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("info", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_the_settings_that_pytorch_tests_its_own_optimisers_with(info):
    try:
        from torch.testing._internal.common_optimizers import optim_db
    except ImportError as missing:
        pytest.skip(f"PyTorch's own table of optimisers cannot be read: {missing}")
    known = {"lr", "momentum", "nesterov", "weight_decay", "alpha", "eps", "betas"}
    entry = next(o for o in optim_db if o.optim_cls.__name__ == info)
    tried = 0
    for setting in entry.optim_inputs_func(device="cpu"):
        options = {"lr": 1e-3} | setting.kwargs
        if not options.keys() <= known or any(isinstance(value, torch.Tensor) for value in options.values()):
            continue
        rng = np.random.default_rng(tried)
        params = arrays(rng)
        tensors = [torch.tensor(p, requires_grad=True) for p in params]
        mine, theirs = RULES[info](params, **options), entry.optim_cls(tensors, foreach=False, **options)
        for _ in range(20):
            grads = gradients(rng, params)
            for tensor, g in zip(tensors, grads):
                tensor.grad = torch.tensor(g)
            mine.step(grads)
            theirs.step()
        for p, tensor in zip(params, tensors):
            np.testing.assert_allclose(p, tensor.detach().numpy(), rtol=1e-10, atol=1e-10)
        tried += 1
    assert tried >= 3


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.5, 0.8), (0.95, 0.6)])
def test_lion_walks_by_algorithm_2(betas, decay):
    rng = np.random.default_rng(3)
    params = arrays(rng)
    theta, m = [p.copy() for p in params], [np.zeros(p.shape) for p in params]
    optimiser = Lion(params, lr=0.01, betas=betas, weight_decay=decay)
    for _ in range(100):
        grads = gradients(rng, params)
        optimiser.step(grads)
        for i, g in enumerate(grads):
            c = betas[0] * m[i] + (1 - betas[0]) * g
            theta[i] = theta[i] - 0.01 * (np.sign(c) + decay * theta[i])
            m[i] = betas[1] * m[i] + (1 - betas[1]) * g
            np.testing.assert_allclose(params[i], theta[i], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rho", [0.0, 0.05, 2.0])
@pytest.mark.parametrize("base", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.1)])
def test_sam_steps_with_the_gradient_from_up_the_hill(base, rho):
    rng = np.random.default_rng(5)
    params = arrays(rng)
    twins = [p.copy() for p in params]
    sam, plain = SAM(base(params), rho=rho), base(twins)
    for _ in range(100):
        targets = [np.asarray(rng.standard_normal(p.shape)) for p in params]

        def slopes(at, targets=targets):
            return [2 * (p - c) + np.cos(p) for p, c in zip(at, targets)]

        loss = sam.step(
            lambda targets=targets: (sum(float(((p - c) ** 2).sum()) for p, c in zip(params, targets)), slopes(params))
        )
        assert loss == pytest.approx(sum(float(((p - c) ** 2).sum()) for p, c in zip(twins, targets)), rel=1e-10)
        first = slopes(twins)
        norm = np.linalg.norm(np.concatenate([g.ravel() for g in first]))
        plain.step(slopes([p + rho * g / norm for p, g in zip(twins, first)]))
        for p, twin in zip(params, twins):
            np.testing.assert_allclose(p, twin, rtol=1e-10, atol=1e-10)


def test_sam_puts_the_weights_back_bit_for_bit_also_after_an_error():
    params = [np.array([0.1, -0.0, 1e-300]), np.array(3.0)]
    before = [p.tobytes() for p in params]
    SAM(SGD(params, lr=0.0), rho=1e9).step(lambda: (1.0, [np.ones(3), np.array(2.0)]))
    assert [p.tobytes() for p in params] == before
    answers = iter([(1.0, [np.ones(3), np.array(2.0)])])
    with pytest.raises(StopIteration):
        SAM(SGD(params, lr=0.1)).step(lambda: next(answers))
    assert [p.tobytes() for p in params] == before


def test_sam_without_a_slope_does_not_climb():
    w = np.array([1.0])
    seen = []
    SAM(SGD([w], lr=0.1), rho=1.0).step(lambda: (seen.append(w[0]), [np.zeros(1)]))
    assert seen == [1.0, 1.0] and w[0] == 1.0


ALL = [
    lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda p: SGD(p, lr=0.1),
    lambda p: RMSprop(p, weight_decay=0.1),
    lambda p: Adam(p, weight_decay=0.1),
    lambda p: AdamW(p, weight_decay=0.1),
    lambda p: Lion(p, weight_decay=0.1),
    lambda p: SAM(Adam(p)).base,
]


@pytest.mark.parametrize("make", ALL)
def test_gradients_are_only_read_and_not_kept(make):
    rng = np.random.default_rng(0)
    params = arrays(rng)
    twins = [p.copy() for p in params]
    mine, other = make(params), make(twins)
    reused = [np.empty(p.shape) for p in params]
    for _ in range(5):
        grads = gradients(rng, params)
        for array, g in zip(reused, grads):
            array[...] = g
        mine.step(reused)
        assert all(np.array_equal(a, g) for a, g in zip(reused, grads))
        for array in reused:
            array.fill(np.nan)
        other.step(grads)
    assert all(np.array_equal(a, b) for a, b in zip(params, twins))


@pytest.mark.parametrize("make", ALL)
def test_a_resumed_run_equals_one_that_went_on(make, tmp_path):
    rng = np.random.default_rng(1)
    params = arrays(rng)
    rows = [gradients(rng, params) for _ in range(8)]
    optimiser = make(params)
    for grads in rows[:4]:
        optimiser.step(grads)
    optimiser.lr *= 0.3
    np.savez(tmp_path / "state.npz", **optimiser.state())
    twins = [p.copy() for p in params]
    for grads in rows[4:]:
        optimiser.step(grads)
    resumed = make(twins)
    with np.load(tmp_path / "state.npz") as saved:
        resumed.load(dict(saved))
    for grads in rows[4:]:
        resumed.step(grads)
    assert resumed.steps == 8 and resumed.lr == optimiser.lr
    assert all(np.array_equal(a, b) for a, b in zip(params, twins))


@pytest.mark.parametrize("make", ALL)
def test_float32_stays_float32_whatever_the_rate_is(make):
    rng = np.random.default_rng(2)
    params = [p.astype(np.float32) for p in arrays(rng)]
    wide = [p.astype(np.float64) for p in params]
    narrow, exact = make(params), make(wide)
    for _ in range(30):
        grads = [np.asarray(rng.standard_normal(p.shape)).astype(np.float32) for p in params]
        narrow.lr = exact.lr = np.float64(0.02)
        narrow.step(grads)
        exact.step([g.astype(np.float64) for g in grads])
    assert all(p.dtype == np.float32 for p in params)
    assert {v.dtype for v in narrow.state().values() if isinstance(v, np.ndarray)} <= {np.dtype(np.float32)}
    for p, w in zip(params, wide):
        np.testing.assert_allclose(p, w, atol=1e-4)


def test_dtypes_and_memory_layouts_may_be_mixed():
    rng = np.random.default_rng(4)
    whole = rng.standard_normal((4, 6))
    params = [whole[:, ::2], np.asfortranarray(rng.standard_normal((3, 5))), np.ones(2, np.float32)]
    twins = [np.array(p, dtype=np.float64, order="C") for p in params]
    mine, plain = Adam(params, weight_decay=0.1), Adam(twins, weight_decay=0.1)
    for _ in range(10):
        grads = [rng.standard_normal(p.shape) for p in params]
        mine.step([grads[0], np.asfortranarray(grads[1]), grads[2].astype(np.float32)])
        plain.step(grads)
    for p, twin in zip(params, twins):
        np.testing.assert_allclose(p, twin, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_clipping_is_pytorchs(seed, scale):
    rng = np.random.default_rng(seed)
    grads = [scale * g for g in arrays(rng)]
    grads = [np.asarray(g) for g in grads]
    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for leaf, g in zip(leaves, grads):
        leaf.grad = torch.tensor(g)
    limit = scale * rng.uniform(0.1, 8.0)
    expected = torch.nn.utils.clip_grad_norm_(leaves, limit)
    assert clip_by_global_norm(grads, limit) == pytest.approx(float(expected), rel=1e-12)
    for g, leaf in zip(grads, leaves):
        np.testing.assert_allclose(g, leaf.grad.numpy(), rtol=1e-12)


def test_clipping_what_is_not_finite_does_as_pytorch_does():
    for bad in (np.inf, np.nan):
        grads = [np.array([1.0, bad]), np.array([2.0])]
        leaf = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
        for tensor, g in zip(leaf, grads):
            tensor.grad = torch.tensor(g, dtype=torch.float32)
        torch.nn.utils.clip_grad_norm_(leaf, 1.0)
        with np.errstate(invalid="ignore"):
            assert not np.isfinite(clip_by_global_norm(grads, 1.0))
        for tensor, g in zip(leaf, grads):
            np.testing.assert_array_equal(tensor.grad.numpy(), g.astype(np.float32))


def test_the_global_norm_is_that_of_one_long_vector():
    parts = arrays(np.random.default_rng(9))
    assert global_norm(parts) == pytest.approx(np.linalg.norm(np.concatenate([p.ravel() for p in parts])), rel=1e-14)
    assert global_norm([]) == 0.0


@pytest.mark.parametrize("make", ALL)
def test_a_step_allocates_no_array_of_the_weights_size(make):
    import tracemalloc

    w, g = np.ones(50_000), np.ones(50_000)
    optimiser = make([w])
    optimiser.step([g])
    tracemalloc.start()
    optimiser.step([g])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000


def test_what_cannot_be_is_refused_before_anything_changes():
    w = [np.ones(2), np.ones((2, 1))]
    for rule, options in [
        (SGD, {"lr": -0.1}),
        (SGD, {"lr": np.inf}),
        (SGD, {"momentum": 1.0}),
        (SGD, {"nesterov": True}),
        (SGD, {"weight_decay": -1.0}),
        (RMSprop, {"alpha": 1.0}),
        (RMSprop, {"eps": -1.0}),
        (Adam, {"betas": (0.9, 1.0)}),
        (AdamW, {"weight_decay": np.nan}),
        (Lion, {"betas": (-0.1, 0.9)}),
    ]:
        with pytest.raises(ValueError):
            rule(w, **options)
    with pytest.raises(ValueError):
        SAM(SGD(w), rho=-1.0)
    optimiser = Adam(w)
    for grads in ([np.ones(2)], [np.ones(2), np.ones((1, 1))], [np.ones(2), np.ones((2, 1)), np.ones(1)]):
        with pytest.raises(ValueError):
            optimiser.step(grads)
    assert optimiser.steps == 0 and all((p == 1.0).all() for p in w)
    for one, other in itertools.permutations([SGD(w, momentum=0.9), Adam(w), Adam(w[:1]), Lion(w)], 2):
        with pytest.raises(ValueError):
            one.load(other.state())
