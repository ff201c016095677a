"""The engine completed: joining, splitting, picking and moving elements, and einsum.

Forwards, elements run along lines from operands to the result; backwards, gradients run along the same lines, and add
where lines meet. Of tensor.py this needs only Tensor and `operation`, so it runs on an engine of your own.

An argument called x is a Tensor. Axes count from the end where negative.
"""

from itertools import pairwise

import numpy as np

from .ops import as_tensors
from .tensor import operation

# ---- Joining and splitting


def concatenate(tensors, axis=0):
    """Tensors, arrays too, one behind the other along an axis; the other axes agree."""
    tensors = as_tensors(*tensors)
    y = np.concatenate([t.data for t in tensors], axis)
    ends = np.cumsum([t.shape[axis] for t in tensors])
    cuts = [(*_whole(y, axis), slice(start, end)) for start, end in pairwise([0, *ends])]
    return operation(y, *((t, lambda g, cut=cut: g[cut]) for t, cut in zip(tensors, cuts)))


def stack(tensors, axis=0):
    """Tensors, arrays too, of one shape, beside each other along a new axis."""
    tensors = as_tensors(*tensors)
    y = np.stack([t.data for t in tensors], axis)
    return operation(y, *((t, lambda g, i=i: np.moveaxis(g, axis, 0)[i]) for i, t in enumerate(tensors)))


