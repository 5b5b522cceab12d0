"""Bounded rectifiers: their values, gradients and limits, and that the engine sees each call of one as a site."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import engine
from engine.defenses import Bounded, BoundedLeaky, bounded, bounded_leaky

SIGNS = (-1, 1)


def _values(dtype: torch.dtype = torch.float32) -> Tensor:
    """From far below 0 to far above every bound used here; never exactly on a kink."""
    return 3.0 * torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=dtype)


def _literal(x: float, bound: float, slope: float, sign: int) -> float:
    if x < 0:
        return slope * x
    return x if x < bound else bound + sign * slope * (x - bound)


def test_bounded_is_the_closed_form() -> None:
    x = torch.tensor([-5.0, -1e-6, 0.0, 0.3, 0.7, 0.70001, 40.0])
    assert bounded(x, 0.7).tolist() == pytest.approx([0, 0, 0, 0.3, 0.7, 0.7, 0.7])


def test_bounded_reaches_zero_and_bound_and_nothing_else() -> None:
    y = Bounded(0.5)(_values())
    assert (float(y.min()), float(y.max())) == (0.0, 0.5)


def test_bounded_with_a_far_bound_is_relu_with_its_gradient() -> None:
    x = torch.cat([_values().flatten(), torch.zeros(3)]).requires_grad_()
    found, expected = bounded(x, 1e9), torch.relu(x)
    assert torch.equal(found, expected)
    assert torch.equal(torch.autograd.grad(found.sum(), x)[0], torch.autograd.grad(expected.sum(), x)[0])


def test_bounded_hides_the_gradient_above_the_bound() -> None:
    x = torch.tensor([-1.0, 0.5, 2.0], requires_grad=True)
    assert torch.autograd.grad(bounded(x, 1.0).sum(), x)[0].tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3])
def test_bounded_leaky_is_the_closed_form(slope: float, sign: int) -> None:
    x = torch.linspace(-4, 150, 400, dtype=torch.float64)
    found = bounded_leaky(x, torch.tensor(1.25, dtype=torch.float64), slope, sign)
    assert found.tolist() == pytest.approx([_literal(value, 1.25, slope, sign) for value in x.tolist()], abs=1e-12)


def test_falling_sign_crosses_zero_where_the_formula_says() -> None:
    bound, slope = torch.tensor(1.0, dtype=torch.float64), 0.01
    crossing = 1.0 + 1.0 / slope
    x = torch.tensor([1.0, crossing, 2 * crossing], dtype=torch.float64)
    assert bounded_leaky(x, bound, slope, -1).tolist() == pytest.approx([1.0, 0.0, 1.0 - slope * (2 * crossing - 1.0)], abs=1e-12)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("kink", [0.0, 1.0])
def test_bounded_leaky_is_continuous(kink: float, sign: int) -> None:
    x = torch.tensor([kink - 1e-6, kink + 1e-6])
    assert torch.all((bounded_leaky(x, torch.tensor(1.0), 0.01, sign) - kink).abs() < 1e-5)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("shape", [(), (5, 1)], ids=["scalar", "per-channel"])
def test_gradients_with_respect_to_input_and_bound(shape: tuple[int, ...], sign: int) -> None:
    x = _values(torch.float64).requires_grad_()
    bound = torch.full(shape, 1.1, dtype=torch.float64, requires_grad=True)

    def function(x: Tensor, bound: Tensor) -> Tensor:
        return bounded_leaky(x, bound, 0.02, sign)

    assert torch.autograd.gradcheck(function, (x, bound))
    assert torch.autograd.gradgradcheck(function, (x, bound))


@pytest.mark.parametrize("sign", SIGNS)
def test_fused_equals_the_chain_of_where(sign: int) -> None:
    x, bound = _values().requires_grad_(), torch.tensor(0.8, requires_grad=True)
    slow = torch.where(x < 0, 0.01 * x, torch.where(x > bound, bound + sign * 0.01 * (x - bound), x))
    fast = bounded_leaky(x, bound, 0.01, sign)
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(fast, slow, atol=1e-6)
    for found, expected in zip(
        torch.autograd.grad((fast * weights).sum(), (x, bound)), torch.autograd.grad((slow * weights).sum(), (x, bound)), strict=True
    ):
        assert torch.allclose(found, expected, atol=1e-5)


def test_no_slope_is_bounded_and_a_far_bound_is_leaky() -> None:
    x = _values()
    assert torch.allclose(bounded_leaky(x, torch.tensor(1.0), 0.0, -1), bounded(x, 1.0), atol=1e-6)
    assert torch.equal(bounded_leaky(x, torch.tensor(1e6), 0.01, -1), functional.leaky_relu(x, 0.01))


def test_gradients_of_many_outputs_in_one_call() -> None:
    """One batched backward for all classes: what class-wise saliency uses."""
    x = _values()[0].requires_grad_()
    y = bounded_leaky(x, torch.tensor(1.0), 0.01, -1)
    basis = torch.eye(x.numel()).view(-1, *x.shape)
    (rows,) = torch.autograd.grad(y, x, basis, is_grads_batched=True, retain_graph=True)
    (whole,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(rows.sum(0), whole)
    mapped = torch.func.vmap(lambda row: bounded_leaky(row, torch.tensor(1.0), 0.01, -1))(x.detach())
    assert torch.equal(mapped, y.detach())


@pytest.mark.parametrize("bound", [1e-3, 0.5, 1.0, 19.9, 20.1, 500.0])
def test_softplus_keeps_the_bound_that_was_set(bound: float) -> None:
    assert BoundedLeaky(bound).bound.item() == pytest.approx(bound, rel=1e-5)


def test_the_bound_stays_above_zero_however_hard_it_is_pushed() -> None:
    module = BoundedLeaky(0.5)
    optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
    for _ in range(50):
        (module.raw_bound.grad,) = torch.autograd.grad(module.bound, [module.raw_bound])
        optimiser.step()
    assert 0.0 < module.bound.item() < 0.1


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [Bounded, BoundedLeaky])
def test_a_bound_that_bounds_nothing_is_refused(kind: type[nn.Module], bound: float) -> None:
    with pytest.raises(ValueError, match="bound is"):
        kind(bound)


@pytest.mark.parametrize("kind", [Bounded, BoundedLeaky])
def test_the_bound_travels_in_the_state_dict_and_in_repr(kind: type[Bounded] | type[BoundedLeaky]) -> None:
    given, taken = kind(2.5), kind(1.0)
    assert repr(given) != repr(taken)
    taken.load_state_dict(given.state_dict())
    assert torch.equal(taken(_values()), given(_values()))
    assert repr(given) == repr(taken)
    assert "2.5" in repr(taken)


def test_an_untrained_bound_takes_no_gradient() -> None:
    assert [p.requires_grad for p in BoundedLeaky(trainable=False).parameters()] == [False]


@pytest.mark.parametrize(("module", "kind"), [(Bounded(0.3), "bounded"), (BoundedLeaky(0.3), "bounded_leaky")])
def test_each_call_is_one_site_which_can_be_bounded_and_replaced(module: nn.Module, kind: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), module, nn.Flatten(), nn.Linear(2 * 36, 3))
    nn.init.constant_(network[0].weight, 1.0)  # nine pixels' sum: far above every bound here
    classifier = engine.Classifier(network, ["a", "b", "c"], (1, 8, 8), device="cpu")
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    assert [(site.name, site.kind) for site in classifier.sites] == [("1", kind)]
    lower = classifier.derive(bounds={"1": 0.125})
    assert float(classifier.record(images).activations["1"].max()) > 0.125
    assert float(lower.record(images).activations["1"].max()) == 0.125
    other = classifier.derive(activations={"1": Bounded(0.2)})
    assert float(other.record(images).activations["1"].max()) == pytest.approx(0.2)
    assert len({classifier.fingerprint, lower.fingerprint, other.fingerprint}) == 3
