"""Published configurations of pix2pix."""
