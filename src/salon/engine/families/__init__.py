"""Families of models: one module each, one line each in FAMILIES."""

from salon.engine.families import cascade, clip, latent, unclip, vq

#: family -> function (card, network by name, text encoder) -> stages in the order of drawing
FAMILIES = {
    "cascade": cascade.load,
    "clip": clip.load,
    "latent": latent.load,
    "unclip": unclip.load,
    "vq": vq.load,
}
#: the networks without which a card of the family is not one
NEEDED = {
    "cascade": {"transformer", "superres"},
    "clip": {"image", "text"},
    "latent": {"transformer"},
    "unclip": {"prior", "image_tokens", "transformer", "superres", "image", "text"},
    "vq": {"words", "painter", "token_decoder"},
}
