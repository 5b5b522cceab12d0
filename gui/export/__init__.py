"""What leaves the window as a file: figures, images, records."""
