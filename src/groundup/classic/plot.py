"""Pictures of classical models: boundaries, curves, paths, trees, components.

Each function draws into the axes it is given, or into new ones, and returns them; nothing is shown and nothing is saved. What is
drawn was computed elsewhere, by the functions named in each docstring. Colours are mid-tones that hold on light and on dark paper.
"""

import numpy as np

COLOURS = ("#2b7a9e", "#a8402a", "#7d8a3a", "#8a5a9e", "#b98b2e", "#5b6470")


def decision_boundary(model, X, y, axes=None, resolution=200):
    """The regions of a classifier of two features, their border, and the samples.

    model: fitted, with classes_ and predict. X (n, 2), y (n,) the samples to show. resolution: points along each side.
    Raises ValueError if X has not two columns.
    """
    axes = _axes(axes)
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"a boundary is drawn over two features; X has shape {X.shape}")
    margin = 0.08 * np.maximum(np.ptp(X, axis=0), 1e-12)
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    u, v = np.meshgrid(np.linspace(low[0], high[0], resolution), np.linspace(low[1], high[1], resolution))
    found = model.predict(np.column_stack([u.ravel(), v.ravel()]))
    codes = np.searchsorted(model.classes_, found).reshape(u.shape)
    k = len(model.classes_)
    levels = np.arange(k + 1) - 0.5
    axes.contourf(u, v, codes, levels=levels, colors=[_colour(c) for c in range(k)], alpha=0.18)
    if k > 1:
        axes.contour(u, v, codes, levels=levels[1:-1], colors="#5b6470", linewidths=1.2)
    for c, name in enumerate(model.classes_):
        axes.plot(*X[y == name].T, "o", color=_colour(c), ms=4, label=str(name))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="feature 0", ylabel="feature 1")
    axes.legend(title="class", frameon=False)
    return axes


def learning_curve(sizes, train_scores, test_scores, axes=None):
    """Score against the number of training samples, with the spread over the folds: what selection.learning_curve returns.

    sizes (k,), train_scores (k, folds), test_scores (k, folds).
    """
    axes = _bands(sizes, train_scores, test_scores, axes)
    axes.set(xlabel="training samples", ylabel="score")
    return axes


def validation_curve(values, train_scores, test_scores, name="parameter", axes=None):
    """Score against a parameter's values on a logarithmic axis, with the spread: what selection.validation_curve returns.

    values (k,) > 0, train_scores (k, folds), test_scores (k, folds).
    """
    axes = _bands(values, train_scores, test_scores, axes)
    axes.set(xscale="log", xlabel=name, ylabel="score")
    return axes


def roc(false_positive_rate, true_positive_rate, label=None, axes=None):
    """The curve from ranking.roc_curve, as steps, and the diagonal of a guess: both (k,), ascending from 0 to 1."""
    axes = _axes(axes)
    axes.plot([0, 1], [0, 1], color="#5b6470", lw=0.8, ls=":")
    axes.plot(false_positive_rate, true_positive_rate, lw=2, color=_colour(len(axes.lines) - 1), label=label)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    if label is not None:
        axes.legend(loc="lower right", frameon=False)
    return axes


def path(alphas, coefs, names=None, axes=None):
    """Coefficients against the price of weights, which falls to the right: alphas (k,) > 0, coefs (p, k), as lasso_path's.

    names (p,): written at the right end of each line.
    """
    axes = _axes(axes)
    coefs = np.asarray(coefs)
    for j, coefficient in enumerate(coefs):
        axes.plot(alphas, coefficient, lw=1.6, color=_colour(j))
        if names is not None:
            axes.annotate(
                names[j], (np.min(alphas), coefficient[np.argmin(alphas)]), (4, -3), textcoords="offset points"
            )
    axes.axhline(0.0, color="#5b6470", lw=0.6)
    axes.set(xscale="log", xlabel="alpha", ylabel="coefficient")
    axes.invert_xaxis()
    return axes


