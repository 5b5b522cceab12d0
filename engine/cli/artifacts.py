"""Artifacts of an attack on the command line: tables and curves on the screen, for ``--json``, and complete in a file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.artifacts import Artifact, Curve, Map, PlacedStickers, Table
from engine.attacks import FGSM
from engine.files import replacing
from engine.operation import Attack, Operation
from engine.text.formatting import cells_of, format_reading

SHOWN = 20
"""Rows of a table on the screen; the file holds all of them."""


def may_give(attack: Attack) -> bool:
    """Return whether the attack may have artifacts that deserve a file. FGSM's curve costs forward passes, so it needs ``--json``."""
    return type(attack).artifacts is not Operation.artifacts and attack.slug != FGSM.slug


def as_json(artifacts: Mapping[str, Artifact], maps: bool = False) -> dict[str, Any]:
    """Return tables, curves, placed stickers and, if requested, maps by name. Numbers that JSON lacks become null."""
    told: dict[str, dict[str, Any]] = {"tables": {}, "curves": {}, "maps": {}, "stickers": {}}
    for name, artifact in artifacts.items():
        if isinstance(artifact, Table):
            rows = [[_plain(cell) for cell in row] for row in artifact.rows]
            told["tables"][name] = {"title": artifact.title, "columns": list(artifact.columns), "rows": rows}
        elif isinstance(artifact, Curve):
            lines = {line: _plain(values) for line, values in artifact.lines.items()}
            told["curves"][name] = {"title": artifact.title, "x_label": artifact.x_axis.label, "x": _plain(artifact.x), "lines": lines}
        elif isinstance(artifact, Map) and maps:
            spans = {"across": artifact.across, "down": artifact.down}
            sides = {side: asdict(span) for side, span in spans.items() if span is not None}
            told["maps"][name] = {"title": artifact.title, **sides, "values": _plain(artifact.values)}
        elif isinstance(artifact, PlacedStickers):
            from engine.record.stickers import StickerEntry

            placed = [
                [StickerEntry.of(sticker).model_dump(mode="json", exclude_none=True) for sticker in each] for each in artifact.stickers
            ]
            told["stickers"][name] = {"title": artifact.title, "images": placed}
    return {kind: found for kind, found in told.items() if found}


def write(path: Path, artifacts: Mapping[str, Artifact]) -> Path | None:
    """Write tables, curves and maps with all their values; None, and no file, where there are none."""
    told = as_json(artifacts, maps=True)
    if not told:
        return None
    with replacing(path) as staged:
        staged.write_text(json.dumps(told, ensure_ascii=False, allow_nan=False), "utf-8")
    return path


def shown(artifacts: Mapping[str, Artifact]) -> list[Table | str]:
    """Return text for the screen: tables by their first rows, and sentences with the last values of curves over steps."""
    found: list[Table | str] = []
    for artifact in artifacts.values():
        if isinstance(artifact, Curve) and artifact.x_axis.unit == "step":
            if len(artifact.x):
                ends = ", ".join(f"{name} {format_reading(float(v[-1]), artifact.y_axis.unit)}" for name, v in artifact.lines.items())
                found.append(f"{artifact.title} at {artifact.x_axis.label} {float(artifact.x[-1]):,.0f}: {ends}")
        elif isinstance(artifact, Curve):
            columns = [cells_of(artifact.x.tolist(), artifact.x_axis.unit)]
            columns += [cells_of(values.tolist(), artifact.y_axis.unit) for values in artifact.lines.values()]
            found.append(_cut(Table((artifact.x_axis.label, *artifact.lines), tuple(zip(*columns, strict=True)), artifact.title)))
        elif isinstance(artifact, Table):
            found.append(_cut(artifact))
    return found


def _cut(table: Table) -> Table:
    if len(table.rows) <= SHOWN:
        return table
    return Table(table.columns, table.rows[:SHOWN], f"{table.title} (the first {SHOWN} of {len(table.rows)})", units=table.units)


def _plain(value: Any) -> Any:
    """Convert tensors to nested lists; NaN and infinity become None."""
    if isinstance(value, Tensor):
        value = value.detach().cpu().tolist()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
