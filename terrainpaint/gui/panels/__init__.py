"""The panels around the canvas. Each shows a part of the document and changes it; none keeps a copy of it."""
