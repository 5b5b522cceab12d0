"""Attacks by transformations: an image is turned, moved, lit or coloured otherwise, within ranges, until the classifier errs."""
