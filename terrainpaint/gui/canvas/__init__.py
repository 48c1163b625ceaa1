"""The views of a map, each class adding one thing to the one before it.

====================================  ============================================================================
`raster_surface.RasterSurface`        shows a raster of any size: computes the pixels of the screen that changed
`raster_view.RasterView`              adds navigation: mouse, wheel, keys and touchpad move and zoom
`map_view.MapView`                    gives the colours of the painted map, its patterns, letters and selection
`canvas.Canvas`                       sends mouse, pen and keys to the chosen tool
====================================  ============================================================================

The terrain from above (`gui.terrain_view`) is a `RasterView` too, so that it moves as the canvas does. A subclass
overrides `colours` (what a map pixel looks like) and `paint_overlays` (what is drawn over all of them). `overlays`
holds the lines that are drawn with QPainter, `line_overlay` the drawn ridges, valleys and rivers, `map_marks` what is
computed pixel by pixel, `reference_picture` the picture to paint over, `pieces` the piece of the map that floats while
it is moved or pasted, and `piece_handles` its frame.
"""
