"""Conversion between stickers and the entries of a record."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue

from engine.record.packing import Packed, Part
from engine.stickers import Colour, Content, Optimised, Pixels, Rectangle, Shadow, Sticker
from engine.stickers.shapes import parameters_of_shape, shape_of
from engine.stickers.sticker import WIDEST_BLUR

ContentKind = Literal["colour", "pixels", "optimised", "shadow"]


class ShadowEntry(Part):
    """The values of a shadow in a record, see `engine.stickers.Shadow`."""

    kappa: float = Field(ge=0, le=1)
    blur: float = Field(ge=0, le=WIDEST_BLUR)


class ShapeEntry(Part):
    """The shape of a sticker in a record."""

    kind: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class StickerEntry(Part):
    """One sticker in a record: geometry and content."""

    id: int
    x: float
    y: float
    width: float = Field(ge=1)
    height: float = Field(ge=1)
    content: ContentKind
    rgb: tuple[float, float, float] | None = None
    """Red, green and blue of a single colour."""
    image: Packed | None = None
    """Pixels ``(C, h, w)`` of a picture or of optimised content."""
    image_name: str = ""
    opacity: float = Field(1.0, ge=0, le=1)
    name: str = ""
    shape: ShapeEntry | None = None
    """Shape of the sticker; None: a rectangle."""
    angle: float = 0
    """Rotation about the middle of the box, in degrees."""
    frame: tuple[float, float, float, float, float] | None = None
    """Where optimised content lies, see `engine.stickers.Optimised`."""
    shadow: ShadowEntry | None = None
    """The values of a shadow; None for other content."""
    locked: bool = False
    visible: bool = True

    @classmethod
    def of(cls, sticker: Sticker) -> Self:
        """Make the entry of a sticker."""
        content = sticker.content
        image = content.image if isinstance(content, Pixels | Optimised) else None
        return cls(
            id=sticker.id,
            x=sticker.x,
            y=sticker.y,
            width=sticker.width,
            height=sticker.height,
            content=kind_of(content),
            rgb=content.rgb if isinstance(content, Colour) else None,
            image=None if image is None else Packed.of(image),
            image_name=content.name if isinstance(content, Pixels) else "",
            opacity=sticker.opacity,
            name=sticker.name,
            shape=None
            if isinstance(sticker.shape, Rectangle)
            else ShapeEntry(kind=sticker.shape.kind, parameters=parameters_of_shape(sticker.shape)),
            angle=sticker.angle,
            frame=content.frame if isinstance(content, Optimised) else None,
            shadow=ShadowEntry(kappa=content.kappa, blur=content.blur) if isinstance(content, Shadow) else None,
            locked=sticker.locked,
            visible=sticker.visible,
        )

    def sticker(self) -> Sticker:
        """Make the sticker of this entry."""
        shape = Rectangle() if self.shape is None else shape_of(self.shape.kind, self.shape.parameters)
        place = self.id, self.x, self.y, self.width, self.height
        return Sticker(*place, self._content(), self.opacity, self.name, shape, self.angle, self.locked, self.visible)

    def _content(self) -> Content:
        image = None if self.image is None else self.image.tensor()
        if self.content == "pixels" and image is not None:
            return Pixels(image, self.image_name)
        if self.content == "optimised":
            return Optimised(image, self.frame)
        if self.content == "shadow":
            return shadow_of(self.shadow)
        return Colour() if self.rgb is None else Colour(self.rgb)


def kind_of(content: Content) -> ContentKind:
    """Return the name of a kind of content in records and studies."""
    match content:
        case Colour():
            return "colour"
        case Pixels():
            return "pixels"
        case Optimised():
            return "optimised"
        case Shadow():
            return "shadow"


def shadow_of(entry: ShadowEntry | None) -> Shadow:
    """Make the shadow of an entry; the usual one where it has no values."""
    return Shadow() if entry is None else Shadow(entry.kappa, entry.blur)
