"""torchvision's classification networks: their published weights, and a user's own weights for them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.classifier import Classifier, Head
from engine.defenses.rectifiers import maker, swap_rectifiers
from engine.errors import GibbonError
from engine.models.download import Cancel, Progress, download
from engine.models.filling import fill, without_prefixes
from engine.models.states import State, read_state

PREFIX = "torchvision:"
_AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}
"""Heads for training only: taken off after loading."""


@dataclass(frozen=True)
class Published:
    """What torchvision says of a network's default weights."""

    name: str
    weights: str
    url: str
    labels: tuple[str, ...]
    crop: int
    """Height and width of the input."""
    resize: int
    """Shorter side of the photograph before the centre was cropped, when the accuracy was measured."""
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    parameters: int
    megabytes: float
    accuracy: float | None
    """Top-1 on ImageNet's validation set, in [0, 1]."""

    @property
    def file(self) -> str:
        """The file's name in torch's cache."""
        return self.url.rpartition("/")[2]

    @property
    def hash_prefix(self) -> str:
        """The first digits of its SHA-256, which torch puts into the name: squeezenet1_0-b66bff10.pth."""
        found = re.search(r"-([0-9a-f]{8,})\.", self.file)
        return found[1] if found else ""

    @property
    def path(self) -> Path:
        """Where torch's cache keeps it."""
        return Path(torch.hub.get_dir()) / "checkpoints" / self.file


def names() -> list[str]:
    """The classification networks of the torchvision that is installed."""
    from torchvision import models

    return list(models.list_models(module=models))


def published(name: str) -> Published:
    """What torchvision says of ``name``.

    Raises
    ------
    GibbonError
        It has no classification network of that name.
    """
    from torchvision import models

    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        raise GibbonError(f"torchvision has no classification model “{name}”. It has: {', '.join(near) or ', '.join(known)}.")
    weights = models.get_model_weights(name).DEFAULT
    meta, transforms = weights.meta, weights.transforms()
    accuracy = meta.get("_metrics", {}).get("ImageNet-1K", {}).get("acc@1")
    return Published(
        name=name,
        weights=weights.name,
        url=weights.url,
        labels=tuple(meta["categories"]),
        crop=transforms.crop_size[0],
        resize=transforms.resize_size[0],
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        parameters=meta["num_params"],
        megabytes=meta["_file_size"],
        accuracy=None if accuracy is None else accuracy / 100,
    )


def load_published(
    name: str,
    *,
    activation: str = "relu",
    labels: tuple[str, ...] | None = None,
    device: torch.device | str | None = None,
    head: Head = "logits",
    fetch: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Classifier:
    """A network with its published default weights, from torch's cache or, where ``fetch`` allows it, from torchvision's server."""
    about = published(name)
    if not about.path.is_file():
        if not fetch:
            raise GibbonError(
                f"The weights of “{name}” ({about.megabytes:.0f} MB) are not on this machine, and downloading was not asked for. "
                f"Load it with download=True (--download on the command line), or fetch {about.url} elsewhere and put it at {about.path}."
            )
        download(about.url, about.path, sha256_prefix=about.hash_prefix, progress=progress, cancel=cancel)
    if activation != "relu":
        raise GibbonError(f"The published weights of “{name}” are for its own rectifiers. Load them, then swap the activation or train it.")
    return classifier_of(
        read_state(about.path), about, labels=labels, device=device, head=head, name=name, source=f"{PREFIX}{name}", card={}
    )


def classifier_of(
    state: State,
    about: Published,
    *,
    activation: str = "relu",
    labels: tuple[str, ...] | None,
    device: torch.device | str | None,
    head: Head,
    name: str,
    source: str,
    card: dict[str, Any],
) -> Classifier:
    """The classifier that ``state`` makes of the network ``about.name``; its head has as many classes as the file's."""
    if about.name.startswith("densenet"):
        state = _renamed(state)
    module, notes = _network(state, about, activation, card)
    classes = _classes_of(state, about.name)
    default = about.labels if classes == len(about.labels) else tuple(f"class {k}" for k in range(classes))
    facts: dict[str, Any] = {
        "architecture": f"{PREFIX}{about.name}",
        "activation": activation,
        "parameters": sum(p.numel() for p in module.parameters()),
        "file": state.path.name,
        "sha256": state.sha256,
        "notes": [*state.notes, *notes],
        "resize": about.resize,
        "crop": about.crop,
    }
    if classes == len(about.labels):
        facts |= _compared(state, about)
    if about.interpolation != "bilinear":
        facts["notes"].append(f"published with {about.interpolation} resizing; photographs are resized bilinearly here")
    shape = card.get("input_shape", (3, about.crop, about.crop))
    return Classifier(
        module,
        labels or card.get("labels") or default,
        (shape[0], shape[1], shape[2]),
        card.get("mean", about.mean),
        card.get("std", about.std),
        name=name,
        device=device,
        head=head,
        source=source,
        card={**card, **facts},
    )


def _compared(state: State, about: Published) -> dict[str, Any]:
    matches = state.sha256.startswith(about.hash_prefix)
    return {
        "weights": about.weights,
        "published_hash": about.hash_prefix,
        "published_accuracy": about.accuracy,
        "hash_matches": matches,
        "hash_note": (
            f"The file's hash begins with {about.hash_prefix}, as published."
            if matches
            else f"The file's hash ({state.sha256[:8]}) differs from the published one ({about.hash_prefix})."
        ),
    }


def _network(state: State, about: Published, activation: str, card: dict[str, Any]) -> tuple[nn.Module, list[str]]:
    from torchvision import models

    options = _options(state, about.name)
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn and thrown away: the caller's draws stay the same
        module: nn.Module = models.get_model(about.name, weights=None, num_classes=_classes_of(state, about.name), **options)
    if activation != "relu":
        swap_rectifiers(module, maker(activation, slope=card.get("slope", 0.01), sign=card.get("sign", -1)))
    notes = fill(module, state, f"{PREFIX}{about.name}")
    for branch in _AUXILIARY.get(about.name, ()):
        setattr(module, branch, None)
    if "aux_logits" in options:
        module.aux_logits = False  # type: ignore[assignment]
    return module, notes


def _options(state: State, name: str) -> dict[str, Any]:
    if name not in _AUXILIARY:
        return {}
    has = any(part in key.split(".") for key in state.tensors for part in _AUXILIARY[name])
    # Published weights of these two were made for another normalisation, which the network then undoes itself.
    return {"aux_logits": has, "transform_input": True, "init_weights": False}


def _classes_of(state: State, name: str) -> int:
    """Rows of the head in the file: the tensors whose shape depends on the number of classes, found by building it twice, empty."""
    from torchvision import models

    options = _options(state, name)
    with torch.device("meta"):
        first, second = (models.get_model(name, weights=None, num_classes=n, **options).state_dict() for n in (10, 11))
    tensors, _ = without_prefixes(state.tensors, first)
    heads = [key for key in first if first[key].shape != second[key].shape]
    rows = {int(tensors[key].shape[0]) for key in heads if key in tensors and tensors[key].dim()}
    # No head, or several that contradict each other: filling will name what differs.
    return rows.pop() if len(rows) == 1 else 1000


def _renamed(state: State) -> State:
    # DenseNet's published files are older than the rule that module names hold no dots: norm.1 is norm1 today.
    pattern = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
    return replace(state, tensors={pattern.sub(r"\1\2", name): value for name, value in state.tensors.items()})
