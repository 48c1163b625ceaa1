"""The 3D view of a terrain. Others use `widget`, `controls` and `opengl`; OpenGL is loaded with the first view."""
