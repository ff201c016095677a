"""The figures of lesson 3.3."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from groundup.course.figures import INK
from groundup.grad.curvature import hessian_vector_product, top_eigenvalue
from groundup.grad.network import Network
from groundup.grad.optim import SGD, Adam
from groundup.grad.schedules import cosine, cyclic, one_cycle, step_decay, warmup

COLD, WARM, THIRD = "#2b7a9e", "#a8402a", "#6b8e23"


def factors():
    """What one step leaves of an error, against rate times curvature: a wedge without momentum, a plateau with it."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    x = np.linspace(0.001, 4.2, 900)
    for momentum, colour in ((0.0, COLD), (0.5, THIRD), (0.9, WARM)):
        b = 1 + momentum - x  # the roots of z^2 - b z + momentum
        size = np.abs(np.array([b + np.sqrt(b**2 - 4 * momentum + 0j), b - np.sqrt(b**2 - 4 * momentum + 0j)])) / 2
        axes.plot(x, size.max(axis=0), color=colour, lw=1.8, label=f"momentum {momentum:g}")
        axes.plot([2 * (1 + momentum)], [1.0], "o", color=colour, ms=5)
    axes.axhline(1.0, color=INK, lw=0.7, ls=":")
    axes.text(0.03, 1.04, "grows", color=INK, fontsize=9)
    axes.set_ylim(0, 1.4)
    axes.set_xlim(0, 4.2)
    axes.set_xlabel("rate times curvature")
    axes.set_ylabel("left after one step")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.02))
    return figure


def ravine():
    """Thirty steps from one point in a ravine of curvatures 1 and 40: along the axes, and turned by 45 degrees."""
    figure, panels = plt.subplots(1, 2, figsize=(8.0, 3.9), sharex=True, sharey=True)
    rules = [
        ("descent", lambda p: SGD(p, lr=0.047), COLD),
        ("momentum 0.7", lambda p: SGD(p, lr=0.047, momentum=0.7), THIRD),
        ("Adam", lambda p: Adam(p, lr=0.15), WARM),
    ]
    for axes, angle in zip(panels, (0.0, np.pi / 4)):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        A = turn @ np.diag([1.0, 40.0]) @ turn.T
        P, Q = np.meshgrid(np.linspace(-2.3, 0.9, 160), np.linspace(-2.0, 0.9, 160))
        height = 0.5 * (A[0, 0] * P**2 + 2 * A[0, 1] * P * Q + A[1, 1] * Q**2)
        axes.contour(P, Q, height, levels=[0.25, 1, 2.5, 6, 15, 35], colors=[INK], linewidths=0.5, alpha=0.45)
        for name, make, colour in rules:
            w = turn @ np.array([-2.0, 0.45])
            optimiser, path = make([w]), [w.copy()]
            for _ in range(30):
                optimiser.step([A @ w])
                path.append(w.copy())
            axes.plot(*np.array(path).T, "o-", color=colour, ms=2.2, lw=1.0, label=name)
        axes.plot(0, 0, "+", color=INK, ms=9)
        axes.set_aspect("equal")
        axes.set_xlabel("weight 1")
    panels[0].set_ylabel("weight 2")
    panels[0].legend(loc="upper center", bbox_to_anchor=(1.05, 1.2), ncols=3)
    return figure


def rates():
    """Left: Adam's rate for each weight, with and without bias correction. Right: four schedules."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.3), gridspec_kw={"wspace": 0.3})
    rng = np.random.default_rng(0)
    t = np.arange(1, 301)
    for size, colour in ((100.0, COLD), (1.0, THIRD), (0.01, WARM)):
        v = 0.0
        squares = []
        for g in size * rng.standard_normal(len(t)):
            v = 0.999 * v + 0.001 * g**2
            squares.append(v)
        squares = np.array(squares)
        left.semilogy(t, 1e-3 / np.sqrt(squares / (1 - 0.999**t)), color=colour, lw=1.6, label=f"gradients of {size:g}")
        left.semilogy(t, 1e-3 / np.sqrt(squares), color=colour, lw=0.9, ls="--")
    left.set_xlabel("step")
    left.set_ylabel("rate of a weight, at lr 0.001")
    left.set_ylim(3e-6, 2e3)
    left.legend(loc="upper right", fontsize=8.5)
    steps = np.arange(120)
    schedules = [
        ("step decay", lambda s: step_decay(s, 1.0, 40, 0.3), COLD, "-"),
        ("warm-up, cosine", lambda s: warmup(s, 15, 0.1) * cosine(s, 1.0, 119), WARM, "-"),
        ("one cycle", lambda s: one_cycle(s, 1.0, 120), THIRD, "-"),
        ("cyclic", lambda s: cyclic(s, 0.2, 1.0, 15, mode="triangular2"), INK, ":"),
    ]
    for name, schedule, colour, style in schedules:
        right.plot(steps, [schedule(s) for s in steps], color=colour, ls=style, lw=1.6, label=name)
    right.set_ylim(0, 1.45)
    right.set_xlabel("step")
    right.set_ylabel("rate / largest rate")
    right.legend(loc="upper right", fontsize=8.5, ncols=2)
    return figure


def sharpness():
    """The top curvature of a net on 200 digits while it is trained, at three rates; dashed, 2 over the rate."""
    X, y = load_digits(return_X_y=True)
    X, Y = X[:200] / 16, np.eye(10)[y[:200]]
    figure, axes = plt.subplots(figsize=(6.2, 3.4))
    for rate, colour in ((0.1, COLD), (0.14, THIRD), (0.2, WARM)):
        net = Network([64, 16, 10], np.random.default_rng(0), "tanh")
        optimiser, steps, curvatures = SGD(net.params, lr=rate), [], []

        def gradient(net=net):
            scores, caches = net.forward(X)
            return net.backward((scores - Y) / len(X), caches)

        def product(v, net=net, gradient=gradient):
            return hessian_vector_product(gradient, net.params, v)

        for step in range(1501):
            if step % 50 == 0:
                steps.append(step)
                curvatures.append(top_eigenvalue(product, 1210, tol=0.02, max_iter=40))
            optimiser.step(gradient())
        axes.plot(steps, curvatures, "o-", color=colour, ms=2.5, lw=1.2, label=f"rate {rate:g}")
        axes.axhline(2 / rate, color=colour, lw=0.9, ls="--")
    axes.set_ylim(0, 30)
    axes.set_xlabel("step")
    axes.set_ylabel("largest curvature")
    axes.legend(loc="upper right", ncols=3)
    return figure
