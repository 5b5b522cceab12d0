"""Choice of a figure's panels for a result: their content, their limits, and the small print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from engine.channels import strongest_channel
from engine.errors import GibbonError
from engine.explain import CATALOGUE as EXPLANATIONS
from engine.explain import Explanation, LayerActivity, Observation, observe
from engine.figures.bars import BarsPanel
from engine.figures.panels import Array, FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel
from engine.figures.plots import HistogramPanel, LossPanel
from engine.figures.style import ADVERSARIAL, CLEAN, norm, percent
from engine.operation import Attack, Operation
from engine.parameters import Parameter, parameters_of
from engine.result import AttackResult
from engine.sites import Site

MAP_QUANTILE = 0.995
"""Quantile at which the scale of an explanation's maps ends; the printed limit shows that larger values exist."""
DEFAULT = ("clean", "adversarial", "perturbation")
NO_ACTIVATIONS = "The model has no rectifier, so there are no activations to show."
PERTURBATION_VIEWS: Mapping[str, str] = MappingProxyType(
    {"strongest": "Strongest channel", "mean": "Mean of channels", "channels": "Each channel", "colour": "RGB around grey"}
)
"""Views of the perturbation of a colour image, named after a colon: ``perturbation:channels``. The first is the usual one."""
GROWN = "The image was grown from noise, so there is no perturbation of the clean one to show."


@dataclass(frozen=True, eq=False)
class Subject:
    """One pair of images with its facts, from which panels are made."""

    observation: Observation
    names: Sequence[str]
    """The classifier's class names."""
    label: int | None = None
    label_assumed: bool = False
    target: int | None = None
    success: bool | None = None
    """Whether the attack succeeded; None where nothing was attacked."""
    survives_8bit: bool | None = None
    grown: bool = False
    """Whether the adversarial image was grown from noise: the difference from the clean one is then no perturbation, and is not shown."""
    loss: Array | None = None
    """The loss of every step."""
    flipped_at: int | None = None
    loss_name: str = "loss"
    top: int = 3
    """Number of classes in the bars."""


def panel_titles() -> dict[str, str]:
    """Return the name of every panel that a figure can show with its title, in the order of a figure.

    An explanation's name is its slug. ``histogram:SITE`` names a layer; without it the layer is shown whose largest activation grew most.
    ``perturbation:VIEW`` names one of `PERTURBATION_VIEWS`.
    """
    return {
        "clean": "Clean image",
        "adversarial": "Adversarial image",
        "perturbation": "Perturbation",
        **{slug: f"{kind.title}, clean and adversarial" for slug, kind in EXPLANATIONS.items()},
        "bars": "Prediction bars",
        "histogram": "Activation histogram",
        "loss": "Loss curve",
    }


def panels_for(
    result: AttackResult, row: int = 0, which: Sequence[str] = DEFAULT, *, top: int = 3, bounds: Mapping[str, float] | None = None
) -> list[FigurePanel]:
    """Return the panels named in ``which`` (see `panel_titles`), in that order, for one row of an attack's result.

    An explanation gives two: the clean and the adversarial image on one scale. `subject_of` describes ``bounds``.

    Raises
    ------
    GibbonError
        A panel or a layer of that name does not exist.
    """
    return panels_of(subject_of(result, row, explanations=explanations_in(which), top=top, bounds=bounds), which)


def subject_of(
    result: AttackResult, row: int = 0, *, explanations: Sequence[Explanation] = (), top: int = 3, bounds: Mapping[str, float] | None = None
) -> Subject:
    """Return one row of an attack's result as the subject of a figure.

    Under ``bounds`` (site name to value) the pair is observed a second time, as in `engine.explain.observe`; the attack itself ran without
    them.
    """
    if not 0 <= row < len(result.clean):
        raise GibbonError(f"There is no row {row}: the result holds rows 0 to {len(result.clean) - 1}.")
    flipped = int(result.steps_to_flip[row])
    loss = str(getattr(result.operation, "loss", "ce"))
    towards = result.targets is not None or getattr(result.operation, "towards", "label or target") != "label or target"
    sign = "−" if loss in ("ce", "stable-ce") and towards else ""  # the loss that the attacker maximises is negative towards a class
    return Subject(
        observation=observe(result.classifier, result.clean[row], result.adversarial[row], bounds=bounds, explanations=explanations),
        names=result.classifier.labels,
        label=int(result.labels[row]),
        label_assumed=result.labels_assumed,
        target=None if result.targets is None else int(result.targets[row]),
        success=bool(result.success[row]),
        survives_8bit=bool(result.survives_8bit[row]),
        grown=isinstance(result.operation, Attack) and not result.operation.from_image,
        loss=array(result.trace[:, row]),
        flipped_at=flipped if flipped >= 0 else None,
        loss_name=sign + {"ce": "cross-entropy", "stable-ce": "cross-entropy", "margin": "margin", "dlr": "DLR loss"}.get(loss, "loss"),
        top=top,
    )


