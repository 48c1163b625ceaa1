"""The networks, in torch: one module each, their table, and the file format of their weights."""
