"""The figure of a sticker's landscape: the clean image, the sticker at its best place, and the map of all places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.artifacts import Map
from engine.errors import GibbonError
from engine.figures.compose import compose
from engine.figures.panels import FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel
from engine.figures.style import ADVERSARIAL, CLEAN, percent
from engine.figures.subject import array
from engine.result import AttackResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def landscape_figure(result: AttackResult, row: int = 0, width_mm: float = 174.0) -> Figure:
    """Compose the figure of a landscape.

    Parameters
    ----------
    result
        The result of `engine.attacks.StickerLandscape`, whole or of a run that was cancelled.
    row
        Which image of the batch.
    width_mm
        Width of the figure in mm.

    Raises
    ------
    GibbonError
        The result has no landscape.
    """
    made = result.artifacts.get("landscape")
    if not isinstance(made, Map):
        raise GibbonError(f"{result.title} has made no landscape. Run the sticker landscape.")
    values = array(made.values[row])
    limit = float(np.nanmax(np.abs(values))) if not bool(np.isnan(values).all()) else 1.0
    panel: FigurePanel
    extent = float(np.nanmin(values, initial=0.0)), limit
    if made.signed:
        panel = SignedMapPanel(title="Landscape", caption=made.title, values=values, low=-(limit or 1.0), high=limit or 1.0, extent=extent)
    else:
        panel = SaliencyPanel(title="Landscape", caption=made.title, values=values, low=0.0, high=1.0, extent=extent)
    names, clean, best = result.classifier.labels, result.clean_prediction[row], result.prediction[row]
    share = float(result.logits[row].softmax(0)[best])
    panels = [
        ImagePanel(title="Clean", caption=names[int(clean)], image=array(result.clean[row]), frame=CLEAN),
        ImagePanel(
            title="Best place", caption=f"{names[int(best)]}, {percent(share)}", image=array(result.adversarial[row]), frame=ADVERSARIAL
        ),
        panel,
    ]
    return compose(panels, width_mm=width_mm)
