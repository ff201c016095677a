"""Muon: orthogonal steps, the same whether matrices are stacked or alone."""

import copy

import numpy as np
import pytest
import torch

from groundup.train.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5), (1, 7), (64, 16)])
def test_singular_values_come_near_one_and_singular_vectors_stay(shape):
    torch.manual_seed(0)
    G = torch.randn(3, *shape, dtype=torch.float64)
    got = orthogonalised(G)
    U, s, V = torch.linalg.svd(G, full_matrices=False)
    core = U.mT @ got @ V.mT  # diagonal, if the singular vectors are the same
    values = core.diagonal(dim1=-2, dim2=-1)
    assert (core - torch.diag_embed(values)).abs().max() < 1e-6
    small = s / G.norm(dim=(-2, -1)).unsqueeze(-1) < 0.01  # of what is as good as nothing, five turns make less
    assert ((values > 0.6) | small).all() and (values < 1.25).all()


def test_the_zero_matrix_stays_zero():
    assert torch.equal(orthogonalised(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


def test_stacked_steps_are_the_steps_of_each_alone():
    torch.manual_seed(1)
    shapes = [(6, 4), (4, 6), (6, 4), (4, 4), (6, 4)]
    together = [torch.nn.Parameter(torch.randn(s)) for s in shapes]
    alone = [torch.nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [Muon(together, weight_decay=0.1)] + [Muon([p], weight_decay=0.1) for p in alone]
    for _ in range(5):
        for p, q in zip(together, alone):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(together, alone):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_a_split_matrix_moves_as_its_parts():
    torch.manual_seed(2)
    whole = torch.nn.Parameter(torch.randn(10, 4))
    parts = [torch.nn.Parameter(part.clone()) for part in whole.detach().split((4, 3, 3))]
    one, three = Muon([whole], splits={whole: (4, 3, 3)}), Muon(parts)
    for _ in range(3):
        whole.grad = torch.randn(10, 4)
        for part, grad in zip(parts, whole.grad.split((4, 3, 3))):
            part.grad = grad.clone()
        one.step()
        three.step()
    torch.testing.assert_close(whole, torch.cat(list(parts)), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon to compare with")
@pytest.mark.parametrize("shape", [(12, 5), (5, 12)])
def test_a_step_is_torchs(shape):
    """Torch's multiplies in bfloat16, which has three digits; the direction is compared."""
    torch.manual_seed(3)
    ours = torch.nn.Parameter(torch.zeros(shape))
    theirs = torch.nn.Parameter(torch.zeros(shape))
    a = Muon([ours], lr=0.1, momentum=0.9)
    b = torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.0, nesterov=True)
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        a.step()
        b.step()
    off = (ours - theirs).norm() / theirs.norm()
    assert off < 0.05, float(off)


def test_state_survives_and_a_parameter_without_a_gradient_is_left_alone():
    torch.manual_seed(4)
    p, q = torch.nn.Parameter(torch.randn(4, 4)), torch.nn.Parameter(torch.randn(4, 4))
    before = q.detach().clone()
    optimizer = Muon([p, q])
    p.grad = torch.randn(4, 4)
    optimizer.step()
    assert torch.equal(q, before)
    twin = torch.nn.Parameter(p.detach().clone())
    other = Muon([twin, torch.nn.Parameter(before)])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    p.grad = torch.randn(4, 4)
    twin.grad = p.grad.clone()
    optimizer.step()
    other.step()
    assert np.array_equal(p.detach().numpy(), twin.detach().numpy())


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="belongs to AdamW"):
        Muon([torch.nn.Parameter(torch.zeros(3))])
