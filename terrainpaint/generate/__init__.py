"""Map → terrain. The window and its like use `live` and `process`, which leave torch to a process of its own;
`generator` is what that process runs, and the command line."""
