"""Traffic signs and digits that this project draws itself: data for any number from a seed, without a download."""

from __future__ import annotations

from engine.data.generated.digits import draw_digit, generated_digits
from engine.data.generated.signs import draw_sign, generated_signs
from engine.data.labels import DIGIT_LABELS, SIGN_LABELS

__all__ = ["DIGIT_LABELS", "SIGN_LABELS", "draw_digit", "draw_sign", "generated_digits", "generated_signs"]
