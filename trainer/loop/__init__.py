"""The training loop that all systems share. It imports no data, no networks and no system."""
