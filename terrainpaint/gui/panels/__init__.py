"""What lies around the canvas: each panel shows a part of the document and changes it; none keeps a copy of it."""
