"""What attacks on few values share: painting pixels, genes and their evolution, JSMA's best pair."""
