"""Adversarial patches: content that holds under transformations, for these images or for a whole data set."""