def split(x, sections, axis=0):
    """A list of parts along an axis, as in NumPy: so many equal ones (an int), or cut before these positions (a list).

    ValueError where equal parts are asked for and do not come out even.
    """
    n = x.shape[axis]
    if isinstance(sections, int | np.integer):
        if n % sections:
            raise ValueError(f"{n} elements do not make {sections} equal parts")
        sections = range(n // sections, n, n // sections)
    cuts = [0, *sections, n]
    return [x[(*_whole(x, axis), slice(start, end))] for start, end in pairwise(cuts)]


def unstack(x, axis=0):
    """The list of what lies along an axis, which goes: what stack undoes."""
    return [x[(*_whole(x, axis), i)] for i in range(x.shape[axis])]


# ---- Picking


def take(x, ids, axis=0):
    """The rows of x that ids name, integers of any shape: with axis=0 the lookup of an embedding.

    x (v, d), ids (n, t) -> (n, t, d). A row that is named twice gets both gradients.
    """
    return x[(*_whole(x, axis), np.asarray(ids))]


def take_along_axis(x, index, axis=-1):
    """From each line of x along an axis the elements that the same line of the index names.

    x (n, k), index (n, m) of integers below k -> (n, m). As in NumPy, the other axes of x and of the index broadcast.
    """
    grid = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[axis] = np.asarray(index)
    return x[tuple(grid)]


def arrange(x, move):
    """Any arrangement of the elements of x, copies included: what `move` does to an array of x's shape is done to x.

    move: a function from an array to an array that copies and moves elements and does nothing else to them, such as
    `lambda p: np.repeat(p, 3, axis=0)`, np.tile, np.diagonal or sliding_window_view. It is called on their positions.
    """
    return x.reshape(-1)[move(np.arange(x.size).reshape(x.shape))]


def pad(x, widths, mode="constant", value=0.0):
    """x with a margin. widths: as in np.pad, (before, after) for each axis, or one pair or one number for all.

    mode: "constant" for a margin of value, or those modes of np.pad that repeat elements: "edge", "reflect",
    "symmetric", "wrap".
    """
    if mode != "constant":
        return arrange(x, lambda p: np.pad(p, widths, mode))
    inner = tuple(slice(before, before + n) for (before, _), n in zip(np.broadcast_to(widths, (x.ndim, 2)), x.shape))
    return operation(np.pad(x.data, widths, constant_values=value), (x, lambda g: g[inner]))


# ---- Moving


def flip(x, axis=None):
    """The elements in reverse order along some axes (None for all, an int or a tuple of ints)."""
    return operation(np.flip(x.data, axis), (x, lambda g: np.flip(g, axis)))


def roll(x, shift, axis=None):
    """The elements moved on by shift places, and what falls off comes back in front; as in NumPy."""
    return operation(np.roll(x.data, shift, axis), (x, lambda g: np.roll(g, np.negative(shift), axis)))


def swapaxes(x, first, second):
    """Two axes exchanged: swapaxes(x, -1, -2) transposes every matrix of a batch."""
    return operation(np.swapaxes(x.data, first, second), (x, lambda g: np.swapaxes(g, first, second)))


def moveaxis(x, source, destination):
    """Axes moved to new places, ints or tuples of ints; the others keep their order."""
    return operation(np.moveaxis(x.data, source, destination), (x, lambda g: np.moveaxis(g, destination, source)))


def expand_dims(x, axis):
    """A new axis of length 1, which stands at that place in the result; a tuple for several."""
    return x.reshape(np.expand_dims(x.data, axis).shape)


def squeeze(x, axis=None):
    """Without some axes of length 1 (None for all of them); ValueError where one is longer."""
    return x.reshape(np.squeeze(x.data, axis).shape)


def broadcast_to(x, shape):
    """x copied along new axes in front and along axes of length 1; backwards, the copies add up."""
    return operation(np.broadcast_to(x.data, shape), (x, lambda g: g))


def tril(x, k=0):
    """The last two axes with 0 above the k-th diagonal: the past of each row, for k = 0 the present too."""
    return operation(np.tril(x.data, k), (x, lambda g: np.tril(g, k)))


def triu(x, k=0):
    """The last two axes with 0 below the k-th diagonal."""
    return operation(np.triu(x.data, k), (x, lambda g: np.triu(g, k)))


# ---- Products


def einsum(subscripts, *operands):
    """Einstein's summation as in NumPy, of any number of operands, for example einsum("btd,dk->btk", x, W).

    Every letter names an axis. Operands are multiplied where their letters agree, and letters that the result does not
    name are summed over. Without -> the result has the letters that occur once, in alphabetical order. "..." stands for
    axes without a name, which broadcast. A letter twice in one operand picks its diagonal.

    L is linear in each operand, so the gradient of one is the einsum of g and of all the others, with the letters of
    that operand for a result. Raises ValueError where letters and shapes do not fit.
    """
    operands = as_tensors(*operands)
    terms, result = _letters(subscripts, operands)
    for i, term in enumerate(terms):
        once = "".join(dict.fromkeys(term))
        if once != term:
            operands[i] = arrange(operands[i], lambda p, term=term, once=once: np.einsum(f"{term}->{once}", p))
            terms[i] = once
    arrays = [x.data for x in operands]
    y = np.einsum(",".join(terms) + "->" + result, *arrays, optimize=True)
    links = []
    for i, x in enumerate(operands):
        back, others = _way_back(i, terms, result, arrays)
        links.append((x, lambda g, back=back, others=others: np.einsum(back, g, *others, optimize=True)))
    return operation(y, *links)


def _way_back(i, terms, result, arrays):
    """The einsum of g that is the gradient of operand i: its subscripts and its other operands.

    A letter that only this operand has, or others with length 1, was summed over: g is copied along it.
    """
    term, other_terms, others = terms[i], terms[:i] + terms[i + 1 :], arrays[:i] + arrays[i + 1 :]
    lengths = {c: n for t, x in zip(other_terms, others) for c, n in zip(t, x.shape) if n != 1}
    summed = [c for c in term if c not in result and c not in lengths]
    if summed:
        copies = np.ones([arrays[i].shape[term.index(c)] for c in summed], arrays[i].dtype)
        other_terms, others = [*other_terms, "".join(summed)], [*others, copies]
    return ",".join([result, *other_terms]) + "->" + term, others


def _letters(subscripts, operands):
    """The letters of each operand, and those of the result, with letters of their own for the axes of "..."."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"{subscripts!r} names {len(terms)} operands, and there are {len(operands)}")
    spare = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts]
    dots = ""
    for i, (term, x) in enumerate(zip(terms, operands)):
        named = term.replace("...", "")
        if "..." in term:
            mine = "".join(reversed(spare[: x.ndim - len(named)]))  # aligned at the last of them
            dots = max(dots, mine, key=len)
            terms[i] = term.replace("...", mine)
        if len(terms[i]) != x.ndim:
            raise ValueError(f"{term!r} names {len(named)} axes of an operand of shape {x.shape}")
    if not arrow:
        everything = "".join(terms)
        result = dots + "".join(sorted(c for c in {*everything} - {*dots} if everything.count(c) == 1))
    return terms, result.replace("...", dots)


def _whole(x, axis):
    """The part of an index that leaves the axes in front of this one as they are."""
    return [slice(None)] * (axis % x.ndim)
