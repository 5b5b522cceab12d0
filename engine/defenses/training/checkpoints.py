"""Checkpoints: the whole state of a training in one file, from which it continues with the same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from torch import Tensor

from engine.defenses.training.fit import Fit
from engine.defenses.training.history import Epoch
from engine.defenses.training.same import differences_of
from engine.differences import joined
from engine.errors import GibbonError
from engine.files import ordinary_file, replacing

VERSION = 2


def save(fit: Fit, path: Path, about: Mapping[str, Any]) -> None:
    """Save everything that a later run needs to continue with the same bits; ``about`` is compared on loading.

    In the middle of an epoch the order of its images and the finished batches are part of the state.
    """
    tensors = {f"network.{name}": value.contiguous() for name, value in fit.network.state_dict().items()}
    for index, state in fit.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value.contiguous() for name, value in state.items() if isinstance(value, Tensor)}
    if fit.kept is not None:
        tensors |= {f"kept.{name}": value.contiguous() for name, value in fit.kept.items()}
    tensors["generator"] = fit.generator.get_state()
    if fit.order is not None:
        tensors |= {"order": fit.order, "done": torch.tensor([[float(a), float(b)] for a, b in fit.done]).reshape(-1, 2)}
    facts = {
        "version": VERSION,
        "about": about,
        "epoch": fit.epoch,
        "history": [asdict(epoch) for epoch in fit.history],
        "schedule": asdict(fit.schedule),
    }
    with replacing(path) as staged:
        staged.write_bytes(packed(tensors, metadata={"gibbon": json.dumps(facts)}))


def load(fit: Fit, path: Path, about: Mapping[str, Any]) -> None:
    """Continue from a file that `save` wrote.

    Raises
    ------
    GibbonError
        The file is no checkpoint, is from a newer version, or belongs to another training: the sentence names the difference.
    """
    facts, tensors = _read(path)
    _refuse_another(facts, about, asdict(fit.schedule), path)
    fit.network.load_state_dict(_part(tensors, "network."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimiser.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    fit.optimiser.load_state_dict({"state": state, "param_groups": fit.optimiser.state_dict()["param_groups"]})
    fit.generator.set_state(tensors["generator"])
    fit.kept = {name: value.to(fit.device) for name, value in _part(tensors, "kept.").items()} or None
    fit.epoch, fit.history = facts["epoch"], tuple(Epoch.restored(epoch) for epoch in facts["history"])
    fit.order = tensors.get("order")
    fit.done = [(loss.to(fit.device), share.to(fit.device)) for loss, share in tensors.get("done", torch.zeros(0, 2))]


def check(fit: Fit, path: Path, about: Mapping[str, Any]) -> None:
    """Refuse what `load` would refuse, and load nothing.

    Raises
    ------
    GibbonError
        As in `load`.
    """
    _refuse_another(_read(path)[0], about, asdict(fit.schedule), path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    ordinary_file(path, "a training checkpoint")
    try:
        with safe_open(path, "pt", device="cpu") as file:
            facts = json.loads((file.metadata() or {})["gibbon"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise GibbonError(f"{path} is not a training checkpoint: delete it to start afresh. ({error})") from error
    if facts.get("version", 1) > VERSION:
        raise GibbonError(f"{path} was written by a newer version of Gibbon: update Gibbon, or delete the file to start afresh.")
    return facts, tensors


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _refuse_another(facts: Mapping[str, Any], about: Mapping[str, Any], schedule: Mapping[str, Any], path: Path) -> None:
    """Raise where the file belongs to another training, and name what differs."""
    found = differences_of({**facts["about"], "schedule": facts["schedule"]}, {**about, "schedule": schedule})
    if found:
        raise GibbonError(f"{path} belongs to another training: {joined(found)}. Use the same, or delete the file to start afresh.")
