"""The main window: docks, actions, commands, status bar, start-up, and the hook for unexpected errors."""
