"""The widgets that show the frame: those of them that are in sight must have painted before an update counts."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gui.app import Workbench


def followers(bench: Workbench) -> list[QWidget]:
    """Return the canvas and the visible widgets of the panels that follow the frame: bars, maps and histograms."""
    from gui.panels.activations.layer_list import LayerList
    from gui.plots.bars import ProbabilityBars
    from gui.plots.pixel_maps import PixelMaps

    panels = bench.window.panels
    found: list[QWidget] = [
        bench.window.canvas.adversarial_pane.viewport,
        *panels["prediction"].findChildren(ProbabilityBars),
        *panels["perturbation"].findChildren(PixelMaps),
        *(layers.viewport() for layers in panels["activations"].findChildren(LayerList)),
    ]
    return [widget for widget in found if widget.isVisible()]
