"""The View menu's part for the canvas: the views of the two images, zoom, and the pixel grid."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import has_frame
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.canvas.pictures import ViewName
    from gui.shell.actions.shell import Shell

VIEWS: tuple[tuple[ViewName, str, str, str], ...] = (
    ("side", "Side by side", "mdi6.view-split-vertical", "Show the two images beside each other"),
    (
        "wipe",
        "Wipe",
        "mdi6.compare",
        "Show the two images left and right of a divider, which the mouse or Ctrl and an arrow key moves",
    ),
    ("blink", "Blink", "mdi6.swap-horizontal", "Show the two images in turn, in one place"),
    ("difference", "Difference", "mdi6.plus-minus-variant", "Show what the second image adds to the first: red is more, blue is less"),
)
"""The canvas's views: name, title, icon and tool tip. The keys 1, 2, 3 and so on choose them."""
MULTIPLES = (1, 2, 3, 4)


def view(name: ViewName, shell: Shell) -> None:
    """Choose a view of the two images."""
    shell.canvas.set_view(name)


def hold_clean(shell: Shell) -> None:
    """Show the clean image until the key is released."""
    shell.canvas.hold_clean_while_pressed()


def zoom_in(shell: Shell) -> None:
    """Show the images larger."""
    shell.canvas.zoom_in()


def zoom_out(shell: Shell) -> None:
    """Show the images smaller."""
    shell.canvas.zoom_out()


def fit(shell: Shell) -> None:
    """Show the whole images."""
    shell.canvas.fit()


def zoom_to(scale: int, shell: Shell) -> None:
    """Show one image pixel as a number of screen pixels."""
    shell.canvas.zoom_to(scale)


def pixel_grid(shell: Shell) -> None:
    """Show the grid between large pixels, or never, and keep the choice."""
    on = shell.settings.text("canvas/grid", "on") != "on"
    shell.settings.keep_text("canvas/grid", "on" if on else "off")
    shell.canvas.set_grid(on)


SPECS: tuple[ActionSpec, ...] = (
    *(
        ActionSpec(f"view_{name}", title, partial(view, name), tip, (str(key),), icon, enabled=has_frame, group="view")
        for key, (name, title, icon, tip) in enumerate(VIEWS, start=1)
    ),
    ActionSpec(
        "hold_clean",
        "Clean image while held",
        hold_clean,
        "Show the clean image in every view as long as the key is held",
        ("B",),
        "mdi6.image-outline",
        enabled=has_frame,
    ),
    ActionSpec(
        "zoom_in", "Zoom in", zoom_in, "Show larger", ("Ctrl++", "Ctrl+="), "mdi6.magnify-plus-outline", enabled=has_frame, rule=True
    ),
    ActionSpec("zoom_out", "Zoom out", zoom_out, "Show smaller", ("Ctrl+-",), "mdi6.magnify-minus-outline", enabled=has_frame),
    ActionSpec("fit", "Fit", fit, "Show the whole image", ("Ctrl+0",), "mdi6.fit-to-screen-outline", enabled=has_frame),
    *(
        ActionSpec(
            "actual_size" if scale == 1 else f"zoom_{scale}",
            f"{100 * scale} %",
            partial(zoom_to, scale),
            f"One image pixel is {scale} screen pixel{'s' * (scale > 1)} wide",
            (f"Ctrl+{scale}",),
            f"mdi6.numeric-{scale}-box-outline",
            enabled=has_frame,
        )
        for scale in MULTIPLES
    ),
    ActionSpec(
        "pixel_grid", "Pixel grid", pixel_grid, "Show the grid between the pixels where they are large", ("G",), "mdi6.grid", checkable=True
    ),
)
