"""Published configurations of StyleGAN2."""
