"""JSMA: the attack, and the search for its best pair of pixels."""
