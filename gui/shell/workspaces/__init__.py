"""Workspaces: layouts of the docks for kinds of work, which the rail exchanges; the drawer; and the tabs of the docks."""
