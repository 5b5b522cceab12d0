"""Stickers and shadows whose place is searched for."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.StickerSearch(queries=40, population=8, max_area=0.5),
    attacks.StickerSearch(queries=30, population=6, first=1, second=0, turn=60, search="swarm", stop="never", max_area=0.5),
    attacks.StickerSearch(queries=500, population=9, first=0, second=1, search="grid"),
    attacks.StickerSearch(queries=20, population=7, search="random", max_area=0.5, second_colour="#ff8000"),
]