def panels_of(subject: Subject, which: Sequence[str] = DEFAULT) -> list[FigurePanel]:
    """Return the panels of a subject, like `panels_for`, also for a pair of images without an attack.

    The perturbation of an image grown from noise is left out, and `note_for` mentions it.
    """
    check_panels(which)
    makers: dict[str, Callable[[Subject, str], list[FigurePanel]]] = {
        "clean": _clean,
        "adversarial": _adversarial,
        "perturbation": _perturbation,
        **{slug: partial(_explanation, slug) for slug in EXPLANATIONS},
        "bars": _bars,
        "histogram": _histogram,
        "loss": _loss,
    }
    named = [name.partition(":") for name in which if not (subject.grown and name.startswith("perturbation"))]
    if not named:
        raise GibbonError(f"{GROWN} Choose another panel.")
    return [panel for kind, _, detail in named for panel in makers[kind](subject, detail)]


def explanations_in(which: Sequence[str], given: Sequence[Explanation] = ()) -> tuple[Explanation, ...]:
    """Return the explanations among the panels named in ``which``: those of ``given``, and others with their default parameters."""
    known = {explanation.slug: explanation for explanation in given}
    return tuple(known.get(name) or EXPLANATIONS[name]() for name in dict.fromkeys(which) if name in EXPLANATIONS)


def check_panels(which: Sequence[str], sites: Sequence[Site] | None = None) -> None:
    """Refuse what `panels_of` would refuse, before anything runs; with the ``sites`` of a classifier also unknown layers.

    Raises
    ------
    GibbonError
        A panel or a layer of that name does not exist, or no panel is named.
    """
    known = panel_titles()
    if not which:
        raise GibbonError(f"A figure needs at least one panel. Choose among {', '.join(known)}.")
    twice = next((name for place, name in enumerate(which) if name in which[:place]), None)
    if twice is not None:
        raise GibbonError(f"The panel “{twice}” is named twice. Name it once.")
    for name in which:
        kind, _, detail = name.partition(":")
        if kind not in known or (detail and kind not in ("histogram", "perturbation")):
            raise GibbonError(f"There is no panel “{name}”. Choose among {', '.join(known)}.")
        if kind == "perturbation" and detail and detail not in PERTURBATION_VIEWS:
            raise GibbonError(f"There is no view “{detail}” of the perturbation. Choose among {', '.join(PERTURBATION_VIEWS)}.")
        if kind == "histogram" and sites is not None:
            _check_layer(detail, [site.name for site in sites])


def _check_layer(layer: str, known: Sequence[str]) -> None:
    if not known:
        raise GibbonError(f"{NO_ACTIVATIONS} Leave the histogram out.")
    if layer and layer not in known:
        raise GibbonError(f"The model has no layer “{layer}”. It has: {', '.join(known)}.")


def note_for(result: AttackResult, row: int = 0, *, reference: str | None = None) -> str:
    """Return the small print: model, attack with its parameters, seed, and all choices, assumptions and generated data."""
    operation, goal = result.operation, result.goal(row)
    parameters = ", ".join(f"{parameter.title} {parameter.shown(value)}" for parameter, value in _worth_saying(operation))
    sentences = [f"Model {result.classifier.name}. {operation.title}: {parameters}; seed {result.provenance['seed']}."]
    if goal is not None:
        sentences.append(f"It went towards “{result.classifier.labels[goal]}”, the class it chose.")
    if isinstance(operation, Attack) and not operation.from_image:
        sentences.append(GROWN)
    if result.labels_assumed:
        sentences.append("The label is assumed: it is the model's own prediction for the clean image.")
    if reference is not None:
        made = "; drawn by a program, no photographs" if reference.startswith("generated:") else ""
        sentences.append(f"Reference set: {reference}{made}.")
    return " ".join(sentences)


def array(tensor: Tensor) -> Array:
    """Convert a tensor to float32 on the CPU."""
    values: Array = tensor.detach().cpu().float().numpy()
    return values


def _worth_saying(operation: Operation) -> list[tuple[Parameter, Any]]:
    """Return the parameters of the budget, and all that differ from their default, with their values."""
    given = [(parameter, getattr(operation, name)) for name, parameter in parameters_of(type(operation)).items()]
    return [(each, value) for each, value in given if value is not None and (each.group == "Budget" or value != each.default)]


def _says(subject: Subject, probabilities: Tensor) -> str:
    best = int(probabilities.argmax())
    return f"{subject.names[best]}, {percent(float(probabilities[best]))}"


