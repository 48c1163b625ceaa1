"""Losses that know tensors only: adversarial, gradient penalty, feature matching, perceptual."""
