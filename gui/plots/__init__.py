"""Cheap painted pieces that the panels share: each one widget with one paintEvent, fed with values, never rebuilt."""
