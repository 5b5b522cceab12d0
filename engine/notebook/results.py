"""A result in a notebook: the images before and after, the perturbation, the verdict, and how to make it again."""

from __future__ import annotations

import torch
from pydantic import BaseModel
from torch import Tensor

from engine.artifacts import Map, Picture, Table
from engine.notebook import markup
from engine.notebook.markup import ADVERSARIAL, CLEAN
from engine.notebook.shown import ShownAttackResult, ShownResult
from engine.parameters import parameters_of
from engine.text.formatting import cells_of, counted, format_norm, format_probability

_ROWS = 8
"""Images of a batch that are shown."""
_LINES = 12
"""Lines of a table that are shown."""


def result_html(result: ShownResult) -> str:
    """Return HTML of a result. An attack shows each image, up to eight; other operations show their tables and pictures."""
    adversarial = getattr(result, "adversarial", None)
    head = markup.strong(getattr(result.operation, "title", type(result.operation).__name__)) + markup.escaped(
        f" · {result.reason} · {result.seconds:.2g} s"
    )
    content = _tables(result) if adversarial is None else _attack(result)  # type: ignore[arg-type]
    return markup.block(f"<div>{head}</div>", content, markup.folded("parameters and provenance", _provenance(result)))


def _attack(result: ShownAttackResult) -> str:
    count = len(result.adversarial)
    shown = min(count, _ROWS)
    rows = "".join(_row(result, row) for row in range(shown))
    if count == 1:
        return rows
    wrong = int(result.wrong_before.sum())
    sentence = f"{int((result.success & ~result.wrong_before).sum())} of {counted(count, 'image')} adversarial"
    sentence += f", {wrong} misread already without the attack" if wrong else ""
    more = f"<div>The first {shown} of {count:,} are shown.</div>" if count > shown else ""
    return f"<div>{markup.escaped(sentence)}.</div>{rows}{more}"


def _row(result: ShownAttackResult, row: int) -> str:
    names = result.classifier.labels
    clean, adversarial = result.clean[row].cpu(), result.adversarial[row].cpu()
    if clean.shape[0] not in (1, 3):
        return f"<div>{_verdict(result, row)}</div>"
    before, after = (_reading(logits[row], names) for logits in (result.clean_logits, result.logits))
    perturbation, gain = _perturbation(adversarial - clean)
    return "".join(
        (
            f"<div>{_verdict(result, row)}</div>",
            markup.picture(clean, f"{markup.strong('clean', CLEAN)}<br>{markup.escaped(before)}", "clean image"),
            markup.picture(adversarial, f"{markup.strong('adversarial', ADVERSARIAL)}<br>{markup.escaped(after)}", "adversarial image"),
            markup.picture(
                perturbation, f"{markup.strong('perturbation')} × {gain:.3g}<br>{markup.escaped(_norms(result, row))}", "perturbation"
            ),
        )
    )


def _verdict(result: ShownAttackResult, row: int) -> str:
    """Return a sentence on the outcome: an image that was misread before the attack is not called a success."""
    names, label = result.classifier.labels, int(result.labels[row])
    assumed = " (assumed)" if result.labels_assumed else ""
    target = "" if result.targets is None else f", target {names[int(result.targets[row])]}"
    if bool(result.failed[row]):
        words = "the model gave NaN: an attack error"
    elif bool(result.reached_before[row]):
        words = "nothing to do: the model reads the clean image that way already"
    elif bool(result.success[row]):
        step = int(result.steps_to_flip[row])
        words = f"adversarial, first at step {step}" if step >= 0 else "adversarial"
    else:
        words = "not adversarial"
    return markup.escaped(f"label {names[label]}{assumed}{target}: {words}.")


def _reading(logits: Tensor, names: tuple[str, ...]) -> str:
    best = int(logits.argmax())
    return f"{names[best]}, {format_probability(float(logits.softmax(0)[best]))}"


def _norms(result: ShownAttackResult, row: int) -> str:
    norms = {name: float(values[row]) for name, values in result.norms.items()}
    return f"L∞ {format_norm(norms['linf'])}, L2 {format_norm(norms['l2'])}, {counted(int(norms['l0']), 'pixel')}"


def _perturbation(delta: Tensor) -> tuple[Tensor, float]:
    """Return a perturbation around middle grey, enlarged so that its largest value reaches the end of the scale, and that gain."""
    largest = float(delta.abs().max())
    gain = 0.5 / largest if largest > 0 and torch.isfinite(delta).all() else 1.0
    return (0.5 + gain * delta).clamp(0, 1), gain


def _tables(result: ShownResult) -> str:
    parts = []
    for artifact in result.artifacts.values():
        if isinstance(artifact, Table):
            columns = [
                cells_of([row[place] for row in artifact.rows], artifact.units.get(name, "")) for place, name in enumerate(artifact.columns)
            ]
            rows = list(zip(*columns, strict=True))[:_LINES]
            more = f"<div>The first {_LINES} of {len(artifact.rows):,} rows are shown.</div>" if len(artifact.rows) > _LINES else ""
            parts.append(f"<div>{markup.escaped(artifact.title)}</div>{markup.table(artifact.columns, rows)}{more}")
        elif isinstance(artifact, Picture) and artifact.image.shape[0] in (1, 3):
            parts.append(markup.picture(artifact.image, markup.escaped(artifact.title), artifact.title))
        elif isinstance(artifact, Map):
            parts.append(markup.picture(_grey(artifact.values[0].cpu())[None], markup.escaped(artifact.title), artifact.title))
    return "".join(parts)


def _grey(values: Tensor) -> Tensor:
    """Return a map ``(H, W)`` between black (its least value) and white (its largest)."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(1e-12)


def _provenance(result: ShownResult) -> str:
    made = result.provenance
    pairs = [*_parameters(result.operation)]
    pairs += [("seed", made["seed"])] if "seed" in made else []
    if "model" in made:
        pairs.append(("model", f"{made['model']['name']}, fingerprint {made['model']['fingerprint']}"))
    pairs += [("device", made["device"])] if "device" in made else []
    pairs.append(("queries", f"{result.forwards:,} forward rows, {result.backwards:,} gradient rows"))
    pairs.append(("versions", ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items())))
    return markup.facts(pairs)


def _parameters(operation: BaseModel) -> list[tuple[str, object]]:
    values = operation.model_dump()
    return [
        (parameter.title, parameter.shown(values[name]))
        for name, parameter in parameters_of(type(operation)).items()
        if name in values and parameter.applies(values)
    ]
