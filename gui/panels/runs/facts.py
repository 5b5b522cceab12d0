"""RunFacts: a finished run in words and numbers, for the table, the details and JSON. No Qt; computed once per run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.artifacts import Table
from engine.text.formatting import format_probability as percent
from engine.text.formatting import short
from gui.session.attack_verdict import measured_from, verdict_of_attack
from gui.session.history import AttackRun

if TYPE_CHECKING:
    from engine import AttackResult, Operation
    from gui.session.history import FinishedRun


_SUCCESS = {"success": "yes", "already": "yes, already before the attack", "none": "no", "error": "no: the model gave NaN"}


@dataclass(frozen=True)
class RunFacts:
    """The facts about one run that the dock shows."""

    number: int
    attack: str
    budget: str
    """The run's eps and steps, if it has them, such as ``8/255 · 40 steps``."""
    outcome: str
    """The result, such as ``Stop 99.9 % → Yield 88.0 %``, or the verdict in words."""
    success: bool | None
    """Whether the run succeeded; None if it has no success."""
    l2: float | None
    """The L2 norm of the perturbation; None if no image was changed, or if it was grown from noise."""
    linf: float | None
    flip: int
    """The first step that succeeded; -1 if none did."""
    seconds: float
    parameters: Mapping[str, str]
    figures: Mapping[str, str]
    provenance: Mapping[str, str]
    json: str
    can_be_shown: bool = True
    """Whether the run can be put back on the canvas."""
    already: bool = False
    """Whether the image was misclassified already before the attack."""


def run_facts(entry: FinishedRun) -> RunFacts:
    """Return the facts about a finished run."""
    return _of_attack(entry) if isinstance(entry, AttackRun) else _of_any(entry)


def _of_any(entry: FinishedRun) -> RunFacts:
    """Return the facts about an experiment, a training or an evaluation: its verdict, tables and cost."""
    result, made = entry.result, dict(entry.result.provenance)
    parameters = dict(made["operation"]["parameters"])
    tables = [artifact for artifact in result.artifacts.values() if isinstance(artifact, Table)]
    outcome = entry.verdict or entry.ended
    figures = {
        "outcome": outcome,
        "ended": f"{entry.ended}, {entry.when:%H:%M:%S}",
        **{row[0]: " · ".join(row[1:]) for table in tables for row in table.rows},
        "rows forward": str(result.forwards),
        "rows backward": str(result.backwards),
        "seconds": f"{result.seconds:.2f}",
    }
    record = {
        "number": entry.number,
        **made,
        "outcome": {"verdict": entry.verdict, "passed": entry.passed, "reason": entry.ended, "seconds": result.seconds},
        "tables": [{"title": table.title, "columns": table.columns, "rows": table.rows} for table in tables],
    }
    return RunFacts(
        entry.number,
        entry.operation.title,
        _budget(parameters),
        outcome,
        entry.passed,
        None,
        None,
        -1,
        result.seconds,
        _parameters(entry.operation, parameters),
        figures,
        _flat({key: value for key, value in made.items() if key != "operation"}),
        json.dumps(record, indent=2, ensure_ascii=False, default=str),
        can_be_shown=False,
    )


