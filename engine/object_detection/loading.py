"""The function ``load``, which makes a detector from any source: a shipped toy, torchvision, a checkpoint, or a user's own code."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine import resources
from engine.class_names import class_names
from engine.download import Cancel, Progress, download
from engine.errors import GibbonError
from engine.models import factory, torchvision
from engine.models.checkpoint import SUFFIXES, read_card
from engine.models.filling import fill
from engine.models.states import State, file_hash, read_state
from engine.object_detection.detector import NEEDED, Detector
from engine.object_detection.toy.card import NAME
from engine.object_detection.toy.network import SIDE, GridNetwork
from engine.text.nearest import did_you_mean

PUBLISHED = torchvision.PREFIX
UNTRAINED = "untrained:"
TOY = NAME
"""Name of the shipped toy detector."""
_GRID = "grid"
"""Architecture of the toy detector, for checkpoints."""
_RETURNS = "It returns an engine.object_detection.Detector, or (module, labels[, input_shape])."


def load(
    source: str | Path,
    *,
    device: torch.device | str | None = None,
    architecture: str | None = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    allow_code: bool = False,
    fetch: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Detector:
    """Load a detector of objects from any source.

    Parameters
    ----------
    source
        "toy-signs", the shipped toy; "torchvision:NAME", one of torchvision's detectors with its published weights; "untrained:NAME", the
        same network with random weights, which needs no download; the path of a checkpoint (.safetensors, .pt, .pth); or
        "FILE.py:FACTORY", the user's own code.
    device
        None: the accelerator where there is one, else the CPU.
    architecture
        Architecture of a checkpoint: "grid" (that of the toy) or "torchvision:NAME". None: taken from the card beside it.
    labels
        Names of the classes; None: those of the source. They decide the number of classes of a checkpoint without a card.
    allow_code
        Whether to run the user's own code. Ask the user first.
    fetch
        Whether to download published weights that are not in torch's cache. Ask the user first.
    progress, cancel
        Callbacks of the download, see `engine.download`.

    Raises
    ------
    GibbonError
        The source cannot be loaded; the sentence says why and what to do.
    """
    text = str(source)
    names = None if labels is None else class_names(labels)
    if text.startswith((PUBLISHED, UNTRAINED)):
        kind, _, name = text.partition(":")
        state = _published(name, fetch, progress, cancel) if f"{kind}:" == PUBLISHED else None
        return _torchvision(name, state, names, {"untrained": state is None}, device, name=name, source=text)
    if factory.is_code(text):
        return _own(text, names, device, allow_code)
    if text == TOY:
        path = resources.folder("models", f"{TOY}.safetensors")
        return _checkpoint(path, None, names, device, source=TOY)
    path = Path(text).expanduser()
    if path.suffix.lower() not in SUFFIXES and not path.exists():
        others = f"Give {TOY}, torchvision:NAME, untrained:NAME, a checkpoint (.safetensors, .pt, .pth) or FILE.py:FACTORY."
        raise GibbonError(f"There is no detector “{text}”. {did_you_mean(text, [TOY], others)}")
    return _checkpoint(path, architecture, names, device, source=str(path.resolve()))


def runs_code(source: str | Path) -> bool:
    """Return whether loading ``source`` runs a user's own code, so that the user must be asked first."""
    return factory.is_code(str(source))


def _own(source: str, labels: tuple[str, ...] | None, device: torch.device | str | None, allow_code: bool) -> Detector:
    given, file, name = factory.made_by(source, allow_code=allow_code)
    facts = {"file": file.name, "sha256": file_hash(file)}
    told = {"device": device, "source": f"{file.resolve()}:{name}"}
    if isinstance(given, Detector):
        if labels not in (None, given.labels):
            raise GibbonError(f"“{name}” in {file.name} gives a Detector with labels of its own. Leave them out.")
        return Detector(given.module, given.labels, given.input_shape, name=given.name, card={**given.card, **facts}, **told)  # type: ignore[arg-type]
    if not isinstance(given, tuple) or len(given) not in (2, 3) or not isinstance(given[0], nn.Module):
        raise GibbonError(f"“{name}” in {file.name} gave {factory.described(given)}, which is no detector. {_RETURNS} {NEEDED}")
    module, own, shape = (*given, None)[:3]
    with factory.explained(file, name):
        return Detector(module, labels or own, shape, name=f"{file.stem}:{name}", card=facts, **told)  # type: ignore[arg-type]


