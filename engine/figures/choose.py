"""Choice of a figure's panels for a result: their content and their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from torch import Tensor

from engine.errors import GibbonError
from engine.explain import CATALOGUE as EXPLANATIONS
from engine.explain import Explanation, LayerActivity
from engine.figures.bars import BarsPanel
from engine.figures.panels import Array, FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel
from engine.figures.perturbation import perturbation_panels
from engine.figures.plots import HistogramPanel, LossPanel
from engine.figures.style import ADVERSARIAL, CLEAN, norm, percent
from engine.figures.subject import Subject, array, subject_of
from engine.figures.words import GROWN
from engine.perturbation_view import VIEWS
from engine.result import AttackResult
from engine.sites import Site
from engine.text.formatting import counted

MAP_QUANTILE = 0.995
"""Quantile at which the scale of an explanation's maps ends; the printed limit shows that larger values exist."""
DEFAULT = ("clean", "adversarial", "perturbation")
NO_ACTIVATIONS = "The model has no rectifier, so there are no activations to show."


def panel_titles() -> dict[str, str]:
    """Return the name of every panel that a figure can show with its title, in the order of a figure.

    An explanation's name is its slug. ``histogram:SITE`` names a layer; without it the layer is shown whose largest activation grew most.
    ``perturbation:VIEW`` names one of `engine.perturbation_view.VIEWS`.
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
    result: AttackResult,
    row: int = 0,
    which: Sequence[str] = DEFAULT,
    *,
    clean: Tensor | None = None,
    top: int = 3,
    bounds: Mapping[str, float] | None = None,
    gain: float | None = None,
) -> list[FigurePanel]:
    """Return the panels named in ``which`` (see `panel_titles`), in that order, for one row of an attack's result.

    An explanation gives two: the clean and the adversarial image on one scale. `subject_of` describes ``clean`` and
    ``bounds``, and `panels_of` describes ``gain``.

    Raises
    ------
    GibbonError
        A panel or a layer of that name does not exist.
    """
    subject = subject_of(result, row, clean=clean, explanations=explanations_in(which), top=top, bounds=bounds)
    return panels_of(subject, which, gain=gain)


def panels_of(subject: Subject, which: Sequence[str] = DEFAULT, *, gain: float | None = None, norms: bool = True) -> list[FigurePanel]:
    """Return the panels of a subject, like `panels_for`, also for a pair of images without an attack.

    The perturbation of an image grown from noise is left out, and `note_for` mentions it.

    Parameters
    ----------
    subject, which
        The images with their facts, and the names of the panels.
    gain
        Factor by which the perturbation is amplified, so that its scale ends at ``1 / gain``. None: it ends at the largest change.
    norms
        Whether the perturbation's caption states its norms. They are superfluous where `note_for` stands below.
    """
    check_panels(which)
    makers: dict[str, Callable[[Subject, str], list[FigurePanel]]] = {
        "clean": _clean,
        "adversarial": _adversarial,
        "perturbation": partial(perturbation_panels, gain=gain, norms=norms),
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
        if kind == "perturbation" and detail and detail not in VIEWS:
            raise GibbonError(f"There is no view “{detail}” of the perturbation. Choose among {', '.join(VIEWS)}.")
        if kind == "histogram" and sites is not None:
            _check_layer(detail, [site.name for site in sites])


def _check_layer(layer: str, known: Sequence[str]) -> None:
    if not known:
        raise GibbonError(f"{NO_ACTIVATIONS} Leave the histogram out.")
    if layer and layer not in known:
        raise GibbonError(f"The model has no layer “{layer}”. It has: {', '.join(known)}.")


def _says(subject: Subject, probabilities: Tensor | Array) -> str:
    best = int(probabilities.argmax())
    return f"{subject.names[best]}, {percent(float(probabilities[best]))}"


def _clean(subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    lines = [_says(subject, seen.clean)]
    if subject.began is not None:
        lines.append(f"with stickers: {_says(subject, subject.began)}")
    if subject.label is not None:
        lines.append(f"label: {subject.names[subject.label]}{' (assumed)' if subject.label_assumed else ''}")
        before = seen.clean_prediction if subject.began is None else int(subject.began.argmax())
        if before != subject.label:
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


def _explanation(slug: str, subject: Subject, _: str) -> list[FigurePanel]:
    seen = subject.observation
    if slug in seen.failures:
        raise GibbonError(seen.failures[slug])
    if slug not in seen.explanations:
        raise GibbonError(f"The observation holds no “{slug}”. Make it with observe(..., explanations=[...]).")
    explained = seen.explanations[slug]
    kind = SignedMapPanel if explained.explanation.signed else SaliencyPanel
    both = [array(explained.clean), array(explained.adversarial)]
    # A few pixels far exceed the rest, and a scale up to them would leave the map black.
    high = max(float(np.quantile(np.abs(values), MAP_QUANTILE)) for values in both) or 1.0
    extent = (min(float(values.min()) for values in both), max(float(values.max()) for values in both))
    pairs = (("clean", both[0], seen.clean_prediction), ("adversarial", both[1], seen.adversarial_prediction))
    return [
        kind(
            title=f"{explained.explanation.title}, {image}",
            caption=f"for {subject.names[prediction]}",
            values=values,
            extent=extent,
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
    spikes = counted(layer.spikes, "spike").replace(" ", "\N{NO-BREAK SPACE}")
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
    if subject.reached_before:
        caption = "misread before the attack" if subject.target is None else "the target before the attack"
    shown = {"loss": subject.loss, "steps": subject.loss_steps, "flipped_at": subject.flipped_at, "y_label": subject.loss_name}
    return [LossPanel(title="Loss", caption=caption, **shown)]  # type: ignore[arg-type]
