"""Attacks, one file each. ``CATALOGUE`` maps a slug to its class; a new attack is listed here by hand."""

from engine.attacks.fgsm import FGSM
from engine.attacks.pgd import PGD
from engine.attacks.sticker_pgd import StickerPGD
from engine.catalogue import catalogue
from engine.operation import Attack

CATALOGUE: dict[str, type[Attack]] = catalogue(FGSM, PGD, StickerPGD)

__all__ = ["CATALOGUE", "FGSM", "PGD", "StickerPGD"]
