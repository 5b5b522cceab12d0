"""FigurePlan: every choice that makes a figure, as one frozen value for the dialog, the command line, the record and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from engine.figures.choose import panels_of
from engine.figures.compose import compose
from engine.figures.fonts import Font
from engine.figures.style import SIZE, SIZES
from engine.figures.subject import Subject
from engine.perturbation_view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from engine.figures.panels import FigurePanel


class FigurePlan(BaseModel):
    """The panels of a figure, what they show, and the page that they stand on."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    panels: tuple[str, ...] = ("clean", "adversarial", "perturbation", "bars")
    """Names of panels, see `panel_titles`. A detail after a colon, as in ``histogram:act1``, goes before ``layer`` and ``view``."""
    layer: str = ""
    """Layer of the histogram; empty for the one whose largest activation grew most."""
    view: View = "strongest"
    """View of the perturbation of a colour image, one of `engine.perturbation_view.VIEWS`."""
    gain: float | None = Field(None, ge=0.1, le=10_000)
    """Factor by which the perturbation is amplified: its scale ends at ``1 / gain``. None: it ends at the largest change."""
    top: int = Field(3, ge=1)
    """Number of classes in the bars."""
    width_mm: float = Field(174.0, ge=30, le=500)
    """Width of the printed figure in mm."""
    columns: int | None = Field(None, ge=1)
    """Pictures side by side; None: as many as fit."""
    font: Font = "sans"
    """Kind of type, one of `engine.figures.FONTS`."""
    size: float = Field(SIZE, ge=SIZES[0], le=SIZES[1])
    """Font size in points at the printed size."""
    dark: bool = False
    """Whether it is light on dark, for slides."""
    letters: bool = True
    """Whether the panels are lettered a, b, c."""
    note: bool = True
    """Whether model, attack and norms stand in small print at the bottom."""
    anonymous: bool = False
    """Whether names of files and their paths are left out, as double-blind review asks."""
    arrays: bool = False
    """Whether the arrays are written beside the figure."""

    @property
    def names(self) -> list[str]:
        """The panels with their details, as `panels_of` takes them."""
        details = {"histogram": self.layer, "perturbation": "" if self.view == "strongest" else self.view}
        return [f"{name}:{details[name]}" if details.get(name) else name for name in self.panels]

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """Return the plan among the entries that a figure's sidecar keeps; entries of other kinds are ignored."""
        return cls.model_validate({name: value for name, value in kept.items() if name in cls.model_fields})

    def panels_of(self, subject: Subject) -> list[FigurePanel]:
        """Return the panels of this plan for a subject."""
        return panels_of(subject, self.names, gain=self.gain, norms=not self.note)

    def figure(self, subject: Subject, note: str = "") -> Figure:
        """Compose the figure of a subject; ``note`` is the small print.

        Raises
        ------
        GibbonError
            A panel cannot be made, or the page is too small.
        """
        return compose(
            self.panels_of(subject),
            width_mm=self.width_mm,
            columns=self.columns,
            dark=self.dark,
            note=note if self.note else "",
            letters=self.letters,
            font=self.font,
            size=self.size,
        )
