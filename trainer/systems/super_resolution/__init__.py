"""Super-resolution: heights and albedo, or pictures, several times finer."""
