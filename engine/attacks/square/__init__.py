"""Square: the attack, and its random moves."""
