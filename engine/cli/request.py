"""One attack from start to files, shared by `attack` and `demo`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.artifacts import Artifact, Perturbation, Table
from engine.attacks import CATALOGUE, StickerLandscape, Universal
from engine.attacks.universal.saved import save_perturbation
from engine.classifier import Classifier
from engine.cli import artifacts as told
from engine.cli.output import every, interruptible, made_folder, progress, refuse_existing
from engine.data import DataSet
from engine.defenses.preprocessing import Preprocessing, defended, words
from engine.driver import start
from engine.evaluate import transfer
from engine.evaluate.knowing import Both
from engine.evaluate.trust import caveat, lights_of
from engine.figures import (
    FigurePlan,
    boxes_in,
    check_panels,
    explanations_in,
    export,
    export_arrays,
    landscape_figure,
    note_for,
    subject_of,
)
from engine.images import Crop, Photograph
from engine.operation import Attack, AttackStep
from engine.record import Prediction, Record, SavedImage, image_entry, mask_entry, record_of, save_adversarial
from engine.record.batches import write_csv
from engine.result import AttackResult, Reason
from engine.text.formatting import counted, format_norm, format_probability, format_reading, short


@dataclass(frozen=True, eq=False)
class AttackRequest:
    """An attack on one image with all of its inputs."""

    classifier: Classifier
    attack: Attack
    photograph: Photograph
    crop: Crop | None = None
    label: int | None = None
    label_assumed: bool = False
    """Whether the label is a prediction."""
    target: int | None = None
    mask: Tensor | None = None
    mask_path: Path | None = None
    start: Tensor | None = None
    """The second image ``(C, H, W)``, for attacks that start from one."""
    data: DataSet | None = None
    others: Sequence[Classifier] = ()
    """Further models, whose predictions for the result are reported."""
    seed: int = 0
    defense: tuple[Preprocessing, ...] = ()
    """Preprocessing before the classifier, which the attack knows; the outcome of an attack that does not is reported, too."""

    @property
    def attacked(self) -> Classifier:
        """The classifier behind the defense, which is the one that is attacked."""
        return defended(self.classifier, self.defense)


@dataclass(frozen=True)
class Output:
    """The files to write, and the output meanwhile."""

    folder: Path
    stem: str
    """Stem of the files: ``STEM.png``, ``STEM.json``, ``STEM.pdf``, ``STEM.npz``, ``STEM.safetensors``, ``STEM.artifacts.json``."""
    panels: Sequence[str] = ()
    notes: Sequence[str] = ()
    """Sentences about known departures from the defaults."""
    width_mm: float = 85.0
    arrays: bool = False
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True, eq=False)
class Done:
    """The outcome of a request: result, files and readings."""

    record: Record
    saved: SavedImage
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    transfer: Table | None = None
    knowing: Both | None = None
    """The attack through the defense, and the one that does not know it, where there is a defense."""
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    readings: Mapping[str, float] = field(default_factory=dict)
    """Readings of the last step."""

    @property
    def code(self) -> int:
        """Exit code: 130 where Ctrl-C ended the run, 1 where the model gave NaN."""
        return 130 if self.cancelled else int(self.record.outcome.failed)

    @property
    def cancelled(self) -> bool:
        """Whether Ctrl-C ended the run early."""
        return self.record.outcome.reason == Reason.CANCELLED

    def json(self) -> dict[str, Any]:
        """Return the outcome as plain values for ``--json``."""
        return {
            "files": [str(path) for path in self.files],
            "outcome": self.record.outcome.model_dump(mode="json"),
            "saved": {"prediction": self.saved.prediction_name, "still_adversarial": self.saved.still_adversarial},
            "notes": list(self.notes),
            **({} if self.knowing is None else {"defense": _defense_json(self.knowing)}),
            "readings": {name: value if math.isfinite(value) else None for name, value in self.readings.items()},
            **told.as_json(self.artifacts),
            **(
                {}
                if self.transfer is None
                else {"transfer": [dict(zip(self.transfer.columns, r, strict=True)) for r in self.transfer.rows]}
            ),
        }

    def sentences(self) -> list[str]:
        """Return the outcome as sentences for a person."""
        out, record = self.record.outcome, self.record
        lines = [
            f"{record.model.name}, {record.operation.slug} {_aim(record)}, seed {record.seed}, {record.device_name}",
            f"  {_prediction_text(out.before)} → {_prediction_text(out.after)}",
            f"  {_verdict(record)}; {_size(record)}{out.forwards:,} forward and {out.backwards:,} backward rows, {out.seconds:.2f} s",
            f"  {self.saved.sentence}",
            *(f"  {line}" for line in (() if self.knowing is None else self.knowing.sentences())),
            *(f"  {note}" for note in self.notes),
        ]
        return [*lines, *(f"  {path}" for path in self.files)]


def perform(request: AttackRequest, output: Output) -> Done:
    """Attack, and write image, record, figure and, where asked for, arrays. Ctrl-C ends the attack with its best so far.

    Raises
    ------
    GibbonError
        Inputs do not fit, or files exist and must not be overwritten.
    """
    image, record, figure, arrays, learned = (
        output.folder / f"{output.stem}.{suffix}" for suffix in ("png", "json", "pdf", "npz", "safetensors")
    )
    planned = [image, record, figure, figure.with_name(f"{figure.name}.json")]
    planned += [*([arrays] if output.arrays else []), *([learned] if request.attack.slug == Universal.slug else [])]
    places, landscape = (output.folder / f"{output.stem}.{suffix}" for suffix in ("csv", "map.pdf"))
    mapped = request.attack.slug == StickerLandscape.slug
    planned += [places, landscape, landscape.with_name(f"{landscape.name}.json")] if mapped else []
    beside = output.folder / f"{output.stem}.artifacts.json"
    behind = request.attacked
    refuse_existing([*planned, *([beside] if told.may_give(request.attack) else [])], output.overwrite)
    check_panels(output.panels, request.classifier.sites)
    clean = request.photograph.crop_to(request.classifier, request.crop)
    request = _with_label(request, clean)
    result, readings = _run(request, output, clean, behind)
    knowing = _knowing(request, output, clean, result)
    saved = save_adversarial(result, 0, image)
    entry = record_of(
        result,
        image=image_entry(clean, request.photograph, request.crop or request.photograph.default_crop(request.classifier), output.folder),
        mask=mask_entry(request.mask, request.mask_path, output.folder),
        start=request.start,
        folder=output.folder,
    )
    entry.write(record)
    plan = FigurePlan(panels=tuple(output.panels), width_mm=output.width_mm)
    sidecar = entry.model_copy(update={"figure": plan.model_dump(mode="json")})
    drawn = plan.figure(subject_of(result, explanations=explanations_in(plan.names)), note_for(result))
    export(drawn, figure, sidecar.to_json())
    if output.arrays:
        export_arrays(arrays, result, 0, None if request.mask is None else request.mask.numpy())
    if request.attack.slug == Universal.slug:
        perturbation = result.artifacts["universal"]
        assert isinstance(perturbation, Perturbation)
        save_perturbation(learned, perturbation, **result.provenance)
    if mapped:
        listed = result.artifacts["places"]
        assert isinstance(listed, Table)
        write_csv(places, listed)
        export(landscape_figure(result, width_mm=output.width_mm), landscape, sidecar.to_json())
    table = transfer(result, request.others, mask=request.mask, seed=request.seed).table() if request.others else None
    found: Mapping[str, Artifact] = result.artifacts if told.may_give(request.attack) or output.quiet else {}
    written = told.write(beside, found) if told.may_give(request.attack) else None
    files = (*planned, *([] if written is None else [written]))
    notes = (*output.notes, *result.remarks, *filter(None, [boxes_in(drawn), _caveat(request, result, knowing)]))
    return Done(entry, saved, files, notes, table, knowing, found, readings)


def _with_label(request: AttackRequest, clean: Tensor) -> AttackRequest:
    """Return the request with the plain model's prediction for its label, where a defense has none: both attackers get the same."""
    if not request.defense or request.label is not None:
        return request
    return replace(request, label=int(request.classifier.predict(clean[None])), label_assumed=True)


