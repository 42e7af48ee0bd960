"""What goes on paper: tickets and lists, set as PDF (or as a picture) by typst.

    pdf("ticket", {...})      a file of `forms/`, filled with plain values
    readable("草間")          whether this machine has fonts for these words

The fonts are the house's own (`fonts/`: those of `web/static`, unpacked for typst, which reads no WOFF2), subset to
Latin. Other scripts are set with the fonts of the machine; where there is none, `readable` says so and whoever prints
leaves the words out: an empty line is honest, a row of boxes is not.
"""

from salon.printing.typeset import Unprintable, pdf, png, readable

__all__ = ["Unprintable", "pdf", "png", "readable"]
