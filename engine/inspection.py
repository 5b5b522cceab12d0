"""Inspection: a few passes through a network when a classifier is made of it, to find its sites and check the contract.

The passes are: two rows together, the first of them twice alone and once beside another row, once for the order in memory, and once with a
gradient. Only a network that looks suspicious gets more passes. All random states are restored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from engine.contract import Contract
from engine.devices import is_out_of_memory
from engine.errors import EndsInProbabilities, GibbonError, first_line
from engine.load_failures import explained, not_finite
from engine.memory_format import takes_channels_last
from engine.random_state import random_states, undisturbed
from engine.recomputation import computed_once
from engine.sites import CallsAgain, Site, discover

_LOOSE = {torch.float64: 1e-8, torch.float32: 1e-3, torch.float16: 5e-2, torch.bfloat16: 2e-1}
"""Tolerance, as a share of the largest logit, for rounding when the number of rows, and with it the kernel, changes."""
_ULPS = {torch.float64: 8, torch.float32: 8, torch.float16: 1, torch.bfloat16: 1}
"""Tolerance, in rounding units, between two equal calls: libraries choose their loops by the address of a tensor."""
_MORE_PASSES = 6
"""Further passes of a network that drew random numbers but gave the same logits twice."""
_STRESS = {torch.float16: 50.0}
"""Factor on normalised images that drives logits, but not a sigmoid's outputs, out of [0, 1]; 1,000 except where that overflows."""


@dataclass(frozen=True)
class Findings:
    """The findings of an inspection: sites, memory order, data type and contract."""

    sites: tuple[Site, ...]
    channels_last: bool
    """Whether the network is faster with channels last in memory."""
    door: torch.dtype
    """Data type of the images that the network takes."""
    contract: Contract


def inspect(
    module: nn.Module, images: Tensor, classes: int, *, name: str, device: torch.device | str = "cpu", probabilities: bool = False
) -> Findings:
    """Run ``module``, which is on ``device``, on two normalised ``images`` ``(2, C, H, W)``, float64 on the CPU.

    ``probabilities`` allows a network that ends in them, since their logarithm is taken.

    Raises
    ------
    GibbonError
        The network fails, or does not return finite floating logits ``(2, classes)``, one row per image.
    """
    device = torch.device(device)
    with undisturbed(device), torch.no_grad(), computed_once():
        before = random_states(device)
        sites, output, images = _first_pass(module, images, device, name)
        drew = random_states(device) != before
        _check_output(output, classes, module, images, name, probabilities)
        alone = _alone(module, images, name)
        again = discover(module, images[:1])
        contract = Contract(
            random=_is_random(module, images, alone[1], again[1], drew),
            sites_vary=not _names(sites) == _names(alone[0]) == _names(again[0]),
            squashed=not probabilities and _is_squashed(module, images, output),
        )
        if not contract.random:
            contract = replace(contract, mixes_rows=_mixes_rows(module, images, output, alone[1]))
        contract = _with_gradients(contract, module, images)
        last = takes_channels_last(module, images[:1], alone[1])
    return Findings(() if contract.sites_vary else sites, last, images.dtype, contract)


@torch.no_grad()
def departs(function: Callable[[Tensor], Tensor], images: Tensor, what: str) -> Contract:
    """Return how a preprocessing or an activation alone departs from the contract, from two rows twice and the first row by itself.

    Raises
    ------
    GibbonError
        The function fails, or returns no floating tensor of one row per image.
    """
    with undisturbed(images.device):
        before = random_states(images.device)
        try:
            both, alone, again = function(images.clone()), function(images[:1].clone()), function(images[:1].clone())
        except Exception as error:
            raise GibbonError(f"{what} fails on a tensor of shape {tuple(images.shape)}: {first_line(error)}") from error
        if not isinstance(both, Tensor) or not both.is_floating_point() or both.shape[:1] != images.shape[:1]:
            got = f"{both.dtype} {tuple(both.shape)}" if isinstance(both, Tensor) else type(both).__name__
            raise GibbonError(
                f"{what} gives {got} for a tensor of shape {tuple(images.shape)}. Return a floating tensor, a row for each row."
            )
        drew = random_states(images.device) != before
        random = _is_random(function, images, alone, again, drew)
        return Contract(random=random, mixes_rows=not random and _mixes_rows(function, images, both, alone))


def door_types(module: nn.Module) -> list[torch.dtype]:
    """Return the data types that ``module`` may take for images, the type of most of its weights first."""
    held: dict[torch.dtype, int] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            held[tensor.dtype] = held.get(tensor.dtype, 0) + tensor.numel()
    held = {dtype: count for dtype, count in held.items() if dtype in _LOOSE}
    return list(dict.fromkeys([*sorted(held, key=lambda dtype: -held[dtype]), torch.float32]))


def _first_pass(module: nn.Module, images: Tensor, device: torch.device, name: str) -> tuple[tuple[Site, ...], Tensor, Tensor]:
    """Return sites, output, and the images in the first data type that the module takes."""
    failures: list[Exception] = []
    types = door_types(module)
    for door in types:
        try:
            placed = images.to(door).to(device)
            return *discover(module, placed), placed
        except Exception as error:
            failures.append(error)
    raise explained(failures[0], module, images.to(types[0]).to(device), name) from failures[0]


