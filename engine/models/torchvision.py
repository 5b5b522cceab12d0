"""torchvision's classification networks: their published weights, and a user's own weights for them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.classifier import Classifier, Head
from engine.download import Cancel, Progress, download
from engine.errors import GibbonError
from engine.models.filling import fill
from engine.models.networks import AUXILIARY, build, options_of, renamed, without_auxiliary
from engine.models.states import State, read_state

PREFIX = "torchvision:"


@dataclass(frozen=True)
class Published:
    """Torchvision's description of a network's default weights."""

    name: str
    weights: str
    url: str
    labels: tuple[str, ...]
    crop: int
    """Height and width of the input, in pixels."""
    resize: int
    """Shorter side, in pixels, of the photograph before the central crop, when the accuracy was measured."""
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    parameters: int
    megabytes: float
    accuracy: float | None
    """Top-1 accuracy on ImageNet's validation set, in [0, 1]."""

    @property
    def file(self) -> str:
        """The file's name in torch's cache."""
        return self.url.rpartition("/")[2]

    @property
    def hash_prefix(self) -> str:
        """The first digits of the SHA-256, which torch puts into the file's name: squeezenet1_0-b66bff10.pth."""
        found = re.search(r"-([0-9a-f]{8,})\.", self.file)
        return found[1] if found else ""

    @property
    def path(self) -> Path:
        """The file's path in torch's cache."""
        return Path(torch.hub.get_dir()) / "checkpoints" / self.file


def names() -> list[str]:
    """List the classification networks of the installed torchvision."""
    from torchvision import models

    return list(models.list_models(module=models))


def detectors() -> list[str]:
    """List the detectors of objects of the installed torchvision, which are no classifiers."""
    from torchvision import models

    return list(models.list_models(module=models.detection))


def check_name(name: str) -> None:
    """Refuse a name that no classification network of torchvision has.

    Raises
    ------
    GibbonError
        There is no such network; the nearest names are suggested.
    """
    known = names()
    if name in detectors():
        raise GibbonError(f"“{name}” is a detector of objects, which gives no logits. Use the commands detect and dpatch.")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        cure = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(known)}."
        raise GibbonError(f"torchvision has no classification model “{name}”. {cure}")


def published(name: str) -> Published:
    """Return torchvision's description of the network ``name``.

    Raises
    ------
    GibbonError
        Torchvision has no classification network of that name.
    """
    from torchvision import models

    check_name(name)
    return _described(name, models.get_model_weights(name).DEFAULT)


def recognised(name: str, sha256: str) -> Published | None:
    """Return the published weights of ``name``, the default ones or others, whose file has this hash."""
    from torchvision import models

    found = [_described(name, weights) for weights in models.get_model_weights(name) if weights.meta["categories"]]
    return next((about for about in found if about.hash_prefix and sha256.startswith(about.hash_prefix)), None)


def _described(name: str, weights: Any) -> Published:
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
    """Load a network with its published default weights, from torch's cache or, where ``fetch`` allows it, from torchvision's server."""
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
    # A caller that names the published weights means the file in the cache, whatever its hash: so does torchvision.
    card = {"transform_input": True} if name in AUXILIARY else {}
    return classifier_of(
        read_state(about.path), about, labels=labels, device=device, head=head, name=name, source=f"{PREFIX}{name}", card=card
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
    """Make a classifier from the network ``about.name`` with the weights ``state``.

    The number of classes, the size of a vision transformer's images and the heads for training follow from the tensors. The preprocessing
    does not: it comes from the card, or from torchvision where the hash shows a published file; otherwise torchvision's ``about`` is
    assumed, and the classifier's card says so.
    """
    state = renamed(state, about.name)
    exact = recognised(about.name, state.sha256)
    about = exact or about
    options = options_of(
        state, about.name, transform_input=bool(card.get("transform_input", exact is not None)), input_shape=card.get("input_shape")
    )
    module = build(about.name, options, activation=activation, card=card)
    notes = fill(module, state, f"{PREFIX}{about.name}")
    without_auxiliary(module, about.name)
    classes, size = options["num_classes"], options.get("image_size", about.crop)
    default = about.labels if classes == len(about.labels) else tuple(f"class {k}" for k in range(classes))
    facts: dict[str, Any] = {
        "architecture": f"{PREFIX}{about.name}",
        "activation": activation,
        "parameters": sum(p.numel() for p in module.parameters()),
        "file": state.path.name,
        "sha256": state.sha256,
        "notes": [*state.notes, *notes],
        **_preprocessing(about, size, options, exact is not None, card),
    }
    if classes == len(about.labels) and size == about.crop:
        facts |= _compared(state, about)
    facts["notes"] += _remarks(about, facts)
    shape = card.get("input_shape", (3, size, size))
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


def _preprocessing(about: Published, size: int, options: dict[str, Any], exact: bool, card: dict[str, Any]) -> dict[str, Any]:
    """Return facts about the preprocessing of a photograph, and their source."""
    facts: dict[str, Any] = {"preprocessing": "published" if exact else "as its card says" if "mean" in card else "assumed"}
    if size == about.crop:  # at another size the crop of a photograph is unknown
        facts |= {"resize": about.resize, "crop": about.crop}
    if "transform_input" in options:
        facts["transform_input"] = options["transform_input"]
    return facts


def _remarks(about: Published, facts: dict[str, Any]) -> list[str]:
    notes = []
    if facts["preprocessing"] == "assumed":
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (about.mean, about.std))
        notes.append(f"the file does not say how its pixels were prepared: mean {mean} and std {std} are assumed, as torchvision has them")
    if facts["preprocessing"] != "published" and "transform_input" in facts:
        notes.append(
            "transform_input is on, as the published weights need it"
            if facts["transform_input"]
            else "transform_input is off, as torchvision builds the network without published weights; a card beside the file with "
            '"transform_input": true turns it on'
        )
    if about.interpolation != "bilinear":
        notes.append(f"published with {about.interpolation} resizing; photographs are resized bilinearly here")
    return notes


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
