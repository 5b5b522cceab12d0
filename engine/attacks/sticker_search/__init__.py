"""Search for the place of stickers and shadows: only where they lie is optimised, not what they show."""