def _knowing(request: AttackRequest, output: Output, clean: Tensor, aware: AttackResult) -> Both | None:
    """Attack the classifier without the defense, where there is one and the attack through it was not cancelled."""
    if not request.defense or aware.reason == Reason.CANCELLED:
        return None
    plain, _ = _run(request, output, clean, request.classifier)
    return Both(request.defense, plain, aware)


def _caveat(request: AttackRequest, result: AttackResult, knowing: Both | None) -> str:
    """Return the sentence beside a verdict that could be read as robustness; empty where there is none."""
    if knowing is not None:
        # The surrogate's light is about the attacker who does not know; his number stands beside this one anyway.
        return caveat(request.attack, [light for light in lights_of(knowing) if light.sign.slug != "surrogate"])
    return "" if bool(result.success[0]) else caveat(request.attack)


def _defense_json(both: Both) -> dict[str, Any]:
    names = ("without", "unaware", "aware")
    won = (both.plain.success, both.unaware_success, both.aware.success)
    return {
        "steps": words(both.steps),
        "success": {name: bool(success[0]) for name, success in zip(names, won, strict=True)},
        "remarks": list(both.remarks),
    }


def _run(request: AttackRequest, output: Output, clean: Tensor, classifier: Classifier) -> tuple[AttackResult, dict[str, float]]:
    label = None if request.label is None else torch.tensor([request.label])
    target = None if request.target is None else torch.tensor([request.target])
    with (
        start(
            request.attack,
            classifier,
            clean[None],
            label,
            target,
            request.mask,
            seed=request.seed,
            labels_assumed=request.label_assumed,
            start=None if request.start is None else request.start[None],
            data=request.data,
        ) as run,
        interruptible() as interrupt,
        progress(output.quiet) as bar,
    ):
        made_folder(output.folder)  # now, so that a wrong folder is reported before an hour of attacking
        units = request.attack.reading_units
        task, due = bar.add_task(request.attack.title, total=None, news=""), every(0.1)
        for step in run:
            assert isinstance(step, AttackStep)
            if not bar.disable and due():
                readings = "".join(f", {name} {format_reading(float(value), units.get(name, ''))}" for name, value in step.readings.items())
                bar.update(task, completed=step.index, total=step.total, news=f"loss {float(step.loss[0]):.3g}{readings}")
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        result = run.result()
    assert isinstance(result, AttackResult)
    return result, {} if run.last is None else {name: float(value) for name, value in run.last.readings.items()}


