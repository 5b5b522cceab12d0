"""The torchvision network for a state dict: the builder's options follow from names and shapes in the file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.defenses.rectifiers import maker, swap_rectifiers
from engine.errors import GibbonError
from engine.models.matching import match
from engine.models.states import State

AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}
"""Auxiliary heads for training only, removed after loading."""
_SENTINEL = 10_007
"""A number of classes that equals no other size in a network."""


_DRAWS = (torch.Tensor.normal_, torch.Tensor.uniform_)


class _Unallocated(TorchFunctionMode):
    """While active, ``torch.empty`` returns tensors without memory (on the meta device), so that parameters cost nothing.

    ``torch.device("meta")`` would send every tensor there, also those by which RegNet computes its widths.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        if func in _DRAWS and args[0].is_meta:  # without values nothing need be drawn, which saves half the time
            return args[0]
        given = dict(kwargs or {})
        if func is torch.empty:
            given["device"] = "meta"
        return func(*args, **given)


def empty(name: str, **options: Any) -> nn.Module:
    """Build torchvision's network ``name`` with parameters that have a shape but no memory."""
    from torchvision import models

    with _Unallocated():
        module: nn.Module = models.get_model(name, weights=None, **options)
    return module.to("meta")


def build(name: str, options: Mapping[str, Any], *, activation: str = "relu", card: Mapping[str, Any] | None = None) -> nn.Module:
    """Build torchvision's network ``name`` with meaningless weights and the rectifier ``activation``."""
    from torchvision import models

    with torch.random.fork_rng(devices=[]):  # initial weights are drawn and discarded, so the caller's random state must stay
        module: nn.Module = models.get_model(name, weights=None, **options)
    swap(module, activation, card or {})
    return module


def swap(module: nn.Module, activation: str, card: Mapping[str, Any]) -> None:
    """Replace the rectifiers by ``activation`` in place; "relu" leaves the network's own."""
    if activation != "relu":
        swap_rectifiers(module, maker(activation, slope=card.get("slope", 0.01), sign=card.get("sign", -1)))


def without_auxiliary(module: nn.Module, name: str) -> None:
    """Remove the heads that serve training only, in place."""
    for branch in AUXILIARY.get(name, ()):
        setattr(module, branch, None)
    if name in AUXILIARY:
        module.aux_logits = False  # type: ignore[assignment]


def options_of(state: State, name: str, *, transform_input: bool = False, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Return the options of torchvision's builder with which ``state`` fits the network ``name``.

    Parameters
    ----------
    state
        The weights, after `renamed`.
    name
        One of torchvision's classification networks.
    transform_input
        For GoogLeNet and Inception: whether the network undoes the normalisation itself, as the published weights need.
    input_shape
        ``(C, H, W)`` from a card, for MaxViT, whose weights do not determine its input size.

    Raises
    ------
    GibbonError
        A vision transformer's position embedding fits no square image.
    """
    options: dict[str, Any] = {}
    if name in AUXILIARY:
        auxiliary = any(part in key.split(".") for key in state.tensors for part in AUXILIARY[name])
        options = {"aux_logits": auxiliary, "transform_input": transform_input, "init_weights": False}
    elif name.startswith("vit_"):
        options = _transformer(state, name)
    elif name.startswith("maxvit") and input_shape is not None:
        options = {"input_size": tuple(input_shape[1:])}
    return {**options, "num_classes": _classes(state, name, options)}


def renamed(state: State, name: str) -> State:
    """Rename ``state`` to the current names: DenseNet's published files predate the rule that module names hold no dots."""
    if not name.startswith("densenet"):
        return state
    pattern = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
    return replace(state, tensors={pattern.sub(r"\1\2", key): value for key, value in state.tensors.items()})


def _transformer(state: State, name: str) -> dict[str, Any]:
    """Return options of a vision transformer: image_size = sqrt(positions - 1) * patch_size, and the width of a layer before the head."""
    options: dict[str, Any] = {}
    if any("pre_logits" in key.split(".") for key in state.tensors):
        options["representation_size"] = _rows(
            match(state.tensors, empty(name, representation_size=1)).tensors, ["heads.pre_logits.weight"]
        )
    module = empty(name, **options)
    positions = match(state.tensors, module).tensors.get("encoder.pos_embedding")
    if positions is None or positions.dim() != 3 or positions.shape[1] < 2:
        return options  # the error of filling names the difference
    patches = int(positions.shape[1]) - 1
    side = math.isqrt(patches)
    if side * side != patches:
        raise GibbonError(
            f"“{state.name}” is for images that are not square: its position embedding has {patches} patches. "
            f"torchvision's {name} takes square images; load it by a function of your own, as FILE.py:FACTORY."
        )
    return {**options, "image_size": side * int(module.patch_size)}  # type: ignore[arg-type]


def _classes(state: State, name: str, options: Mapping[str, Any]) -> int:
    """Count the head's rows in the file: those of the tensors with ``_SENTINEL`` rows in a network built for as many classes."""
    module = empty(name, num_classes=_SENTINEL, **options)
    heads = [key for key, value in module.state_dict().items() if value.shape[:1] == (_SENTINEL,)]
    return _rows(match(state.tensors, module).tensors, heads)


def _rows(tensors: Mapping[str, Tensor], names: list[str]) -> int:
    rows = {int(tensors[name].shape[0]) for name in names if name in tensors and tensors[name].dim()}
    # No head, or contradictory ones: the error of filling names the difference.
    return rows.pop() if len(rows) == 1 else 1000
