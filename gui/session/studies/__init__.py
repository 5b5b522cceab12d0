"""Studies in the window: the session as a study and back, saving by itself, and the models that a study names."""
