"""The 3D view of a terrain.

OpenGL is imported when the first view is created: by `viewport`, `terrain_item`, `graphics` and `offscreen`, which no
other package imports.
"""
