"""Universal perturbations: their training, and the application of a saved one."""
