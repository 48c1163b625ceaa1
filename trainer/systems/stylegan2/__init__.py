"""StyleGAN2: noise → picture, learned from any folder of pictures."""
