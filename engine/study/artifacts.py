"""Artifacts of a run as entries of a study, and back.

A network is kept by its weights, and comes back where its card says how to build it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

from torch import Tensor, nn

from engine.artifacts import Artifact, Axis, Curve, Map, Model, Perturbation, Picture, PlacedStickers, Span, StickerContent, Table
from engine.attacks.fgsm.eps_curve import Direction
from engine.errors import GibbonError
from engine.record.stickers import StickerEntry
from engine.study.entries import ArtifactEntry, plain
from engine.study.tensors import Tensors

Find = Callable[[str], Tensor]
"""Returns the tensor of a digest."""


def entry_of(artifact: Artifact, tensors: Tensors) -> ArtifactEntry:
    """Make the entry of an artifact, with its tensors added to ``tensors``."""
    add = tensors.add
    match artifact:
        case Map():
            facts = {"title": artifact.title, "signed": artifact.signed, "across": artifact.across, "down": artifact.down}
            told = {name: asdict(fact) if isinstance(fact, Span) else fact for name, fact in facts.items() if fact is not None}
            return ArtifactEntry(kind="map", facts=plain(told), tensors={"values": add(artifact.values)})
        case Curve():
            return _curve(artifact, tensors)
        case Picture():
            return ArtifactEntry(kind="picture", facts={"title": artifact.title}, tensors={"image": add(artifact.image)})
        case Table():
            return ArtifactEntry(kind="table", facts=plain(asdict(artifact)))
        case PlacedStickers():
            placed = [[StickerEntry.of(sticker).model_dump(mode="json") for sticker in each] for each in artifact.stickers]
            return ArtifactEntry(kind="stickers", facts={"title": artifact.title, "stickers": plain(placed)})
        case StickerContent():
            return ArtifactEntry(kind="content", tensors={"pixels": add(artifact.pixels), "mask": add(artifact.mask)})
        case Direction() if artifact.objective is None:  # an objective is a function, which no file can hold
            further = {"goals": artifact.goals, "mask": artifact.mask}
            named = {name: add(tensor) for name, tensor in further.items() if tensor is not None}
            return ArtifactEntry(kind="direction", facts={"title": artifact.title}, tensors={"values": add(artifact.values), **named})
        case Perturbation():
            facts = {"title": artifact.title, "universal": artifact.universal}
            return ArtifactEntry(kind="perturbation", facts=facts, tensors={"values": add(artifact.values)})
        case Model():
            history = None if artifact.history is None else _curve(artifact.history, tensors).model_dump(mode="json")
            weights = {name: add(value) for name, value in artifact.module.state_dict().items() if isinstance(value, Tensor)}
            return ArtifactEntry(kind="model", facts={"card": plain(artifact.card), "history": history}, tensors=weights)
    raise GibbonError(f"An artifact of the kind {type(artifact).__name__} cannot be kept in a study.")


def artifact_of(entry: ArtifactEntry, find: Find) -> Artifact | None:
    """Make the artifact of an entry; None for a network that cannot be built here.

    Raises
    ------
    GibbonError
        A fact or a tensor is missing, or has another type.
    """
    facts: dict[str, Any] = dict(entry.facts)
    tensors = {name: find(digest) for name, digest in entry.tensors.items()}
    try:
        match entry.kind:
            case "map":
                spans = (_span(facts.get(name)) for name in ("across", "down"))
                return Map(_shaped(tensors["values"], 3), str(facts["title"]), bool(facts["signed"]), *spans)
            case "curve":
                return _curve_of(facts, tensors)
            case "picture":
                return Picture(_shaped(tensors["image"], 3), str(facts["title"]))
            case "table":
                return _table_of(facts)
            case "stickers":
                placed = tuple(tuple(StickerEntry.model_validate(one).sticker() for one in each) for each in facts["stickers"])
                return PlacedStickers(placed, str(facts["title"]))
            case "content":
                return StickerContent(_shaped(tensors["pixels"], 4), _shaped(tensors["mask"], 4))
            case "perturbation":
                return Perturbation(_shaped(tensors["values"], 4), str(facts["title"]), universal=bool(facts["universal"]))
            case "direction":
                return Direction(_shaped(tensors["values"], 4), str(facts["title"]), goals=tensors.get("goals"), mask=tensors.get("mask"))
            case "model":
                return _model_of(facts, tensors, find)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise GibbonError(f"its artifact of the kind “{entry.kind}” is damaged ({error})") from None


def _curve(curve: Curve, tensors: Tensors) -> ArtifactEntry:
    facts = {"title": curve.title, "x_axis": plain(asdict(curve.x_axis)), "y_axis": plain(asdict(curve.y_axis)), "lines": list(curve.lines)}
    lines = {f"line {place}": tensors.add(line) for place, line in enumerate(curve.lines.values())}
    return ArtifactEntry(kind="curve", facts=plain(facts), tensors={"x": tensors.add(curve.x), **lines})


def _curve_of(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Curve:
    x = _shaped(tensors["x"], 1)
    lines = {str(name): _shaped(tensors[f"line {place}"], 1) for place, name in enumerate(facts["lines"])}
    if any(len(line) != len(x) for line in lines.values()):
        raise ValueError("a line has another length than its abscissae")
    return Curve(x, lines, str(facts["title"]), _axis(facts["x_axis"]), _axis(facts["y_axis"]))


def _axis(facts: Mapping[str, Any]) -> Axis:
    return Axis(str(facts["label"]), cast("Any", str(facts["unit"])))


def _span(facts: Mapping[str, Any] | None) -> Span | None:
    return None if facts is None else Span(str(facts["label"]), tuple(map(float, facts["values"])))


def _table_of(facts: Mapping[str, Any]) -> Table:
    columns, rows = tuple(map(str, facts["columns"])), tuple(tuple(row) for row in facts["rows"])
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("a row has another length than the columns")
    return Table(columns, rows, str(facts["title"]), units=dict(facts.get("units", {})))


def _model_of(facts: Mapping[str, Any], weights: Mapping[str, Tensor], find: Find) -> Model | None:
    card = dict(facts["card"])
    module = _network(card)
    if module is None:
        return None
    module.load_state_dict(dict(weights))
    history = facts["history"]
    curve = None if history is None else artifact_of(ArtifactEntry.model_validate(history), find)
    return Model(module.eval().requires_grad_(False), card, curve if isinstance(curve, Curve) else None)


def _network(card: Mapping[str, Any]) -> nn.Module | None:
    """Build the untrained network that a card describes; None where the card does not say how."""
    from engine.models import ARCHITECTURES

    known = ARCHITECTURES.get(str(card.get("architecture")))
    if known is None:
        return None
    rest = {name: card[name] for name in ("slope", "sign") if name in card}
    return known.build(str(card.get("activation", "relu")), **rest)


def _shaped(tensor: Tensor, dimensions: int) -> Tensor:
    if tensor.dim() != dimensions:
        raise ValueError(f"a tensor has {tensor.dim()} dimensions in place of {dimensions}")
    return tensor
