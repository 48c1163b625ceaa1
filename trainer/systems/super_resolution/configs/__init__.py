"""Published configurations of super-resolution."""
