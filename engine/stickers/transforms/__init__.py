"""Transformations that a sticker meets between the print and the camera's file: ranges, draws from them, and their application."""

from engine.stickers.transforms.applied import lit, photographed, placed
from engine.stickers.transforms.grids import grids
from engine.stickers.transforms.ranges import NUMBERS, Ranges, Transforms, draw

__all__ = ["NUMBERS", "Ranges", "Transforms", "draw", "grids", "lit", "photographed", "placed"]
