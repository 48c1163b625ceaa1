"""DCGAN: noise → picture, learned from a folder of pictures."""
