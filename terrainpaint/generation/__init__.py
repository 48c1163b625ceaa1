"""Map → terrain. The window uses `live` and `process`, which never import torch; its worker process and the command
line use `generator`."""
