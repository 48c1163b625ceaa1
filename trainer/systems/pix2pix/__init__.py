"""pix2pix: picture → picture in another style, learned from pairs."""