def _clean(subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    lines = [_says(subject, seen.clean)]
    if subject.label is not None:
        lines.append(f"label: {subject.names[subject.label]}{' (assumed)' if subject.label_assumed else ''}")
        if seen.clean_prediction != subject.label:
            lines.append("wrong before the attack")
    return [ImagePanel(title="Clean", caption="\n".join(lines), image=array(seen.clean_image), frame=CLEAN)]


def _adversarial(subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    lines = [_says(subject, seen.adversarial)]
    if subject.target is not None:
        lines.append(f"target: {subject.names[subject.target]}")
    if subject.success is False:
        lines.append("the attack did not succeed")
    elif subject.success and subject.survives_8bit is False:
        lines.append("lost when rounded to 8 bits")
    return [ImagePanel(title="Adversarial", caption="\n".join(lines), image=array(seen.adversarial_image), frame=ADVERSARIAL)]


def _perturbation(subject: Subject, view: str) -> list[FigurePanel]:
    """Return the panels of the perturbation in one of `PERTURBATION_VIEWS`, all at the gain that fills the scale."""
    seen = subject.observation
    delta = array(seen.perturbation)
    view = (view or "strongest") if len(delta) > 1 else "mean"
    if view == "colour" and len(delta) != 3:
        view = "strongest"  # other channels than red, green and blue make no colour
    maps = list(delta) if view == "channels" else [delta.mean(0) if view == "mean" else strongest_channel(delta)]
    limit = float(np.abs(delta if view in ("channels", "colour") else maps[0]).max())
    # A scale needs a width, so an unchanged image is shown at a gain of 255.
    limit, gain = (limit, f"gain {norm(1 / limit)}") if limit > 0 else (1 / 255, "nothing changed")
    sizes = seen.norms
    what = f", {PERTURBATION_VIEWS[view].lower()}" if len(delta) > 1 and view != "channels" else ""
    lines = [f"{gain}{what}", f"L∞ {norm(sizes['linf'])}, L2 {norm(sizes['l2'])}", f"L1 {norm(sizes['l1'])}, L0 {sizes['l0']:.0f} px"]
    if view == "colour":
        return [ImagePanel(title="Perturbation", caption="\n".join(lines), image=np.clip(0.5 + delta / (2 * limit), 0, 1))]
    names = ("red", "green", "blue") if len(delta) == 3 else tuple(f"channel {place + 1}" for place in range(len(delta)))
    titles = [f"Perturbation, {name}" for name in names] if view == "channels" else ["Perturbation"]
    return [
        SignedMapPanel(title=title, caption="\n".join(lines), values=values, low=-limit, high=limit)
        for title, values in zip(titles, maps, strict=True)
    ]


def _explanation(slug: str, subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    if slug in seen.failures:
        raise GibbonError(seen.failures[slug])
    if slug not in seen.explanations:
        raise GibbonError(f"The observation holds no “{slug}”. Make it with observe(..., explanations=[...]).")
    explained = seen.explanations[slug]
    kind = SignedMapPanel if explained.explanation.signed else SaliencyPanel
    # A few pixels far exceed the rest, and a scale up to them would leave the map black.
    high = max(float(np.quantile(np.abs(array(values)), MAP_QUANTILE)) for values in (explained.clean, explained.adversarial)) or 1.0
    pairs = (("clean", explained.clean, seen.clean_prediction), ("adversarial", explained.adversarial, seen.adversarial_prediction))
    return [
        kind(
            title=explained.explanation.title,
            caption=f"{image} image, for {subject.names[prediction]}",
            values=array(values),
            low=-high if explained.explanation.signed else 0.0,
            high=high,
        )
        for image, values, prediction in pairs
    ]


def _bars(subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    clean, adversarial = array(seen.clean), array(seen.adversarial)
    return [
        BarsPanel(
            title="Prediction",
            names=subject.names,
            clean=clean,
            adversarial=adversarial,
            label=subject.label,
            label_assumed=subject.label_assumed,
            target=subject.target,
            top=subject.top,
        )
    ]


def _histogram(subject: Subject, site: str) -> list[FigurePanel]:
    seen = subject.observation
    layer = _layer(seen.layers, site)
    spikes = f"{layer.spikes} spike{'s' if layer.spikes != 1 else ''}"
    bounds = {} if seen.bounded is None else seen.bounded.bounds
    return [
        HistogramPanel(
            title=f"Activations, {layer.site.name}",
            caption=f"largest {norm(layer.clean_max)} clean (dashed), {norm(layer.adversarial_max)} adversarial; {spikes}",
            edges=array(layer.edges),
            clean=array(layer.clean),
            adversarial=array(layer.adversarial),
            clean_max=layer.clean_max,
            bound=bounds.get(layer.site.name),
        )
    ]


def _layer(layers: Sequence[LayerActivity], site: str) -> LayerActivity:
    _check_layer(site, [layer.site.name for layer in layers])
    if site:
        return next(layer for layer in layers if layer.site.name == site)
    return max(layers, key=lambda layer: layer.adversarial_max / layer.clean_max if layer.clean_max > 0 else 0.0)


def _loss(subject: Subject, _: str) -> list[FigurePanel]:
    if subject.loss is None:
        raise GibbonError("There is no loss curve without an attack. Leave the panel out.")
    caption = "never flipped" if subject.flipped_at is None else f"flipped at step {subject.flipped_at} (dashed)"
    if subject.target is not None:
        caption = caption.replace("flipped", "reached the target")
    return [LossPanel(title="Loss", caption=caption, loss=subject.loss, flipped_at=subject.flipped_at, y_label=subject.loss_name)]
