"""Studies: one configuration trained on several sets of pictures, and measured against the same held-out ones."""
