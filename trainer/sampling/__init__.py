"""Looking at what a generator has learned."""
