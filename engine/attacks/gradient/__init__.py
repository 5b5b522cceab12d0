"""What gradient attacks share: losses and their slopes, directions, passes, balls reached, rows still standing, optimisers."""
