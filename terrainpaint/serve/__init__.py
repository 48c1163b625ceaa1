"""An HTTP server: a map comes in, files go out. docs/server.md describes it."""
