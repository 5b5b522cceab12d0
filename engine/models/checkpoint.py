"""Loading of a weights file into a chosen architecture: one of this project's, or one of torchvision's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from engine.classifier import Classifier, Head
from engine.errors import GibbonError
from engine.models import torchvision
from engine.models.architectures import ARCHITECTURES
from engine.models.filling import fill, fitting
from engine.models.states import State, read_state
from engine.text.nearest import did_you_mean

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")


def load_checkpoint(
    path: Path,
    *,
    architecture: str | None = None,
    activation: str | None = None,
    labels: tuple[str, ...] | None = None,
    device: torch.device | str | None = None,
    head: Head = "logits",
    source: str | None = None,
) -> Classifier:
    """Load a classifier from a weights file.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or one that ``torch.save(module.state_dict(), path)`` wrote.
    architecture
        "signs", "digits", "objects" or "torchvision:NAME". None: taken from the card beside the file (same name, ``.json``).
    activation
        "relu", "bounded" or "bounded-leaky". None: taken from the card, else "relu".
    labels
        The class names. None: taken from the card, else the architecture's own.
    source
        The source for records; None: the path.
    """
    state = read_state(path)
    card = read_card(path.with_suffix(".json"))
    if architecture is not None and card.get("architecture") != architecture:
        card = {}  # the card belongs to another network, or to another file with this name
    chosen = architecture or card.get("architecture")
    if not isinstance(chosen, str):
        raise GibbonError(_which(state))
    activation = activation or card.get("activation", "relu")
    source = source or str(path.resolve())
    name = str(card.get("name", path.stem))
    if chosen.startswith(torchvision.PREFIX):
        about = torchvision.published(chosen.removeprefix(torchvision.PREFIX))
        return torchvision.classifier_of(
            state, about, activation=activation, labels=labels, device=device, head=head, name=name, source=source, card=card
        )
    return _own(state, chosen, activation, labels, device, head, name, source, card)


def check_architecture(name: str) -> None:
    """Refuse a name that is no architecture for a checkpoint, without building anything. For torchvision's names it is imported.

    Raises
    ------
    GibbonError
        There is no such architecture; the nearest name is suggested.
    """
    if name.startswith(torchvision.PREFIX):
        torchvision.check_name(name.removeprefix(torchvision.PREFIX))
    elif name not in ARCHITECTURES:
        others = f"Choose {', '.join(ARCHITECTURES)} or torchvision:NAME, or load your own code as FILE.py:FACTORY."
        raise GibbonError(f"There is no architecture “{name}”. {did_you_mean(name, ARCHITECTURES, others)}")


def _own(
    state: State,
    architecture: str,
    activation: str,
    labels: tuple[str, ...] | None,
    device: torch.device | str | None,
    head: Head,
    name: str,
    source: str,
    card: dict[str, Any],
) -> Classifier:
    check_architecture(architecture)
    about = ARCHITECTURES[architecture]
    with torch.random.fork_rng(devices=[]):
        module = about.build(activation, slope=card.get("slope", 0.01), sign=card.get("sign", -1))
    notes = fill(module, state, architecture)
    facts = {
        "architecture": architecture,
        "activation": activation,
        "parameters": sum(p.numel() for p in module.parameters()),
        "file": state.path.name,
        "sha256": state.sha256,
        "notes": [*state.notes, *notes],
    }
    return Classifier(
        module,
        labels or card.get("labels", about.labels),
        about.input_shape,
        card.get("mean", about.mean),
        card.get("std", about.std),
        name=name,
        device=device,
        head=head,
        source=source,
        card={**card, **facts},
    )


def read_card(path: Path) -> dict[str, Any]:
    """Read the JSON card beside a weights file; empty where there is none.

    Raises
    ------
    GibbonError
        The card is damaged.
    """
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GibbonError(f"The card “{path}” is damaged ({error}). Remove it, or write it again.") from None
    return card if isinstance(card, dict) else {}


def _which(state: State) -> str:
    found = fitting(state.tensors)
    if found:
        cure = f"It fits architecture “{found[0]}” with activation “{found[1]}”."
    else:
        cure = f"Choose {', '.join(ARCHITECTURES)} or torchvision:NAME."
    return f"“{state.name}” does not say which architecture its weights are for. {cure}"
