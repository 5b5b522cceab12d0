"""The architecture of a weights file that does not name it: found from the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import GibbonError
from engine.models import torchvision
from engine.models.filling import fitting
from engine.models.matching import match
from engine.models.networks import empty, options_of, renamed
from engine.models.states import State, read_state

_COUNTED = "num_batches_tracked"
"""The end of the names of buffers that older files lack, and that no prediction needs."""
_LEAST, _MOST = 0.4, 1.3
"""The size of a file's tensors relative to the published network's, between which the network is tried. The number of classes may differ,
and the head of a small network holds up to half of its weights."""


def guess_architecture(path: Path, names: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Return the architecture and the activation to which the weights in a file belong, by the names and shapes of the tensors.

    Parameters
    ----------
    path
        A file of weights.
    names
        Architectures that are tried first, such as those that the file's name suggests.

    Returns
    -------
    tuple of str, or None
        The architecture as `load` takes it, and its activation; for torchvision's networks that is "relu", since their tensors do not tell.
        None if no network fits.

    Raises
    ------
    GibbonError
        The file holds no weights, or is damaged.
    """
    state = read_state(path)
    own = fitting(state.tensors)
    if own is not None:
        return own
    shapes = replace(state, tensors={name: tensor.to("meta") for name, tensor in state.tensors.items()})
    found = next((name for name in _candidates(shapes, names) if _fits(shapes, name)), None)
    return None if found is None else (f"{torchvision.PREFIX}{found}", "relu")


def _candidates(state: State, first: tuple[str, ...]) -> Iterator[str]:
    """Yield torchvision's networks of about the right size, those of ``first`` and then the nearest in size in front."""
    held = sum(tensor.numel() for tensor in state.tensors.values())
    sizes = {name: torchvision.published(name).parameters for name in torchvision.names()}
    suggested = [name for name in sizes if f"{torchvision.PREFIX}{name}" in first]
    near = sorted((name for name in sizes if _LEAST <= held / sizes[name] <= _MOST), key=lambda name: abs(held - sizes[name]))
    yield from dict.fromkeys((*suggested, *near))


def _fits(state: State, name: str) -> bool:
    mine = renamed(state, name)
    try:
        module = empty(name, **options_of(mine, name))
    except GibbonError:
        return False
    found, expected = match(mine.tensors, module), module.state_dict()
    lacking = [key for key in expected if key not in found.tensors and not key.endswith(_COUNTED)]
    return not lacking and not found.alien and all(value.shape == expected[key].shape for key, value in found.tensors.items())
