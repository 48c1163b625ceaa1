"""Measures of pictures and of fields of numbers. Nothing here depends on what they show."""
