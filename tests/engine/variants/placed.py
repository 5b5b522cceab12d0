"""Stickers and shadows whose place is searched for."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.StickerSearch(queries=40, population=8, max_area=0.5),
    attacks.StickerSearch(queries=30, population=6, first=1, second=0, turn=60, search="swarm", stop="never", max_area=0.5),
    attacks.StickerSearch(queries=500, population=9, first=0, second=1, search="grid"),
    attacks.StickerSearch(queries=20, population=7, search="random", max_area=0.5, second_colour="#ff8000"),
    attacks.StickerLandscape(width=2, height=2),
    attacks.StickerLandscape(width=3, height=2, content="shadow", kappa=0.1, blur=0, stride=2, angles=2),
    attacks.PlaceAndContent(width=2, height=2, places=5, round_steps=2, steps=3),
    attacks.PlaceAndContent(width=3, height=2, places=1, steps=3, begin="random", loss="ce"),
    attacks.ShadowSearch(queries=30, population=6, iterations=3, kappa=0.2),
    attacks.ShadowSearch(queries=30, population=6, search="evolution", blur=0, stop="never"),
    attacks.ShadowSearch(queries=20, population=5, factors="one", kappa=0.1),
]
