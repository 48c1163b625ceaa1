"""The published configs, one a system."""
