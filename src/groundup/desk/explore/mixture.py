"""A Gaussian mixture by EM, iteration by iteration (2.9): the likelihood never falls, and samples belong in shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.plane import Plane
from ..drawing.scales import span
from .explorable import Choice, Drawn, Explorable, Slider, Steps, Values, arrays, panels, scatter
from .numbers import short

ITERATIONS = 60
SURE = 0.9


def stretched_clouds() -> Any:
    """Three clouds that overlap, two of them long."""
    generator = np.random.default_rng(7)
    z = generator.standard_normal((3, 70, 2))
    first = z[0] @ np.array([[1.6, 1.1], [0.0, 0.35]])
    second = z[1] @ np.array([[1.2, -0.9], [0.0, 0.4]]) + [1.0, 2.6]
    return np.concatenate([first, second, 0.45 * z[2] + [3.6, 0.4]])


def compute(lib: Any, *, components: int, shape: str, seed: int, iteration: int) -> dict[str, Any]:
    """EM by its functions, from means that are samples drawn at random and the covariance of all."""
    mixture, X = lib.classic.mixture, stretched_clouds()
    n = len(X)
    weights, _, covariances = mixture.maximization(X, np.full((n, components), 1 / components), shape)
    means = X[np.random.default_rng(seed).choice(n, components, replace=False)]
    trail, likelihoods, shares = [], [], []
    for _ in range(ITERATIONS + 1):
        P = mixture.precision_cholesky(covariances, shape)
        log_joint = mixture.log_gaussians(X, means, P, shape) + np.log(weights)
        log_likelihood, responsibilities = mixture.expectation(log_joint)
        trail.append((weights, means, covariances))
        likelihoods.append(float(log_likelihood.mean()))
        shares.append(responsibilities)
        if len(likelihoods) > 1 and abs(likelihoods[-1] - likelihoods[-2]) < 1e-5:
            break
        weights, means, covariances = mixture.maximization(X, responsibilities, shape)
    at = min(iteration, len(trail) - 1)
    weights, means, covariances = trail[at]
    return {
        "X": X, "likelihoods": likelihoods, "shares": shares[at], "weights": weights, "means": means,
        "covariances": covariances,
    }  # fmt: skip


def as_matrices(covariances: Any, shape: str, k: int) -> Any:
    """A matrix (2, 2) for each component, however the covariances are kept."""
    covariances = np.asarray(covariances, float)
    if shape == "tied":
        return np.broadcast_to(covariances, (k, 2, 2))
    if shape == "full":
        return covariances
    if shape == "diag":
        return np.stack([np.diag(variances) for variances in covariances])
    return covariances[:, None, None] * np.eye(2)


def draw(values: Values, found: Values) -> Drawn:
    """The samples by their likeliest component, an ellipse of one and of two deviations for each, and the likelihood."""
    X, shares, means, weights, likelihoods = arrays(found, "X", "shares", "means", "weights", "likelihoods")
    k, last = values["components"], len(likelihoods) - 1
    at = min(values["iteration"], last)
    undecided = shares.max(axis=1) < SURE
    rise = f", up by {short(likelihoods[at] - likelihoods[at - 1], 3)}" if at else ""
    says = (
        f"After {at} of {last} iterations: mean log-likelihood {short(likelihoods[at], 4)}{rise}. "
        f"{int(undecided.sum())} of {len(X)} samples (hollow) belong to no component with {SURE:.0%}."
    )
    plane = Plane(420, 340, x=span(X[:, 0], 0.12), y=span(X[:, 1], 0.12)).axes(grid=False)
    owner = shares.argmax(axis=1)
    turn = np.linspace(0, 2 * np.pi, 73)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    for j, covariance in enumerate(as_matrices(found["covariances"], values["shape"], k)):
        values_, axes = np.linalg.eigh(covariance)
        around = axes * np.sqrt(np.maximum(values_, 0)) @ circle
        for far, look in ((1, ""), (2, " thin")):
            plane.line(means[j, 0] + far * around[0], means[j, 1] + far * around[1], f"s{j + 1}{look}")
        for some, look in ((~undecided, ""), (undecided, " hollow")):
            scatter(plane, X[(owner == j) & some], f"s{j + 1}{look}", 2.8)
        plane.text(means[j, 0], means[j, 1], f"{weights[j]:.2f}", "ink halo")
    chart = Plane(
        420, 340, x=(0, max(last, 2)), y=span(likelihoods), x_label="iteration", y_label="mean log-likelihood"
    ).axes()
    chart.line(np.arange(last + 1), likelihoods, "s1 solid").dots([at], [likelihoods[at]], "here ring", radius=6)
    rows: list[tuple[Any, ...]] = [("component", "weight", "mean", "samples it likely owns")]
    rows += [
        (j + 1, f"{weights[j]:.3f}", f"({short(means[j, 0])}, {short(means[j, 1])})", int(np.sum(owner == j)))
        for j in range(k)
    ]
    where = f"{len(X)} samples and {k} components, ellipses of one and two standard deviations, each with its weight"
    return Drawn(panels(plane.svg(where), chart.svg("The mean log-likelihood never falls")), rows, says, last)


EXPLORABLE = Explorable(
    name="mixture",
    title="EM, and who belongs to whom",
    lesson="2.9",
    proves="No iteration of EM lowers the likelihood. A sample between two components belongs to both, in shares.",
    controls=(
        Steps("iteration", 0, ITERATIONS, 4),
        Slider("components", 1, 5, 3, step=1),
        Choice("shape", ("full", "tied", "diag", "spherical"), label="covariances"),
        Slider("seed", 0, 30, 0, step=1),
    ),
    compute=compute,
    draw=draw,
    modules=("classic/mixture.py",),
)
