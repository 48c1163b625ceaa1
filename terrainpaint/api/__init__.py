"""Map or project → terrain → files, for programs: what `import terrainpaint` offers and the command line uses.

`terrainpaint/__init__.py` has the list of public names; docs/python.md describes them.
"""
