"""The 3D view of a terrain.

Other packages import `widget`, `view_controls` and `opengl` only. OpenGL is imported when the first view is created.
"""
