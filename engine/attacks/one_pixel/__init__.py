"""The one-pixel attack and its map: differential evolution, and how candidates are painted and evaluated."""
