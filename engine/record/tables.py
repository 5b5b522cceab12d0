"""Tables and robustness curves on the disk: the numbers as CSV, and a record (JSON) with everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.artifacts import Curve, Table
from engine.devices import versions
from engine.evaluate.batch.summary import Share
from engine.evaluate.tables import Cell, TableResults
from engine.files import replacing
from engine.record.batches import write_csv
from engine.result import Result

_LISTS = ("labels", "before", "after", "after_8bit", "noise", "targets")


def write_table(results: TableResults, path: Path) -> list[Path]:
    """Write ``PATH.csv``, a row for each cell and each group's worst case, and ``PATH.json``, the record with each image's verdicts."""
    numbers, record = path.with_name(f"{path.name}.csv"), path.with_name(f"{path.name}.json")
    write_csv(numbers, results.data())
    head = json.dumps(table_record(results), indent=2, ensure_ascii=False)
    cells = ",\n".join(f"    {json.dumps(_cell(cell), ensure_ascii=False)}" for cell in results.cells.values())
    with replacing(record) as staged:  # one cell to a line, since an indented list of a thousand images has a thousand lines
        staged.write_text(f'{head[:-2]},\n  "cells": [\n{cells}\n  ]\n}}\n', encoding="utf-8")
    return [numbers, record]


def table_record(results: TableResults) -> dict[str, Any]:
    """Return what a table depends on and how it went, without its cells: specification, versions, columns with their budgets."""
    return {
        "format": "gibbon-table",
        "version": 1,
        "specification": results.spec.model_dump(mode="json"),
        "rows": list(results.rows),
        "columns": [{"header": list(column.header), "group": group.title} for group in results.groups for column in group.columns],
        "worst_cases": [
            {
                "model": row,
                "group": list(group.header),
                "attacks": [column.variant.label for column in group.columns],
                "missing": worst.missing,
                **{name: _share(getattr(worst, name)) for name in ("robust", "success", "noise", "top5")},
            }
            for row in results.rows
            for group in results.groups
            if results.counts(row, group.columns[0])
            for worst in [results.worst(row, group)]
        ],
        "lights": [each.plain() for each in results.lights.all],
        "warnings": results.warnings(),
        "reason": str(results.reason),
        "seconds": results.seconds,
        "threads": results.threads,
        "devices": list(results.devices),
        "versions": versions(),
        "notes": list(results.notes),
    }


def write_curve(result: Result, path: Path) -> list[Path]:
    """Write ``PATH.csv`` (accuracies and intervals over eps), ``PATH.images.csv`` (each image's norm) and ``PATH.json`` (the record)."""
    curve, ends, images = (result.artifacts[name] for name in ("accuracy", "intervals", "images"))
    assert isinstance(curve, Curve)
    assert isinstance(ends, Curve)
    assert isinstance(images, Table)
    numbers, norms, record = (path.with_name(f"{path.name}{end}") for end in (".csv", ".images.csv", ".json"))
    lines = {**curve.lines, **ends.lines}
    rows = tuple(zip(curve.x.tolist(), *(line.tolist() for line in lines.values()), strict=True))
    write_csv(numbers, Table(("eps", *lines), rows, curve.title))
    write_csv(norms, images)
    with replacing(record) as staged:
        staged.write_text(json.dumps(curve_record(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [numbers, norms, record]


def curve_record(result: Result) -> dict[str, Any]:
    """Return the summary of a robustness curve with everything that it depends on."""
    summary, lights = result.artifacts["smallest"], result.artifacts["lights"]
    assert isinstance(summary, Table)
    assert isinstance(lights, Table)
    return {
        "format": "gibbon-curve",
        "version": 1,
        "models": [dict(zip(summary.columns, row, strict=True)) for row in summary.rows],
        "lights": [dict(zip(lights.columns, row, strict=True)) for row in lights.rows],
        "sentences": result.operation.sentences(lights),  # type: ignore[attr-defined]
        "reason": str(result.reason),
        "seconds": result.seconds,
        "forwards": result.forwards,
        "backwards": result.backwards,
        **result.provenance,
    }


def _cell(cell: Cell) -> Mapping[str, Any]:
    found: dict[str, Any] = {**vars(cell.key), "error": cell.error, "seconds": cell.seconds, "facts": cell.facts}
    if cell.verdicts is None:
        return found
    names: tuple[str, ...] = ("clean", "robust", "success", "success_8bit", "transfer", "noise", "right_after")
    names += ("clean_top5", "robust_top5") if cell.has_top5 else ()
    verdicts = {name: getattr(cell.verdicts, name).tolist() for name in _LISTS}
    lists = {name: getattr(cell.verdicts, name).nonzero().flatten().tolist() for name in ("made", "failed")}
    return {
        **found,
        **{name: _share(getattr(cell, name)) for name in names},
        "classes": list(cell.class_names),
        "images": {"places": list(cell.places), **verdicts, **lists},
    }


def _share(share: Share) -> dict[str, Any]:
    return {"share": share.value, "hits": share.hits, "of": share.of, "interval_95": list(share.interval)}
