"""Shared parts of the attacks: losses, directions, schedules, the feasible set, the active rows, the boundary search, rounding."""
