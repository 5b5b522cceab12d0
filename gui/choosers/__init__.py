"""The lists that choose a model, an image, an attack or its goal: the content of the spine's popups, shared with the docks."""
