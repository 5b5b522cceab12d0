"""What the minimal-norm attacks share: the base with its boundary search, the result on the 8-bit lattice, the shortest step in a box."""
