"""Filling a network with the weights of a file, or saying where the two differ."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES
from engine.models.states import State, some

_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
_ACTIVATIONS = ("relu", "bounded", "bounded-leaky")


def fill(module: nn.Module, state: State, architecture: str) -> list[str]:
    """Load ``state`` into ``module``; the notes say what had to be done.

    Raises
    ------
    GibbonError
        Names or shapes differ: the sentence names a few of them.
    """
    expected = module.state_dict()
    tensors, notes = without_prefixes(state.tensors, expected)
    shapes = [
        f"{name} is {tuple(value.shape)} instead of {tuple(expected[name].shape)}"
        for name, value in tensors.items()
        if name in expected and value.shape != expected[name].shape
    ]
    if shapes:
        raise GibbonError(_misfit(state, tensors, architecture, [f"shapes differ: {some(shapes)}"]))
    ordered = OrderedDict(tensors)
    # Versions of the layout are lost in most files; without one MNASNet takes the weights for an older layout.
    ordered._metadata = {"": {"version": 2}}  # type: ignore[attr-defined]
    try:
        lacking = module.load_state_dict(ordered, strict=False)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise GibbonError(f"“{state.name}” does not fit “{architecture}”: {str(error).strip().splitlines()[-1].strip()}") from None
    faults = [f"it lacks {some(lacking.missing_keys)}"] if lacking.missing_keys else []
    faults += [f"it holds {some(lacking.unexpected_keys)}, which the architecture has not"] if lacking.unexpected_keys else []
    if faults:
        raise GibbonError(_misfit(state, tensors, architecture, faults))
    kinds = sorted({str(v.dtype).removeprefix("torch.") for k, v in tensors.items() if k in expected and v.dtype != expected[k].dtype})
    return [*notes, *([f"converted from {', '.join(kinds)}"] if kinds else [])]


def without_prefixes(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors without what wrappers put before every name ("module." by DataParallel), where ``expected`` has it not."""
    notes: list[str] = []
    while True:
        common = [p for p in _PREFIXES if all(k.startswith(p) for k in tensors) and not any(k.startswith(p) for k in expected)]
        if not common:
            return tensors, notes
        tensors = {name.removeprefix(common[0]): value for name, value in tensors.items()}
        notes.append(f"“{common[0]}” removed from the names")


def fitting(tensors: dict[str, Tensor]) -> tuple[str, str] | None:
    """Which of this project's own networks, with which activation, has exactly these tensors."""
    for name, architecture in ARCHITECTURES.items():
        for activation in _ACTIVATIONS:
            expected = architecture.build(activation).state_dict()
            bare, _ = without_prefixes(tensors, expected)
            if {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in expected.items()}:
                return name, activation
    return None


def _misfit(state: State, tensors: dict[str, Tensor], architecture: str, faults: list[str]) -> str:
    found = fitting(tensors)
    cure = (
        f"It fits “{found[0]}” with activation “{found[1]}”: choose that." if found else "Choose the architecture that it was trained in."
    )
    return f"“{state.name}” holds the weights of another architecture than “{architecture}”: {'; '.join(faults)}. {cure}"
