"""Checks of a classifier's arguments beside the network: input shape, normalisation, head. Each refusal is a sentence."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from engine.errors import GibbonError

Head = Literal["logits", "log", "strip"]
_LARGEST = 16_384
"""Largest plausible side of an image in pixels: one image of that size takes 3 GiB."""


def check_module(module: object, name: str) -> None:
    """Refuse an object that is no network.

    Raises
    ------
    GibbonError
        The object is no ``nn.Module``; the sentence says how to wrap it.
    """
    if isinstance(module, type) and issubclass(module, nn.Module):
        raise GibbonError(f"The model “{name}” is the class {module.__name__}, not a network. Write {module.__name__}(...).")
    if not isinstance(module, nn.Module):
        wrap = " Put it into the forward of an nn.Module." if callable(module) else " Give an nn.Module that maps images to logits."
        raise GibbonError(f"The model “{name}” is of type {type(module).__name__}, not a torch module.{wrap}")


def checked_head(head: object) -> Head:
    """Return ``head``, after checking that it is one of the three.

    Raises
    ------
    GibbonError
        ``head`` is none of "logits", "log" and "strip".
    """
    if head not in get_args(Head):
        raise GibbonError(f"There is no head {head!r}. Choose logits, log (of probabilities) or strip (of a final Softmax).")
    return head  # type: ignore[return-value]


def checked_shape(shape: Any, what: str = "input shape") -> tuple[int, int, int]:
    """Return ``shape`` as (channels, height, width).

    Raises
    ------
    GibbonError
        ``shape`` is no such triple, or a side is below 1 or too large.
    """
    cure = "Give (channels, height, width), such as (3, 224, 224)."
    sides = _whole_numbers(shape, f"The {what} is {shape!r}. {cure}")
    if len(sides) == 4:
        raise GibbonError(f"The {what} is {shape!r}, with the number of images. Give {sides[1:]}.")
    if len(sides) != 3:
        raise GibbonError(f"The {what} is {shape!r}. {cure}")
    _check_sides(sides, f"The {what} is {shape!r}")
    return sides[0], sides[1], sides[2]


def checked_size(size: Any) -> tuple[int, int]:
    """Return ``size`` as (height, width); one number means a square.

    Raises
    ------
    GibbonError
        ``size`` is no such pair, or a side is below 1 or too large.
    """
    cure = f"The size is {size!r}. Give one number, or (height, width)."
    one = _whole_number(size)
    sides = (one, one) if one is not None else _whole_numbers(size, cure)
    if len(sides) != 2:
        raise GibbonError(cure)
    _check_sides(sides, f"The size is {size!r}")
    return sides[0], sides[1]


def normalisation(mean: Any, std: Any, channels: int, name: str) -> tuple[Tensor, Tensor]:
    """Return mean and std as float64 ``(1 or C, 1, 1)`` on the CPU; None means 0 and 1.

    Raises
    ------
    GibbonError
        A value is no number, the count is neither one nor one per channel, a mean is not finite, or a std is not above 0.
    """
    found = _per_channel(mean, 0.0, "mean", channels, name), _per_channel(std, 1.0, "std", channels, name)
    if not bool((found[1] > 0).all()):
        raise GibbonError(
            f"The std of the model “{name}” is {found[1].flatten().tolist()}, and pixels are divided by it. Give values above 0."
        )
    return found


def checked_bounds(bounds: Any) -> dict[str, float]:
    """Return ``bounds``, site name to value, after checking that each is a number above 0.

    Raises
    ------
    GibbonError
        ``bounds`` is no mapping, or a value is no number above 0.
    """
    if not isinstance(bounds, Mapping):
        raise GibbonError(f"The bounds are {bounds!r}. Give a mapping from the name of a site to a number, such as {{'relu': 2.0}}.")
    found = {}
    for site, value in bounds.items():
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise GibbonError(f"The bound at “{site}” is {value!r}. Give a number above 0.")
        found[site] = float(value)
        if found[site] != found[site]:
            raise GibbonError(f"The bound at “{site}” is NaN. Give a number above 0.")
        if found[site] <= 0:
            raise GibbonError(f"A bound of {found[site]:g} at “{site}” would silence the layer. Choose a value above 0.")
    return found


def checked_activations(activations: Any) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return ``activations``, site name to function, after checking that each can be called.

    Raises
    ------
    GibbonError
        ``activations`` is no mapping, or a value cannot be called.
    """
    if not isinstance(activations, Mapping):
        raise GibbonError(f"The activations are {activations!r}. Give a mapping from the name of a site to a function.")
    for site, function in activations.items():
        _check_function(function, f"The activation at “{site}”")
    return dict(activations)


def checked_preprocessing(before: Any) -> tuple[Callable[[Tensor], Tensor], ...]:
    """Return ``before`` as a tuple of functions on images; a single function counts as a tuple of one.

    Raises
    ------
    GibbonError
        ``before`` is no sequence of functions.
    """
    if not isinstance(before, Sequence) or isinstance(before, str):
        before = (before,)
    for function in before:
        _check_function(function, "The preprocessing")
    return tuple(before)


def _check_function(function: object, what: str) -> None:
    if isinstance(function, type) or not callable(function):
        raise GibbonError(f"{what} is {function!r}, not a function. Give a torch module or a function of a tensor.")


def _per_channel(value: Any, default: float, what: str, channels: int, name: str) -> Tensor:
    if value is None:
        value = default
    try:
        found = torch.as_tensor(value, dtype=torch.float64, device="cpu").detach()
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise GibbonError(f"The {what} of the model “{name}” is {value!r}. Give one number per channel.") from error
    if found.numel() not in (1, channels) or max((*found.shape, 1)) != found.numel():
        raise GibbonError(
            f"The model “{name}” takes {channels} channels, but mean or std has another number. Give one value per channel: "
            f"{what} has the shape {tuple(found.shape)}."
        )
    if not bool(found.isfinite().all()):
        raise GibbonError(f"The {what} of the model “{name}” is {found.flatten().tolist()}. Give finite numbers.")
    return found.reshape(-1, 1, 1).clone()


def _whole_number(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _whole_numbers(values: Any, otherwise: str) -> tuple[int, ...]:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise GibbonError(otherwise)
    found = [_whole_number(value) for value in values]
    if any(value is None for value in found):
        raise GibbonError(otherwise)
    return tuple(value for value in found if value is not None)


def _check_sides(sides: Sequence[int], what: str) -> None:
    if min(sides) < 1:
        raise GibbonError(f"{what}, but every side has at least one pixel. Give numbers from 1.")
    if max(sides) > _LARGEST:
        raise GibbonError(f"{what}, but no side may have more than {_LARGEST:,} pixels. Give a smaller one.")
