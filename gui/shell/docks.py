"""The table of the docks. A new dock is one panel's class, one line of this table, and its place in a workspace."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from gui.session.session import Session

Side = Literal["left", "right", "bottom"]


class MakesPanel(Protocol):
    """The class of a panel: a widget that is constructed with the session."""

    def __call__(self, session: Session) -> QWidget: ...


@dataclass(frozen=True)
class DockSpec:
    """A dock and its panel, which is a class of the module ``gui.panels.NAME``."""

    name: str
    """The dock's object name is ``dock.NAME``."""
    title: str
    panel: str
    """The name of the panel's class."""
    side: Side
    """The edge of the window at which the dock appears in a workspace that has no place for it."""
    keys: str = ""
    """The shortcut that shows the dock, or closes it if it is in front."""
    words: str = ""
    """Further words by which the command palette finds the dock."""

    @property
    def module(self) -> str:
        """The name of the module that holds the panel's class."""
        return f"gui.panels.{self.name}"

    @property
    def panel_class(self) -> MakesPanel:
        """The panel's class, whose module is imported by this."""
        return cast(MakesPanel, getattr(importlib.import_module(self.module), self.panel))


DOCKS: tuple[DockSpec, ...] = (
    DockSpec("attack", "Attack", "AttackPanel", "left", "Ctrl+K, A", words="parameters eps steps seed presets"),
    DockSpec("image", "Image", "ImagePanel", "left", "Ctrl+K, I", words="samples data sets crop open"),
    DockSpec("model", "Model", "ModelPanel", "left", "Ctrl+K, M", words="checkpoint classifier network weights rectifiers"),
    DockSpec("stickers", "Stickers", "StickersPanel", "left", "Ctrl+K, S", words="layers patch list order"),
    DockSpec("prediction", "Prediction", "PredictionPanel", "right", "Ctrl+K, P", words="probabilities bars norms verdict"),
    DockSpec(
        "perturbation",
        "Perturbation and saliency",
        "PerturbationPanel",
        "right",
        "Ctrl+K, D",
        words="explanation difference heat map gradient",
    ),
    DockSpec("trust", "Trust", "TrustPanel", "right", "Ctrl+K, J", words="lights gradient masking failed attack robust signs cure"),
    DockSpec("comparison", "Differences", "ComparisonPanel", "right", "Ctrl+K, F", words="compare runs table a b"),
    DockSpec("activations", "Activations", "ActivationsPanel", "bottom", "Ctrl+K, N", words="layers spikes histogram bound"),
    DockSpec("results", "Results", "ResultsPanel", "bottom", "Ctrl+K, R", words="curves tables maps loss"),
    DockSpec("transfer", "Transfer", "TransferPanel", "bottom", "Ctrl+K, T", words="other models matrix"),
    DockSpec("training", "Training", "TrainingPanel", "left", "Ctrl+K, G", words="recipe defense adversarial"),
    DockSpec(
        "defense", "Defense", "DefensePanel", "left", "Ctrl+K, Y", words="preprocessing jpeg squeezing bits median smoothing attacker"
    ),
    DockSpec(
        "distortion",
        "Distortion",
        "DistortionPanel",
        "left",
        "Ctrl+K, V",
        words="real life blur noise jpeg light camera print survival destruction rate contact sheet",
    ),
    DockSpec("curves", "Training curves", "CurvesPanel", "right", "Ctrl+K, C", words="loss accuracy epochs"),
    DockSpec("wall", "Training images", "WallPanel", "right", "Ctrl+K, W", words="batch clean adversarial seen"),
    DockSpec("experiments", "Experiments", "ExperimentsPanel", "right", "Ctrl+K, X", words="reproduced lectures tables"),
    DockSpec("batch", "Images", "BatchPanel", "bottom", "Ctrl+K, B", words="several images data set folder table robust accuracy"),
    DockSpec(
        "tables",
        "Tables",
        "TablesPanel",
        "bottom",
        "Ctrl+K, L",
        words="models attacks eps matrix heat map robust accuracy white box transfer defenses toml",
    ),
    DockSpec(
        "robustness",
        "Robustness",
        "RobustnessPanel",
        "bottom",
        "Ctrl+K, O",
        words="curve accuracy eps smallest perturbation empirical robustness",
    ),
    DockSpec("hardness", "Hardness", "HardnessPanel", "bottom", "Ctrl+K, H", words="hard samples steps to flip distribution"),
    DockSpec("runs", "Runs", "RunsPanel", "bottom", "Ctrl+K, U", words="log history finished records compare"),
    DockSpec("messages", "Messages", "MessagesPanel", "bottom", "Ctrl+K, E", words="log errors warnings"),
)
"""The order is that of the View menu: the screen's, from left to right and down."""
