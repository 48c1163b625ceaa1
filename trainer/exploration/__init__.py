"""What can be done with a trained generator: pictures of seeds, walks, mixed styles, projections and directions.

`latent_models.py` opens the weights; all else works with latents, styles and pictures.
"""
