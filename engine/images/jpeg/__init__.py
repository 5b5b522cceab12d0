"""JPEG compression of tensors: the codec in whole numbers, and a differentiable stand-in for it."""
