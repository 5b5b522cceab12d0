"""HopSkipJump: the attack, and its walk along the boundary."""
