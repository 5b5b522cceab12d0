"""The state of the window: what is open, what is wished for, what is running, and what came of it."""