def _alone(module: nn.Module, images: Tensor, name: str) -> tuple[tuple[Site, ...], Tensor]:
    try:
        sites, output = discover(module, images[:1])
    except Exception as error:
        raise GibbonError(
            f"The model “{name}” runs on two images and fails on one alone: {first_line(error)} "
            "Its answers depend on the whole batch: let it judge each image by itself, as with running statistics."
        ) from error
    if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != 1:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise GibbonError(f"The model “{name}” gives {shape} for one image, not one row of logits. Let it keep the dimension of the batch.")
    return sites, output


def _check_output(output: object, classes: int, module: nn.Module, images: Tensor, name: str, probabilities: bool) -> None:
    if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != 2:
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        cure = "returns its output's logits" if isinstance(getattr(output, "logits", None), Tensor) else "returns logits (N, K)"
        raise GibbonError(f"The model “{name}” gives {got} for two images, not two rows of logits. Wrap it so that it {cure}.")
    if output.shape[1] != classes:
        raise GibbonError(
            f"The model “{name}” has {output.shape[1]} classes, but {classes} labels were given. "
            "Give one label per class, or choose the architecture with that many classes."
        )
    if not output.is_floating_point():
        raise GibbonError(f"The model “{name}” gives {output.dtype} instead of floating logits. Return what comes before it is rounded.")
    if not bool(output.isfinite().all()):
        raise not_finite(module, images, name)
    sums, slack = output.cpu().double().sum(1), max(1e-4, 4 * torch.finfo(output.dtype).eps)
    if probabilities and not bool(((output >= 0) & (output <= 1 + slack)).all()):
        low, high = (float(value) for value in output.aminmax())
        raise GibbonError(
            f"The model “{name}” gives values from {low:.3g} to {high:.3g}, no probabilities, so head='log' cannot take their logarithm. "
            "Load it with head='logits'."
        )
    if not probabilities and classes > 1 and bool((output >= 0).all()) and bool(((sums - 1).abs() < slack).all()):
        raise EndsInProbabilities(
            f"The model “{name}” ends in probabilities (its rows sum to 1), and attacks need logits. "
            "Load it with head='strip' (removes a final Softmax layer) or head='log' (takes their logarithm)."
        )


def _is_random(function: Callable[[Tensor], Tensor], images: Tensor, first: Tensor, second: Tensor, drew: bool) -> bool:
    """Return whether ``function`` returns other values for the same row.

    One that ``drew`` random numbers gets more passes, compared bit by bit.
    """
    if not drew:
        return _differ(first, second, _ULPS)
    return not torch.equal(first, second) or any(not torch.equal(first, function(images[:1].clone())) for _ in range(_MORE_PASSES))


def _mixes_rows(function: Callable[[Tensor], Tensor], images: Tensor, both: Tensor, alone: Tensor) -> bool:
    """Return whether the first row's output depends on the other row, or, by more than rounding, on the presence of one.

    Another number of rows may be computed by another kernel, so that small differences to the row alone prove nothing. The second row is
    therefore replaced, too: the same kernels then run with another neighbour.
    """
    if _differ(both[:1], alone, _LOOSE):
        return True
    try:
        other = function(torch.cat([images[:1], -2 * images[1:]]))
    except Exception:  # a function may refuse values that are no image
        other = function(torch.cat([images[:1], images[1:].flip(-1, -2)]))
    return _differ(both[:1], other[:1], _ULPS)


def _differ(a: Tensor, b: Tensor, allowed: dict[torch.dtype, int] | dict[torch.dtype, float]) -> bool:
    """Return whether two outputs differ by more than ``allowed``, in rounding units or as a share of the largest value."""
    if a.shape != b.shape:
        return True
    if a.numel() == 0:
        return False
    limit = allowed.get(a.dtype, allowed[torch.float32])
    if isinstance(limit, int):
        limit *= torch.finfo(a.dtype).eps
        limit = limit if a.device.type == "cpu" else max(limit, 1e-5)  # atomic additions on accelerators sum in no fixed order
    a, b = a.cpu().double(), b.cpu().double()
    return not float((a - b).abs().max()) <= limit * float(a.abs().max())  # a NaN counts as a difference


def _is_squashed(module: nn.Module, images: Tensor, output: Tensor) -> bool:
    def inside(values: Tensor) -> bool:
        return bool(((values >= 0) & (values <= 1)).all())

    # A last layer that is still zero gives constant outputs, which prove nothing.
    if not inside(output) or bool((output == output[:1, :1]).all()):
        return False
    most = _STRESS.get(images.dtype, 1000.0)
    try:
        return all(inside(module(torch.cat([factor * images[:1], torch.zeros_like(images[:1])]))) for factor in (most, -most))
    except Exception:  # a network may refuse such images, which proves nothing
        return False


def _with_gradients(contract: Contract, module: nn.Module, images: Tensor) -> Contract:
    """Complete the contract by one backward pass: whether a gradient arrives, and whether rectifiers are called again."""
    again = CallsAgain()
    with torch.enable_grad():
        example = images[:1].detach().clone().requires_grad_()
        try:
            logits = module(example)
            with again:
                gradient = torch.autograd.grad(logits.sum(), example, allow_unused=True)[0] if logits.requires_grad else None
        except Exception as error:
            if is_out_of_memory(error):  # without memory the pass proves nothing
                return contract
            gradient = None
    return replace(contract, differentiable=gradient is not None, computes_again=again.seen)


def _names(sites: tuple[Site, ...]) -> list[str]:
    return [site.name for site in sites]
