"""The window on the engine."""
