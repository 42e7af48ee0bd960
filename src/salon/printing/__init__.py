"""What goes on paper: tickets and lists, set as PDF (or as a picture) by typst.

    pdf("ticket", {...})      a file of `forms/`, filled with plain values
    legible("草間 𐲀")        the same words, a gap for each letter that no font here has

The fonts are the house's own (`fonts/`: those of `web/static`, with all their Latin letters) and Noto for the scripts
of the world (`noto.tar.xz`, 3 MB; of Chinese, Japanese and Korean what the national standards hold). What they lack is
set with the machine's; where it has none, `legible` leaves a gap and whoever prints says so: a box alone says nothing.
"""

from salon.printing.typeset import GAP, Unprintable, legible, pdf, png, readable

__all__ = ["GAP", "Unprintable", "legible", "pdf", "png", "readable"]
