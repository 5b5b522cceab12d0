"""Animations of an attack: the figure's own panels, one frame for each kept iterate, as GIF, APNG, WebP or MP4."""

from engine.figures.animation.film import Film, Shot, film_of
from engine.figures.animation.plan import MOST_FRAMES, PANELS, SUFFIXES, AnimationPlan, format_of
from engine.figures.animation.stage import Stage
from engine.figures.animation.writing import Progress, export_animation, write_animation

__all__ = [
    "MOST_FRAMES",
    "PANELS",
    "SUFFIXES",
    "AnimationPlan",
    "Film",
    "Progress",
    "Shot",
    "Stage",
    "export_animation",
    "film_of",
    "format_of",
    "write_animation",
]
