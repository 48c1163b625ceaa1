"""The networks, in torch: one file each, one table of them, and the file format of their weights."""
