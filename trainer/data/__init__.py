"""Training data of every system: folders and rasters are cut into tiles, and tiles are stored as one file."""
