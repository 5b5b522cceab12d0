"""What several attacks share: losses, directions, schedules, the feasible set, the active rows, the boundary search, rounding."""
