"""The main window: docks, actions, commands, status bar, start-up, and what catches unexpected errors."""
