"""The state of the window, the changes that the user makes to it, the attack in progress, and the finished runs."""
