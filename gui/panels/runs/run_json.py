"""Finished runs as JSON, for the clipboard: every parameter, the outcome, and the versions of everything. No Qt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gui.session.attack_verdict import measured_from
from gui.session.history import AttackRun

if TYPE_CHECKING:
    from gui.session.history import FinishedRun


def runs_as_json(runs: Sequence[FinishedRun]) -> str:
    """Return runs as JSON: one object, or a list of several."""
    values = [_attack(run) if isinstance(run, AttackRun) else _other(run) for run in runs]
    return json.dumps(values[0] if len(values) == 1 else values, indent=2, ensure_ascii=False, default=str)


def _attack(run: AttackRun) -> dict[str, Any]:
    result, labels = run.result, run.result.classifier.labels
    before, after = int(result.clean_prediction[0]), int(result.prediction[0])
    outcome = {
        "before_is_of": measured_from(run),
        "before": [labels[before], float(result.clean_logits[0].softmax(0)[before])],
        "after": [labels[after], float(result.logits[0].softmax(0)[after])],
        "success": bool(result.success[0]),
        "reached_before": bool(result.reached_before[0]) and not run.scene.grown,
        "reason": str(result.reason),
        "norms": None if run.scene.grown else {name: float(value[0]) for name, value in result.norms.items()},
        "norms_measured_from": None if run.scene.grown else measured_from(run),
        "remarks": list(result.remarks),
        "steps_to_flip": int(result.steps_to_flip[0]),
        "forwards": result.forwards,
        "backwards": result.backwards,
        "seconds": result.seconds,
    }
    data = {} if run.inputs.data is None else {"data": run.inputs.data.description}
    return {"number": run.number, "image": dict(run.image), **data, **result.provenance, "outcome": outcome}


def _other(run: FinishedRun) -> dict[str, Any]:
    from engine.artifacts import Table

    tables = [artifact for artifact in run.result.artifacts.values() if isinstance(artifact, Table)]
    return {
        "number": run.number,
        **run.result.provenance,
        "outcome": {"verdict": run.verdict, "passed": run.passed, "reason": run.ended, "seconds": run.seconds},
        "tables": [{"title": table.title, "columns": table.columns, "rows": table.rows} for table in tables],
    }
