"""What TerrainPaint talks about, in numpy only: classes, segmentation maps, terrain, shading, jobs."""
