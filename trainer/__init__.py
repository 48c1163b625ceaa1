"""The offline trainer: from rasters of the real Earth to a weights file that the program uses."""
