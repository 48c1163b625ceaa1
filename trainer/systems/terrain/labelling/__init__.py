"""Maps of the seven classes for real land.

As in SPADE-Terrain-GAN: sample pixels, cluster them, name the clusters by hand, fit a classifier to the named clusters,
apply it everywhere, and smooth its maps into large areas. The smoothing is random, so the maps of one place differ in
their borders.
"""
