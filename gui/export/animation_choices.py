"""AnimationChoices: the controls of an animation: its panels, the perturbation, size, times and format."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QGroupBox, QSpinBox, QVBoxLayout, QWidget

from engine.figures.animation import PANELS, AnimationPlan
from engine.figures.animation.video import MISSING, video_is_there
from engine.perturbation_view import GAINS, VIEWS
from gui.export.animation_source import AnimationSource
from gui.settings import Settings

FORMATS = {"GIF": ".gif", "APNG, every colour": ".apng", "WebP, every colour": ".webp", "MP4": ".mp4"}
_TITLES = {
    "clean": "Clean image",
    "adversarial": "Adversarial image",
    "perturbation": "Perturbation",
    "bars": "Prediction bars",
    "loss": "Loss curve",
}
WIDTHS = (480, 640, 960, 1280, 1920)
_FLAGS = {
    "loop": ("Begin again at the end", "Whether it is played once or again and again; in an MP4 the player decides"),
    "note": ("Model, attack and norms in small print", "Lines below: model and accuracy, attack with its parameters, norms, seed"),
    "dark": ("Light on dark, for slides", "Light text on dark paper"),
    "anonymous": ("Anonymous, for double-blind review", "No name of a file and no path in the animation and in the file beside it"),
}


class AnimationChoices(QWidget):
    """Shows and changes an `AnimationPlan`. What the last animation had is kept; the perturbation begins as in the window."""

    changed = Signal()
    """Another plan was chosen: read ``plan``."""

    def __init__(self, source: AnimationSource, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source, self._settings, self._quiet = source, settings, True
        self.checks = {name: self._check(_TITLES[name], f"Show the panel “{_TITLES[name]}”") for name in PANELS}
        self.flags = {name: self._check(title, tip) for name, (title, tip) in _FLAGS.items()}
        self.view, self.gain, self.width_px, self.format = (QComboBox() for _ in range(4))
        self.fps, self.hold_flip, self.hold_end = (QDoubleSpinBox() for _ in range(3))
        self.every = QSpinBox()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._panels())
        column.addWidget(self._times())
        column.addStretch(1)
        self._restore()
        self._quiet = False

    # ------------------------------------------------------------------ building

    def _panels(self) -> QGroupBox:
        box = QGroupBox("Panels")
        form = QFormLayout(box)
        for check in self.checks.values():
            form.addRow(check)
        views: dict[str, object] = {title: name for name, title in VIEWS.items()}
        form.addRow(
            "Channels",
            self._filled(self.view, views, "View of the perturbation", "How it is shown; at first as in the window"),
        )
        gains: dict[str, object] = {"Auto": None, **{f"×{gain}": float(gain) for gain in GAINS}}
        form.addRow("Gain", self._filled(self.gain, gains, "Gain", "Auto: the scale ends at the largest change of all frames"))
        if self._source.film.grown:
            self.checks["perturbation"].setEnabled(False)
            self.checks["perturbation"].setToolTip("The image was grown from noise: it is no change of the clean one")
        return box

    def _times(self) -> QGroupBox:
        box = QGroupBox("Animation")
        form = QFormLayout(box)
        widths: dict[str, object] = {f"{width:,} px": width for width in WIDTHS}
        form.addRow("Width", self._filled(self.width_px, widths, "Width", "Width of the frames in pixels"))
        form.addRow("Rate", self._number(self.fps, (1, 50), " frames/s", "Frames per second"))
        self.every.setPrefix("1 of ")
        self.every.setSpecialValueText("all")
        form.addRow(
            "Steps",
            self._number(self.every, (1, 1000), "", "Only every so many steps; first, flip and last always"),
        )
        form.addRow("Hold flip", self._number(self.hold_flip, (0, 10), " s", "How long the first success is held"))
        form.addRow("Hold end", self._number(self.hold_end, (0, 10), " s", "How long the last frame is held"))
        formats: dict[str, object] = dict(FORMATS)
        tip = "GIF plays everywhere and has 256 colours; APNG and WebP keep every colour; MP4 is for players"
        form.addRow("Format", self._filled(self.format, formats, "Format", tip if video_is_there() else f"{tip}. {MISSING}"))
        for check in self.flags.values():
            form.addRow(check)
        return box

    def _check(self, title: str, tip: str) -> QCheckBox:
        check = QCheckBox(title)
        check.setToolTip(tip)
        check.toggled.connect(self._tell)
        return check

    def _filled(self, box: QComboBox, items: dict[str, object], name: str, tip: str) -> QComboBox:
        for title, data in items.items():
            box.addItem(title, data)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.currentIndexChanged.connect(self._tell)
        return box

    def _number(self, box: QDoubleSpinBox | QSpinBox, limits: tuple[int, int], unit: str, tip: str) -> QWidget:
        box.setRange(*limits)
        if isinstance(box, QDoubleSpinBox):
            box.setDecimals(1)
        box.setSuffix(unit)
        box.setAccessibleName(tip)
        box.setToolTip(tip)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self._tell)
        return box

    # ------------------------------------------------------------------ the plan

    @property
    def plan(self) -> AnimationPlan:
        """The plan that the controls show."""
        return AnimationPlan(
            panels=tuple(name for name, check in self.checks.items() if check.isChecked() and check.isEnabled()),
            view=self.view.currentData(),
            gain=self.gain.currentData(),
            width_px=self.width_px.currentData(),
            fps=self.fps.value(),
            every=self.every.value(),
            hold_flip=self.hold_flip.value(),
            hold_end=self.hold_end.value(),
            **{name: check.isChecked() for name, check in self.flags.items()},
        )

    @property
    def suffix(self) -> str:
        """The suffix of the chosen format."""
        suffix: str = self.format.currentData()
        return suffix

    def keep(self) -> None:
        """Keep the plan for the next animation."""
        self._settings.keep_text("animation/plan", self.plan.model_dump_json())
        self._settings.keep_text("animation/format", self.format.currentText())

    def _restore(self) -> None:
        try:
            plan = AnimationPlan.model_validate_json(self._settings.text("animation/plan", "{}"))
        except ValueError:
            plan = AnimationPlan()
        for name, check in self.checks.items():
            check.setChecked(name in plan.panels)
        for name, check in self.flags.items():
            check.setChecked(getattr(plan, name))
        seen = self._source.view
        self.view.setCurrentIndex(max(0, self.view.findData(seen.channels)))
        if seen.gain is not None and self.gain.findData(seen.gain) < 0:
            self.gain.addItem(f"×{seen.gain:g}", seen.gain)
        self.gain.setCurrentIndex(max(0, self.gain.findData(seen.gain)))
        self.width_px.setCurrentIndex(max(0, self.width_px.findData(plan.width_px)))
        for box, value in ((self.fps, plan.fps), (self.hold_flip, plan.hold_flip), (self.hold_end, plan.hold_end)):
            box.setValue(value)
        self.every.setValue(plan.every)
        self.format.setCurrentText(self._settings.text("animation/format", "GIF"))

    @Slot()
    def _tell(self) -> None:
        if not self._quiet:
            self.changed.emit()
