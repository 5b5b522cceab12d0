"""Search for the state dict in a checkpoint, which may hold it beside the epoch, the optimiser and an averaged copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from engine.errors import GibbonError

_NESTS = (
    *("state_dict", "model_state_dict", "model_state", "net_state_dict", "network_state_dict", "net_state"),
    *("model", "network", "net", "module", "classifier_state_dict", "params", "weights"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema_model", "ema", "params_ema"),
)
"""Names under which training scripts keep the weights; the first that is present is used."""
_DEPTH = 32
"""Dicts nested deeper than this are not searched."""
_NAMES = 1_000_000
"""Largest number of tensors that is accepted: no network has more."""
_SAVE = "Save its weights alone: torch.save(model.state_dict(), FILE)."


def unwrapped(held: Any, file: str) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors of the state dict in ``held`` by name, and notes on how it was found.

    Dicts inside the state dict are joined to one, their names with dots between. A dict that contains itself counts once.

    Raises
    ------
    GibbonError
        The file holds no tensors, or more than a million.
    """
    notes: list[str] = []
    seen: set[int] = set()
    while isinstance(held, Mapping):
        seen.add(id(held))
        nests = [name for name in _NESTS if isinstance(held.get(name), Mapping) and _holds_tensors(held[name], seen)]
        if not nests:
            break
        notes.append(f"weights taken from “{nests[0]}”")
        if nests[1:]:
            notes.append(f"{_quoted(nests[1:])} {'holds' if len(nests) == 2 else 'hold'} weights, too")
        held = held[nests[0]]
    if not isinstance(held, Mapping):
        raise GibbonError(f"“{file}” holds a {type(held).__name__}, not a state dict. {_SAVE}")
    tensors: dict[str, Tensor] = {}
    for name, tensor in _walk(held, seen - {id(held)}):
        tensors[name] = tensor
        if len(tensors) > _NAMES:
            raise GibbonError(f"“{file}” holds more than {_NAMES:,} tensors, which no network has. {_SAVE}")
    if not tensors:
        raise GibbonError(f"“{file}” holds no tensors (its keys: {some([_text(key) for key in held]) or 'none'}). {_SAVE}")
    roots = {name.partition(".")[0] for name in tensors}
    strays = [_text(key) for key, value in held.items() if not isinstance(value, Tensor) and _text(key).partition(".")[0] not in roots]
    return tensors, [*notes, *([f"left out what is no tensor: {some(strays)}"] if strays else [])]


def some(names: list[str], count: int = 3) -> str:
    """List the first few of many names in words."""
    rest = len(names) - count
    return ", ".join(names[:count]) + (f" and {rest} more" if rest > 0 else "")


def _walk(held: Mapping[Any, Any], seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor in ``held`` and the dicts inside it, each dict once, with its dotted name, in the order of the file."""
    seen = {*seen, id(held)}
    waiting = [iter([(_text(key), value) for key, value in held.items()])]
    while waiting:
        name, value = next(waiting[-1], (None, None))
        if name is None:
            waiting.pop()
        elif isinstance(value, Tensor):
            yield name, value
        elif isinstance(value, Mapping) and id(value) not in seen and len(waiting) < _DEPTH:
            seen.add(id(value))
            waiting.append(iter([(f"{name}.{_text(key)}", inner) for key, inner in value.items()]))


def _holds_tensors(held: Mapping[Any, Any], seen: set[int]) -> bool:
    return id(held) not in seen and any(True for _ in _walk(held, seen))


def _text(key: object) -> str:
    # The text of a nested tuple may be endless.
    return str(key)[:1000] if isinstance(key, str | int | float | bytes) else type(key).__name__


def _quoted(names: list[str]) -> str:
    return " and ".join(f"“{name}”" for name in names)
