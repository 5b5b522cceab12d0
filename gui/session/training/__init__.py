"""Trainings of the window: their recipes, their folders on the disk, their runs, and the object that starts and follows them."""
