"""Attacks, one file each. ``CATALOGUE`` maps a slug to its class; a new attack is listed here by hand."""

from engine.attacks.fgsm import FGSM
from engine.attacks.fooling import FoolingImage
from engine.attacks.one_pixel import OnePixel
from engine.attacks.one_pixel_map import OnePixelMap
from engine.attacks.pgd import PGD
from engine.attacks.proximity import Proximity
from engine.attacks.square import Square
from engine.attacks.sticker_pgd import StickerPGD
from engine.catalogue import catalogue
from engine.operation import Attack

CATALOGUE: dict[str, type[Attack]] = catalogue(FGSM, PGD, StickerPGD, FoolingImage, Proximity, Square, OnePixel, OnePixelMap)

__all__ = ["CATALOGUE", "FGSM", "PGD", "FoolingImage", "OnePixel", "OnePixelMap", "Proximity", "Square", "StickerPGD"]
