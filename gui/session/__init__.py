"""The state of the window, the changes that the user makes to it, the attack under way, and the finished runs."""
