"""Canvas, plan and explanations as entries of a study, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from engine.errors import GibbonError
from engine.explain import Explanation
from engine.study import operations, stickers
from engine.study.entries import CanvasEntry, OperationEntry, PlanEntry, SettingsEntry, StartEntry, plain
from engine.study.runs import Sources, answer_entries, answers_of, data_choice, data_entry, image_info, steps_entry, steps_of
from engine.study.shapes import Shapes
from engine.study.tensors import Tensors
from engine.study.values import Canvas, Plan, Settings, StartPicture


def entry_of(canvas: Canvas, tensors: Tensors) -> CanvasEntry:
    """Make the entry of a canvas, with its tensors added to ``tensors``."""
    return CanvasEntry(
        model=None if canvas.classifier is None else canvas.classifier.fingerprint,
        clean=tensors.add_if(canvas.clean),
        image=image_info(canvas.image, canvas.photograph),
        label=canvas.label,
        target=canvas.target,
        region=canvas.region,
        stickers=stickers.entries_of(canvas.stickers, tensors),
        selected=canvas.selected,
        new_content=canvas.new_content,
        new_colour=canvas.new_colour,
        delta=tensors.add_if(canvas.delta),
        grown=canvas.grown,
        bounds=dict(canvas.bounds),
        defense=steps_entry(canvas.defense),
        answers=answer_entries(canvas.answers, tensors),
    )


def canvas_of(entry: CanvasEntry, sources: Sources) -> Canvas:
    """Make the canvas of an entry.

    Raises
    ------
    GibbonError
        A part is missing, damaged or of another shape.
    """
    if entry.model is not None and entry.model not in sources.classifiers:
        raise GibbonError("its canvas is of a model that it does not name")
    classifier = None if entry.model is None else sources.classifiers[entry.model]
    clean, delta = _found(entry.clean, sources.find), _found(entry.delta, sources.find)
    if (clean is not None or delta is not None) and classifier is None:
        raise GibbonError("its canvas has an image and no model")
    if delta is not None and clean is None:
        raise GibbonError("its canvas has a perturbation and no image")
    if classifier is not None:
        shapes = Shapes(classifier.input_shape, classifier.num_classes)
        if clean is not None:
            shapes.check_image("image", clean)
        shapes.check_difference(delta)
        shapes.check_class("true label", entry.label)
        shapes.check_class("target", entry.target)
    return Canvas(
        classifier=classifier,
        clean=clean,
        image=dict(entry.image.facts),
        photograph=sources.photographs.get(entry.image.photograph or ""),
        label=entry.label,
        target=entry.target,
        region=entry.region,
        stickers=sources.stickers.of(entry.stickers),
        selected=entry.selected,
        new_content=entry.new_content,
        new_colour=entry.new_colour,
        delta=delta,
        grown=entry.grown,
        bounds=dict(entry.bounds),
        defense=steps_of(entry.defense),
        answers=answers_of(entry.answers, sources.find),
    )


def plan_entry(plan: Plan, tensors: Tensors) -> PlanEntry:
    """Make the entry of a plan, with its start image added to ``tensors``."""
    start = plan.start
    return PlanEntry(
        slug=plan.slug,
        settings=_settings_entry(plan.settings),
        kept={slug: _settings_entry(settings) for slug, settings in plan.kept.items()},
        seed=plan.seed,
        data=data_entry(plan.data),
        start=None
        if start is None
        else StartEntry(
            image=tensors.add(start.image),
            name=start.name,
            prediction=start.prediction,
            photograph=None if start.photograph is None else start.photograph.sha256,
        ),
        knows_defense=plan.knows_defense,
        live=plan.live,
    )


def plan_of(entry: PlanEntry, sources: Sources) -> Plan:
    """Make the plan of an entry."""
    return Plan(
        slug=entry.slug,
        settings=_settings_of(entry.settings),
        kept={slug: _settings_of(settings) for slug, settings in entry.kept.items()},
        seed=entry.seed,
        data=data_choice(entry.data),
        start=_start_of(entry.start, sources),
        knows_defense=entry.knows_defense,
        live=entry.live,
    )


def explanations_of(entries: Sequence[OperationEntry], version: int, remarks: list[str]) -> tuple[Explanation, ...]:
    """Make the explanations of entries; one that is not known here is left out, with a remark."""
    found: list[Explanation] = []
    for entry in entries:
        try:
            operation = operations.operation_of(entry, version)
        except operations.UnknownOperation as error:
            remarks.append(f"An explanation of the study is not shown, since {error}.")
            continue
        if not isinstance(operation, Explanation):
            raise GibbonError(f"it names “{entry.slug}” among its explanations")
        found.append(operation)
    return tuple(found)


def _start_of(entry: StartEntry | None, sources: Sources) -> StartPicture | None:
    if entry is None:
        return None
    image = sources.find(entry.image)
    if image.dim() != 3 or not image.is_floating_point() or not bool(((image >= 0) & (image <= 1)).all()):
        raise GibbonError("its start image is no image")
    return StartPicture(image, entry.name, entry.prediction, sources.photographs.get(entry.photograph or ""))


def _settings_entry(settings: Settings) -> SettingsEntry:
    return SettingsEntry(parameters=plain(settings.parameters), preset=settings.preset)


def _settings_of(entry: SettingsEntry) -> Settings:
    parameters: dict[str, Any] = dict(entry.parameters)
    return Settings(parameters, entry.preset)


def _found(digest: str | None, find: Callable[[str], Tensor]) -> Tensor | None:
    return None if digest is None else find(digest)
