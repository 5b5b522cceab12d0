"""The Reproduce window, which runs the lectures' experiments."""
