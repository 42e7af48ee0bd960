"""Families of models: one module each, one line each in FAMILIES."""

from salon.engine.families import latent

#: family -> function (card, network by name, text encoder) -> stages in the order of drawing
FAMILIES = {"latent": latent.load}
