"""Pictures as they leave the house."""

import io

from PIL import Image as Picture


def without_words(png: bytes) -> bytes:
    """The same pixels, nothing else."""
    out = io.BytesIO()
    with Picture.open(io.BytesIO(png)) as picture:
        bare = Picture.new(picture.mode, picture.size)
        bare.paste(picture)
        bare.save(out, "PNG")
    return out.getvalue()
