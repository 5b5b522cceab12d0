"""Loading of a state dict into a network, or a report of their differences."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES
from engine.models.matching import Match, match
from engine.models.nests import some
from engine.models.states import State

_ACTIVATIONS = ("relu", "bounded", "bounded-leaky")


def fill(module: nn.Module, state: State, architecture: str) -> list[str]:
    """Load ``state`` into ``module``, and return notes on every adaptation.

    Raises
    ------
    GibbonError
        Names, shapes or types differ (the sentence names a few), or a weight is NaN or infinite.
    """
    notes = place(module, state, architecture)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise GibbonError(f"“{name}” in “{state.name}” holds NaN or infinite weights: the file is damaged. Load another one.")
    return notes


def place(module: nn.Module, state: State, architecture: str) -> list[str]:
    """Load ``state`` without a look at its values: also for tensors on torch's meta device, which have none.

    Raises
    ------
    GibbonError
        Names, shapes or types differ.
    """
    expected, found = module.state_dict(), match(state.tensors, module)
    shapes = [
        f"{name} is {tuple(value.shape)} instead of {tuple(expected[name].shape)}"
        for name, value in found.tensors.items()
        if value.shape != expected[name].shape
    ]
    if shapes:
        raise GibbonError(_misfit(state, architecture, [f"shapes differ: {some(shapes)}"]))
    _refuse_other_types(state, found, expected, architecture)
    ordered = OrderedDict(found.tensors)
    # Most files lack the layout versions; without one MNASNet takes the weights for an older layout.
    ordered._metadata = {"": {"version": 2}}  # type: ignore[attr-defined]
    try:
        lacking = module.load_state_dict(ordered, strict=False).missing_keys
    except (RuntimeError, ValueError, AssertionError) as error:
        raise GibbonError(f"“{state.name}” does not fit “{architecture}”: {str(error).strip().splitlines()[-1].strip()}") from None
    if lacking and not found.alien and 2 * len(found.tensors) >= len(expected):
        raise GibbonError(_lacks(state, architecture, found, lacking))
    if lacking or found.alien:
        more = found.alien or found.left
        faults = [f"it lacks {some(lacking)}"] if lacking else []
        raise GibbonError(
            _misfit(state, architecture, [*faults, *([f"it holds {some(list(more))}, which the architecture has not"] if more else [])])
        )
    return _notes(found, expected)


def fitting(tensors: Mapping[str, Tensor]) -> tuple[str, str] | None:
    """Find this project's own network, and its activation, to which these tensors belong."""
    for name, architecture in ARCHITECTURES.items():
        for activation in _ACTIVATIONS:
            module = architecture.build(activation)
            found, expected = match(tensors, module), module.state_dict()
            if not found.alien and {k: v.shape for k, v in found.tensors.items()} == {k: v.shape for k, v in expected.items()}:
                return name, activation
    return None


def _notes(found: Match, expected: Mapping[str, Tensor]) -> list[str]:
    notes = [f"“{part}” removed from the names" for part in found.removed]
    for prefix, equal in found.again.items():
        place = f"under “{prefix}”" if prefix else "without a prefix"
        notes.append(f"left out the same weights again, {place}" if equal else f"left out other weights of the same names, {place}")
    if found.left:
        notes.append(f"left out what the network does not need: {some(list(found.left))}")
    kinds = sorted({str(v.dtype).removeprefix("torch.") for k, v in found.tensors.items() if v.dtype != expected[k].dtype})
    return [*notes, *([f"converted from {', '.join(kinds)}"] if kinds else [])]


def _refuse_other_types(state: State, found: Match, expected: Mapping[str, Tensor], architecture: str) -> None:
    for name, value in found.tensors.items():
        if expected[name].is_floating_point() and not value.is_floating_point():
            kind = str(value.dtype).removeprefix("torch.")
            raise GibbonError(
                f"“{name}” in “{state.name}” is of type {kind}, but “{architecture}” needs floating weights: the file is quantised or "
                "of another use. Load the floating weights that it was made from."
            )


def _lacks(state: State, architecture: str, found: Match, lacking: list[str]) -> str:
    under = f" under “{found.removed[0]}”" if found.removed else ""
    return (
        f"“{state.name}” lacks {some(lacking)}, which “{architecture}” needs; the rest fits{under}. "
        "Save the whole network, its last layer included, or choose the architecture that it was trained in."
    )


def _misfit(state: State, architecture: str, faults: list[str]) -> str:
    found = fitting(state.tensors)
    cure = (
        f"It fits “{found[0]}” with activation “{found[1]}”: choose that." if found else "Choose the architecture that it was trained in."
    )
    return f"“{state.name}” holds the weights of another architecture than “{architecture}”: {'; '.join(faults)}. {cure}"
