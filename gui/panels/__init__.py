"""The docks, one module or folder each. They meet in the Session, never each other."""
