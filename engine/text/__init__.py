"""Numbers in words: how a person's are read, and how ours are written."""
