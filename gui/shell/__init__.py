"""The main window: docks, actions, status bar, start-up, and the hook for unexpected errors."""
