"""Colours with a meaning, the six colours of each theme, and colours that are read on a ground."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

CLEAN = "#0072B2"
"""The clean image, everywhere: frame, bar, histogram, curve. The four colours are Okabe and Ito's, distinct to colour-blind eyes."""
ADVERSARIAL = "#D55E00"
LABEL = "#009E73"
"""The true label."""
TARGET = "#CC79A7"
COMPARED = ("#E69F00", "#56B4E9", "#F0E442", "#7F7F7F")
"""The compared runs A, B, C and D, from Okabe and Ito's set; E has the colour of A again."""
ALERT = "#C9820A"
"""The icon of an error or a warning. It is none of the four colours, which are about images."""
MISTAKE = "#C0281E"
"""The text of an input that the user has to correct, made readable on the palette."""

LIGHT = {"window": "#F3F4F6", "base": "#FFFFFF", "button": "#FAFBFC", "text": "#1B1F24", "line": "#CDD2D9", "accent": "#3E5873"}
DARK = {"window": "#23272C", "base": "#131518", "button": "#2D3238", "text": "#E4E7EB", "line": "#434A53", "accent": "#6F8FB3"}


def is_dark(palette: QPalette) -> bool:
    """Return whether text is lighter than its background."""
    return palette.windowText().color().lightness() > palette.window().color().lightness()


def blend(one: QColor | str, other: QColor | str, share: float) -> QColor:
    """Blend two colours: ``(1 - share) * one + share * other``."""
    return QColor.fromRgbF(*((1 - share) * x + share * y for x, y in zip(_rgb(QColor(one)), _rgb(QColor(other)), strict=True)))


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def text_colour(palette: QPalette) -> QColor:
    """Return the colour of primary text."""
    return palette.windowText().color()


def muted_colour(palette: QPalette) -> QColor:
    """Return the colour of secondary text: axes, captions, empty states."""
    return blend(palette.windowText().color(), palette.window().color(), 0.35)


def compared_colour(place: int) -> QColor:
    """Return the colour of a compared run: A is at place 0."""
    return QColor(COMPARED[place % len(COMPARED)])


def ink_on(colour: QColor) -> QColor:
    """Return black or white, whichever is read more easily on a colour."""
    return max((QColor("#000000"), QColor("#FFFFFF")), key=lambda ink: contrast_ratio(ink, colour))


def line_colour(palette: QPalette) -> QColor:
    """Return the colour of borders and grids."""
    return QColor(DARK["line"] if is_dark(palette) else LIGHT["line"])


def contrast_ratio(one: QColor, other: QColor) -> float:
    """Return WCAG's contrast ratio of two colours, from 1 to 21."""

    def luminance(colour: QColor) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: QColor | str, palette: QPalette, ratio: float = 4.5) -> QColor:
    """Return ``colour`` blended with the text colour until its contrast with the palette's base reaches ``ratio``."""
    return readable_on(palette.base().color(), colour, palette.text().color(), ratio)


def readable_on(ground: QColor, colour: QColor | str, text: QColor, ratio: float = 4.5) -> QColor:
    """Return ``colour`` blended with the text colour until its contrast with the ground reaches ``ratio``."""
    for step in range(11):
        candidate = blend(colour, text, step / 10)
        if contrast_ratio(candidate, ground) >= ratio:
            return candidate
    return text
