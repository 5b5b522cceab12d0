"""Universal perturbations: their training, and a saved one applied to an image."""