def _of_attack(entry: AttackRun) -> RunFacts:
    result = entry.result
    labels = result.classifier.labels
    before, after = int(result.clean_prediction[0]), int(result.prediction[0])
    first, last = (float(logits[0].softmax(0)[best]) for logits, best in ((result.clean_logits, before), (result.logits, after)))
    norms = {name: float(value[0]) for name, value in result.norms.items()}
    grown = entry.scene.grown  # the adversarial image does not derive from the clean one
    outcome = f"{'noise' if grown else f'{labels[before]} {percent(first)}'} → {labels[after]} {percent(last)}"
    flip = int(result.steps_to_flip[0])
    verdict, source = verdict_of_attack(result), measured_from(entry)
    figures = {
        "outcome": outcome,
        "success": _SUCCESS[verdict.kind],
        **({"before the attack": verdict.before} if verdict.before else {}),
        "ended": str(result.reason),
        "label": labels[int(result.labels[0])] + (" (assumed)" if result.labels_assumed else ""),
        "target": _target(result),
        "first success at step": "never" if flip < 0 else str(flip),
        **({} if grown else {**_sizes(norms), "measured from": source}),
        "rows forward": str(result.forwards),
        "rows backward": str(result.backwards),
        "seconds": f"{result.seconds:.2f}",
        **({"notes": " ".join(result.remarks)} if result.remarks else {}),
    }
    made = dict(result.provenance)
    parameters = dict(made["operation"]["parameters"])
    return RunFacts(
        entry.number,
        result.operation.title,
        _budget(parameters),
        outcome,
        bool(result.success[0]),
        None if grown else norms["l2"],
        None if grown else norms["linf"],
        flip,
        result.seconds,
        _parameters(result.operation, parameters),
        figures,
        {
            "image": str(entry.image.get("name", "unnamed")),
            **_inputs(entry),
            **_flat({key: value for key, value in made.items() if key != "operation"}),
        },
        _json(entry, result, norms, {"before": [labels[before], first], "after": [labels[after], last]}),
        already=verdict.kind == "already",
    )


def _target(result: AttackResult) -> str:
    labels, chosen = result.classifier.labels, result.goal(0)
    if chosen is not None:
        return f"{labels[chosen]} (chosen by the attack)"
    return "any other" if result.targets is None else labels[int(result.targets[0])]


def _sizes(norms: Mapping[str, float]) -> dict[str, str]:
    return {
        "L0": f"{norms['l0']:.0f} px",
        "L1": short(norms["l1"]),
        "L2": short(norms["l2"]),
        "L∞": f"{norms['linf']:.3g} ({norms['linf'] * 255:.3g}/255)",
    }


def differing_facts(one: RunFacts, other: RunFacts) -> list[tuple[str, str, str]]:
    """Return name and both values of all facts in which two runs differ."""
    rows = [("attack", one.attack, other.attack)]
    for left, right in ((one.parameters, other.parameters), (one.figures, other.figures), (one.provenance, other.provenance)):
        rows += [(name, left.get(name, "–"), right.get(name, "–")) for name in dict.fromkeys((*left, *right))]
    return [row for row in rows if row[1] != row[2]]


def _inputs(entry: AttackRun) -> dict[str, str]:
    data = entry.inputs.data
    facts = {} if data is None else {"data": data.description}
    return facts if entry.inputs.begin is None else {**facts, "start image": "given"}


def _parameters(operation: Operation, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a run's parameters under their titles in the form, with choices as the form shows them."""
    from engine.parameters import parameters_of

    known = parameters_of(type(operation))
    return {known[name].title: known[name].shown(value) for name, value in values.items()}


def _text(value: Any) -> str:
    from engine.text.formatting import format_number

    return format_number(value) if isinstance(value, float) else "–" if value is None else str(value)


def _budget(parameters: Mapping[str, Any]) -> str:
    parts = [_text(parameters["eps"])] if parameters.get("eps") is not None else []
    return " · ".join([*parts, *([f"{parameters['steps']} steps"] if "steps" in parameters else [])])


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key} ") if isinstance(value, Mapping) else {f"{prefix}{key}": _text(value)})
    return flat


def _json(entry: AttackRun, result: AttackResult, norms: Mapping[str, float], predictions: Mapping[str, Any]) -> str:
    outcome = {
        **predictions,
        "success": bool(result.success[0]),
        "reason": str(result.reason),
        "norms": None if entry.scene.grown else dict(norms),
        "remarks": list(result.remarks),
        "steps_to_flip": int(result.steps_to_flip[0]),
        "forwards": result.forwards,
        "backwards": result.backwards,
        "seconds": result.seconds,
    }
    record = {"number": entry.number, "image": dict(entry.image), **_inputs(entry), **result.provenance, "outcome": outcome}
    return json.dumps(record, indent=2, ensure_ascii=False, default=str)
