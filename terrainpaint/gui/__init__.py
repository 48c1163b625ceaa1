"""The window: paint, see it become terrain, look at it in 3D, save, export."""
