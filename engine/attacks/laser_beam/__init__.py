"""The attack with the light of a laser beam across the image."""
