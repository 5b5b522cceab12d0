"""Parts of the black-box attacks: the moves of Square, the substitute's network."""