def _aim(record: Record) -> str:
    if record.target is not None:
        return f"towards “{record.target.name}”"
    away = f"away from “{record.label.name}”{' (assumed)' if record.label.assumed else ''}"
    return away if record.goal is None else f"{away} towards “{record.goal.name}”, the class it chose"


def _prediction_text(prediction: Prediction) -> str:
    if not math.isfinite(prediction.probability):
        return "no prediction, since the model gives NaN"
    return f"{prediction.name} {format_probability(prediction.probability)}"


def _verdict(record: Record) -> str:
    out = record.outcome
    end, steps = _end(record), counted(out.steps_made, "step")
    if out.failed:
        return f"failed after {steps}{end}"
    if not out.success:
        return f"not adversarial after {steps}{end}"
    if out.wrong_before and record.target is None:
        return f"wrong before the attack, which had nothing to do in {steps}{end}"
    before = " (it was wrong before)" if out.wrong_before else ""
    return f"adversarial{before}, first at step {out.steps_to_flip:,} of {out.steps_made:,}{end}"


def _end(record: Record) -> str:
    """Return why the run ended, where it was not at its regular end."""
    reason, budget = record.outcome.reason, record.operation.parameters.get("max_queries")
    if reason == Reason.BUDGET and isinstance(budget, int):
        return f", then the budget of {counted(budget, 'query', 'queries')} was spent"
    return "" if reason == Reason.FINISHED else f", {reason}"


def _size(record: Record) -> str:
    """Return the norms in words, where the image is a change of the clean one."""
    if not CATALOGUE[record.operation.slug].from_image:
        return ""
    norms = record.outcome.norms
    levels = f"{short(255 * norms['linf'])}/255"
    return f"L∞ {format_norm(norms['linf'])} ({levels}), L2 {format_norm(norms['l2'])}, L0 {norms['l0']:,.0f} px; "
