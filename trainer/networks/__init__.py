"""Networks that are trained and know tensors only; those of the program are in `terrainpaint.models`."""
