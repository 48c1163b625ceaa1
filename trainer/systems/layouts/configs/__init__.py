"""Published configurations of layouts."""
