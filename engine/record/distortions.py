"""Real-life distortions on the disk: the numbers as CSV, and a record (JSON) with everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.artifacts import Table
from engine.evaluate.distortion import DistortionStep, DistortionSurvival
from engine.files import replacing
from engine.record.batches import write_csv
from engine.result import Result


def distortion_record(result: Result, last: DistortionStep, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rates with everything that they depend on; ``source`` says where the adversarial images come from."""
    operation, table = result.operation, result.artifacts["survival"]
    assert isinstance(operation, DistortionSurvival)
    assert isinstance(table, Table)
    return {
        "format": "gibbon-distortion",
        "version": 1,
        "source": dict(source),
        "rates": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
        "sentences": operation.sentences(last),
        "reason": str(result.reason),
        "seconds": result.seconds,
        "forwards": result.forwards,
        "backwards": result.backwards,
        **result.provenance,
    }


def write_distortions(result: Result, last: DistortionStep, source: Mapping[str, Any], path: Path) -> list[Path]:
    """Write ``PATH.csv`` (rates), ``PATH.images.csv`` (the prediction for each image at each strength) and ``PATH.json`` (the record)."""
    numbers, images, record = (path.with_name(f"{path.name}{end}") for end in (".csv", ".images.csv", ".json"))
    for file, name in ((numbers, "survival"), (images, "predictions")):
        table = result.artifacts[name]
        assert isinstance(table, Table)
        write_csv(file, table)
    with replacing(record) as staged:
        staged.write_text(json.dumps(distortion_record(result, last, source), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [numbers, images, record]
