"""Plots that the panels share. Each is one widget that paints its values in one paintEvent, so that an update is cheap."""