def tree(model, feature_names=None, class_names=None, max_depth=None, axes=None):
    """A fitted decision tree from the root down: in each box the question, the samples, and the answer there.

    model: with a tree_ whose arrays are children_left, children_right, feature, threshold, value, n_node_samples. Left is yes.
    max_depth: where to cut; a cut box says how many nodes it hides.
    """
    axes, grown = _axes(axes), model.tree_
    classes = getattr(model, "classes_", None) if class_names is None else class_names
    place, hidden = _layout(grown, max_depth)
    last = max((y for _, y in place.values()), default=0)
    for node, (x, y) in place.items():
        text = [f"n = {grown.n_node_samples[node]}", _answer(grown.value[node], classes)]
        if node in hidden:
            text.append(f"… {hidden[node]} nodes")
        elif grown.children_left[node] >= 0:
            j = grown.feature[node]
            name = f"x[{j}]" if feature_names is None else feature_names[j]
            text.insert(0, f"{name} ≤ {grown.threshold[node]:.4g}")
            for child in (grown.children_left[node], grown.children_right[node]):
                axes.plot([x, place[child][0]], [-y, -place[child][1]], color="#5b6470", lw=0.8, zorder=1)
        best = int(np.argmax(grown.value[node])) if classes is not None else 0
        box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": _colour(best), "linewidth": 1.2}
        axes.text(x, -y, "\n".join(text), ha="center", va="center", fontsize=8, color="#1f2328", bbox=box, zorder=2)
    axes.set(xlim=(-0.6, max(x for x, _ in place.values()) + 0.6), ylim=(-last - 0.5, 0.5))
    axes.axis("off")
    return axes


def components(images, titles=None, columns=6, figure=None):
    """Images in a grid, each on its own scale of grey, such as eigenfaces: images (k, height, width) -> a figure."""
    from matplotlib import pyplot

    images = np.asarray(images)
    rows = -(-len(images) // columns)
    figure = pyplot.figure(figsize=(1.25 * columns, 1.4 * rows)) if figure is None else figure
    for k, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.imshow(image, cmap="gray")
        axes.set_axis_off()
        if titles is not None:
            axes.set_title(titles[k], fontsize=8, pad=2)
    return figure


def _axes(axes):
    """Axes to draw into."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def _colour(k):
    return COLOURS[k % len(COLOURS)]


def _bands(x, train_scores, test_scores, axes):
    """Means over the folds as lines, one standard deviation to either side as bands."""
    axes = _axes(axes)
    for scores, name, k in ((train_scores, "training", 1), (test_scores, "validation", 0)):
        mean, spread = np.mean(scores, axis=1), np.std(scores, axis=1)
        axes.fill_between(x, mean - spread, mean + spread, color=_colour(k), alpha=0.15, lw=0)
        axes.plot(x, mean, "o-", ms=3, color=_colour(k), label=name)
    axes.legend(frameon=False)
    return axes


def _layout(grown, max_depth):
    """Node -> (x, depth): leaves side by side from the left, a parent over the middle of its children; and what is cut off."""
    place, hidden, columns = {}, {}, 0
    stack = [(0, 0, False)]
    while stack:
        node, depth, done = stack.pop()
        left, right = grown.children_left[node], grown.children_right[node]
        cut = max_depth is not None and depth >= max_depth
        if done:
            place[node] = ((place[left][0] + place[right][0]) / 2, depth)
        elif left < 0 or cut:
            place[node], columns = (columns, depth), columns + 1
            if left >= 0:
                hidden[node] = _below(grown, node)
        else:
            stack += [(node, depth, True), (right, depth + 1, False), (left, depth + 1, False)]
    return place, hidden


def _below(grown, node):
    """How many nodes hang below one."""
    count, stack = -1, [node]
    while stack:
        node = stack.pop()
        count += 1
        if grown.children_left[node] >= 0:
            stack += [grown.children_left[node], grown.children_right[node]]
    return count


def _answer(value, classes):
    """What a leaf would say: the class with the largest share, or the mean."""
    value = np.ravel(value)
    if classes is None:
        return f"{value[0]:.4g}"
    best = int(np.argmax(value))
    return f"{classes[best]}: {value[best] / value.sum():.0%}"
