"""Which pictures of a folder should train: duplicates, outliers, odd ones by examples, and leaks between two folders.

It knows pictures, names and features; neither classes nor heights.
"""
