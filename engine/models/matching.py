"""Matching of the names in a file to those of a network, whatever prefixes wrappers add and whatever else the file holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_BOOKKEEPING = ("total_ops", "total_params", "num_batches_tracked", "n_averaged")
"""Counters that profilers (thop) and weight averaging (SWA) leave inside a network's modules."""
_DEPTH = 16
"""Prefixes with more parts than this are not searched."""


@dataclass(frozen=True, eq=False)
class Match:
    """The assignment of a file's tensors to the names of a network."""

    tensors: dict[str, Tensor]
    """Tensors by the network's names; their shapes may still differ."""
    removed: tuple[str, ...]
    """Parts that were removed from the file's names ("module.", "model."), each with its dot."""
    again: dict[str, bool]
    """Further prefixes under which the file holds the same names, and whether the values are equal, too."""
    left: tuple[str, ...]
    """Names in the file, outside of ``again``, that the network lacks."""
    alien: tuple[str, ...]
    """Names in ``left`` beside the network's own weights, which show that the file is of another architecture."""


def match(tensors: Mapping[str, Tensor], module: nn.Module) -> Match:
    """Find each weight of ``module`` among ``tensors``, by name.

    A name in the file fits if it equals the network's once its first parts are removed (``backbone.fc.weight``), or the parts that occur in
    no name of the network (``features.module.0.weight``). The removed parts define groups. The group that fits most is chosen; a group with
    only weights that the first lacks is added to it (DataParallel around the features alone); a group with the same weights again is
    another network in the same file (an averaged one, a teacher), and is left out.
    """
    expected = module.state_dict()
    groups = _groups(tensors, expected)
    chosen: dict[str, str] = {}
    removed: list[str] = []
    again: dict[str, bool] = {}
    for parts, names in sorted(groups.items(), key=lambda item: _rank(item[0], item[1], tensors, expected)):
        if chosen and not chosen.keys().isdisjoint(names):
            if 2 * len(names) >= len(chosen):  # fewer names are equal by chance: conv1 of a block, beside conv1 of the network
                again[_dotted(parts)] = _same(names, chosen, tensors)
        elif not chosen or all(tensors[name].dim() == expected[key].dim() for key, name in names.items()):
            chosen |= names
            removed.append(_dotted(parts))
    spoken = {*chosen.values(), *(name for parts, names in groups.items() if _dotted(parts) in again for name in names.values())}
    left = tuple(name for name in tensors if name not in spoken)
    roots = {name.partition(".")[0] for name in expected} | {name for name, _ in module.named_children()}
    prefix = removed[0] if removed and all(name == removed[0] + key for key, name in chosen.items()) else ""
    gone = {part for text in removed for part in text.split(".")}
    alien = tuple(name for name in left if name.startswith(prefix) and _is_alien(name, tensors[name], gone, roots))
    found = {key: tensors[chosen[key]] for key in expected if key in chosen}
    return Match(found, tuple(text for text in removed if text), again, left, alien)


def _groups(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[tuple[str, ...], dict[str, str]]:
    """Group the file's names that fit by the parts removed from them: ``{parts: {network's name: file's name}}``."""
    known = {part for name in expected for part in name.split(".")}
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for name in tensors:
        parts = name.split(".")
        for start in range(min(len(parts), _DEPTH)):
            # A number in the middle counts blocks: without it, one block would pass for another.
            rest = [part for part in parts[start:] if part in known or part.isdigit()]
            key = ".".join(rest)
            if key in expected:
                gone = (*parts[:start], *(part for part in parts[start:] if part not in known and not part.isdigit()))
                groups.setdefault(gone, {}).setdefault(key, name)
                break
    return groups


def _rank(
    parts: tuple[str, ...], names: Mapping[str, str], tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[int, int, int]:
    """Rank the groups: most weights of the right shape, then most weights, then the shortest prefix; ties keep the file's order."""
    fitting = sum(tensors[name].shape == expected[key].shape for key, name in names.items())
    return -fitting, -len(names), len(parts)


def _is_alien(name: str, tensor: Tensor, gone: Collection[str], roots: Collection[str]) -> bool:
    """Return whether a remaining tensor is inside a module of the network, or beside one with a similar name (``layer5``)."""
    parts = [part for part in name.split(".") if part not in gone]
    if not parts or not tensor.is_floating_point() or parts[-1] in _BOOKKEEPING:
        return False
    return parts[0] in roots or (
        len(parts) > 1 and parts[0][-1:].isdigit() and _stem(parts[0]) in {_stem(r) for r in roots if r[-1:].isdigit()}
    )


def _stem(name: str) -> str:
    return re.sub(r"\d+$", "", name)


def _same(names: Mapping[str, str], chosen: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bool:
    """Return whether the values of two groups are equal, wherever both have one."""
    pairs = [(tensors[names[key]], tensors[chosen[key]]) for key in names if key in chosen]
    return all(a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)


def _dotted(parts: tuple[str, ...]) -> str:
    return "".join(f"{part}." for part in parts)
