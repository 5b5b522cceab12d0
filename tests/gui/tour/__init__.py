"""The tour: the real window, driven by mouse and keys, one picture per stage."""
