"""The data of TerrainPaint and their files, with numpy only: classes, maps, layers, projects, journals, terrain."""
