"""The function ``load``, which makes a classifier from any source of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from engine.class_names import class_names
from engine.classifier import Classifier, Head
from engine.defenses.rectifiers import check_activation
from engine.download import Cancel, Progress
from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.models import factory, shipped, torchvision
from engine.models.checkpoint import SUFFIXES, check_architecture, load_checkpoint
from engine.text.nearest import did_you_mean


def load(
    source: str | Path,
    *,
    device: torch.device | str | None = None,
    architecture: str | None = None,
    activation: str | None = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    head: Head = "logits",
    allow_code: bool = False,
    download: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Classifier:
    """Load a classifier from any source.

    Parameters
    ----------
    source
        A shipped model ("signs", "digits", "objects", ...); "torchvision:NAME" with its published default weights; the path of a checkpoint
        (.safetensors, .pt, .pth); or "FILE.py:FACTORY", the user's own code.
    device
        None: the accelerator where there is one, else the CPU.
    architecture
        Architecture of a checkpoint: "signs", "digits", "objects" or "torchvision:NAME". None: taken from the card beside it.
    activation
        Rectifier of a checkpoint: "relu", "bounded" or "bounded-leaky". None: taken from its card, else "relu".
    labels
        Names of the classes, or a mapping from number to name; None: those of the source. Equal names get their numbers appended.
    head
        "log" or "strip" for a network that ends in probabilities.
    allow_code
        Whether to run the user's own code. Ask the user first.
    download
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
    if text.startswith(torchvision.PREFIX):
        _refuse_architecture(text, architecture)
        name = text.removeprefix(torchvision.PREFIX)
        return torchvision.load_published(
            name, activation=activation or "relu", labels=names, device=device, head=head, fetch=download, progress=progress, cancel=cancel
        )
    if factory.is_code(text):
        _refuse_architecture(text, architecture)
        return factory.load_factory(text, allow_code=allow_code, labels=names, device=device, head=head)
    if text in shipped.names():
        _refuse_others(text, architecture=architecture, activation=activation)
        return shipped.load_shipped(text, labels=names, device=device, head=head)
    return load_checkpoint(_path(text), architecture=architecture, activation=activation, labels=names, device=device, head=head)


def check_source(source: str | Path, *, architecture: str | None = None, activation: str | None = None) -> None:
    """Refuse a source that names no model, or options that do not fit it, without loading anything; see `load`.

    For a name of torchvision's networks, torchvision is imported.

    Raises
    ------
    GibbonError
        There is no such model, network, file, architecture or rectifier; the nearest name is suggested.
    """
    text = str(source)
    if architecture is not None:
        check_architecture(architecture)
    if activation is not None:
        check_activation(activation)
    if text.startswith(torchvision.PREFIX):
        _refuse_architecture(text, architecture)
        torchvision.check_name(text.removeprefix(torchvision.PREFIX))
    elif factory.is_code(text):
        _refuse_architecture(text, architecture)
        factory.parts_of(text)
    elif text in shipped.names():
        _refuse_others(text, architecture=architecture, activation=activation)
    else:
        ordinary_file(_path(text), "a checkpoint (.safetensors, .pt, .pth)")


def _path(source: str) -> Path:
    """Return the path of a checkpoint; a text that is neither a file nor has the ending of one is a name that nothing has."""
    path = Path(source).expanduser()
    if path.suffix.lower() not in SUFFIXES and not path.exists():
        others = (
            f"Shipped are {', '.join(shipped.names()) or 'none'}; otherwise give torchvision:NAME, "
            "a checkpoint (.safetensors, .pt, .pth) or FILE.py:FACTORY."
        )
        raise GibbonError(f"There is no model “{source}”. {did_you_mean(source, shipped.names(), others)}")
    return path


def runs_code(source: str | Path) -> bool:
    """Return whether loading ``source`` runs a user's own code, so that the user must be asked first."""
    return factory.is_code(str(source))


def is_file(source: str | Path | None) -> bool:
    """Return whether ``source`` names a file of the user's: weights, or code that makes a model."""
    return source is not None and (Path(source).suffix.lower() in SUFFIXES or runs_code(source))


def missing_download(source: str | Path) -> torchvision.Published | None:
    """Return the download (url, megabytes, path) that ``source`` needs, or None where it needs none. Imports torchvision."""
    text = str(source)
    if not text.startswith(torchvision.PREFIX):
        return None
    about = torchvision.published(text.removeprefix(torchvision.PREFIX))
    return None if about.path.is_file() else about


def options_of(classifier: Classifier) -> dict[str, str]:
    """Return the arguments of ``load``, beside ``classifier.source``, that load the classifier again."""
    options: dict[str, str] = {} if classifier.head == "logits" else {"head": classifier.head}
    if Path(classifier.source or "").suffix.lower() in SUFFIXES:
        options |= {key: str(classifier.card[key]) for key in ("architecture", "activation") if key in classifier.card}
    return options


def _refuse_architecture(source: str, architecture: str | None) -> None:
    if architecture is not None and architecture != source:
        raise GibbonError(f"“{source}” brings its own architecture. Choose one for a checkpoint file only.")


def _refuse_others(name: str, **wanted: str | None) -> None:
    card = shipped.card(name)
    for what, value in wanted.items():
        if value is not None and value != card[what]:
            raise GibbonError(
                f"The shipped model “{name}” has {what} “{card[what]}”, not “{value}”. Choose another of {', '.join(shipped.names())}."
            )