def _checkpoint(
    path: Path, architecture: str | None, labels: tuple[str, ...] | None, device: torch.device | str | None, source: str
) -> Detector:
    state = read_state(path)
    card = read_card(path.with_suffix(".json"))
    if architecture is not None and card.get("detector") != architecture:
        card = {}  # the card belongs to another network, or to another file with this name
    chosen = architecture or card.get("detector")
    labels = labels or (class_names(card["labels"]) if "labels" in card else None)
    if chosen == _GRID:
        if labels is None:
            raise GibbonError(f"“{path.name}” has no card that names its classes. Give the labels.")
        module = GridNetwork(len(labels))
        facts = {**card, "sha256": state.sha256, "notes": [*state.notes, *fill(module, state, _GRID)]}
        return Detector(module, labels, (3, SIDE, SIDE), name=str(card.get("name", path.stem)), device=device, source=source, card=facts)
    if isinstance(chosen, str) and chosen.startswith(PUBLISHED):
        name = chosen.removeprefix(PUBLISHED)
        return _torchvision(name, state, labels, card, device, name=str(card.get("name", path.stem)), source=source)
    unsaid = f"“{path.name}” does not say which architecture its weights are for"
    named = f"“{chosen}” is no architecture of a detector" if chosen else unsaid
    raise GibbonError(f"{named}. Choose {_GRID} or torchvision:NAME, or load your own code as FILE.py:FACTORY.")


def _torchvision(
    network: str,
    state: State | None,
    labels: tuple[str, ...] | None,
    card: Mapping[str, Any],
    device: torch.device | str | None,
    *,
    name: str,
    source: str,
) -> Detector:
    """Build torchvision's detector ``network`` with the weights ``state``; None: random ones, the same each time."""
    from torchvision import models

    check_name(network)
    own = class_names(models.get_model_weights(network).DEFAULT.meta["categories"])
    labels = labels or own
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module: nn.Module = models.get_model(network, weights=None, weights_backbone=None, num_classes=len(labels))
    notes = ["its weights are random: it detects nothing in particular"] if state is None else fill(module, state, f"{PUBLISHED}{network}")
    facts = {**card, "detector": f"{PUBLISHED}{network}", "notes": [*([] if state is None else state.notes), *notes]}
    if state is not None:
        facts["sha256"] = state.sha256
    return Detector(module, labels, name=name, device=device, source=source, card=facts)


def check_name(network: str) -> None:
    """Refuse a name that no detector of torchvision has.

    Raises
    ------
    GibbonError
        There is no such detector; the nearest names are suggested.
    """
    known = torchvision.detectors()
    if network in torchvision.names():
        raise GibbonError(f"“{network}” is a classifier, which finds no boxes. Use the commands for classifiers, such as attack.")
    if network not in known:
        near = difflib.get_close_matches(network, known, n=3, cutoff=0.5)
        cure = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(known)}."
        raise GibbonError(f"torchvision has no detector “{network}”. {cure}")


def _published(network: str, fetch: bool, progress: Progress | None, cancel: Cancel | None) -> State:
    from torchvision import models

    check_name(network)
    about = models.get_model_weights(network).DEFAULT
    file = about.url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / file
    if not path.is_file():
        if not fetch:
            raise GibbonError(
                f"The weights of “{network}” ({about.meta['_file_size']:.0f} MB) are not here, and downloading was not asked for. "
                f"Load it with fetch=True (--download on the command line), or take untrained:{network} to try the tools."
            )
        download(about.url, path, sha256_prefix=file.rpartition("-")[2].partition(".")[0], progress=progress, cancel=cancel)
    return read_state(path)
