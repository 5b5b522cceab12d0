"""Files that the window writes: figures, images, records."""
