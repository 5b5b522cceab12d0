"""The true size of a sticker: how many mm one pixel of the image is in reality."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import GibbonError
from engine.printing.paper import DOT_MM, positive
from engine.stickers import Sticker
from engine.text.formatting import short


def pixel_size(
    columns: int,
    stickers: Sequence[Sticker] = (),
    *,
    image_mm: float | None = None,
    pixel_mm: float | None = None,
    sticker_mm: float | None = None,
    which: str = "",
) -> float:
    """Return the width of one pixel of the image in mm, from the one length that is known in reality. Pixels count as squares.

    Parameters
    ----------
    columns
        Width of the image in pixels.
    stickers
        The stickers that will be printed.
    image_mm, pixel_mm, sticker_mm
        Width of the image (of the sign, say), of one pixel, or of one sticker, in mm. Exactly one is given.
    which
        Name or number of the sticker that ``sticker_mm`` is the width of; it may be left out where there is only one.

    Raises
    ------
    GibbonError
        None or several are given, the length is not above 0, or a pixel would be smaller than a printer's dot.
    """
    given = {"image": image_mm, "pixel": pixel_mm, "sticker": sticker_mm}
    known = [name for name, value in given.items() if value is not None]
    if len(known) != 1:
        said = f"{' and '.join(known)} are" if known else "nothing is"
        raise GibbonError(f"The size in reality is needed once, and {said} given. Give the width of the image, of a pixel or of a sticker.")
    name = known[0]
    width = positive(given[name], f"The width of the {name}")
    if name == "image":
        size = width / columns
    elif name == "pixel":
        size = width
    else:
        size = width / _chosen(stickers, which).width
    if size < DOT_MM:
        raise GibbonError(
            f"One pixel of the image would be {size:.2g} mm wide, thinner than a printer's dot ({DOT_MM:.3f} mm at 600 dots per inch). "
            f"Make the image at least {short(DOT_MM * columns)} mm wide."
        )
    return size


def _chosen(stickers: Sequence[Sticker], which: str) -> Sticker:
    found = [sticker for sticker in stickers if which in (sticker.title, str(sticker.id))] if which else list(stickers)
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"“{sticker.title}”" for sticker in stickers)
    if which:
        raise GibbonError(f"{'No' if not found else 'More than one'} sticker is called “{which}”. There is: {names}.")
    raise GibbonError(f"There are {len(found)} stickers, so say which of them is that wide: {names}.")
