"""Terrain: map of classes → albedo and heights. The default network and the SPADE-Terrain-GAN references 1.0 to 1.2."""
