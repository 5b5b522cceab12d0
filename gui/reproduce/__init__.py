"""The window with the lectures' experiments."""
