"""A toy detector of drawn traffic signs, small enough to train in minutes: for learning and for tests, not for measuring defenses."""

from __future__ import annotations

from engine.object_detection.toy.network import GridNetwork

__all__ = ["GridNetwork"]
