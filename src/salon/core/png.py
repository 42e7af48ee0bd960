"""What a PNG carries out of the house: its recipe, the `parameters` text that A1111's readers parse, and an XMP
packet that says a model made it.

Specs: PNG (W3C, third edition) 11.3.3; XMP part 3, 1.1.5; IPTC Photo Metadata 2025.1 (DigitalSourceType and the AI
properties). Only chunks are written here; pixels are another's business.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import escape

from salon.core.errors import BadRecipe
from salon.core.recipe import DiffusionOptions, Recipe, parse_recipe

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = "salon:recipe"
PARAMETERS = "parameters"
XMP = "XML:com.adobe.xmp"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MAKER = "Latent Salon"

#: bytes of a recipe that is read back; far above what this house writes
MAX_RECIPE = 64 * 1024
#: bytes of a file that is looked at, and chunks walked through, before a reader gives up
MAX_FILE = 64 * 1024 * 1024
MAX_CHUNKS = 4_096

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _international(keyword: str, text: str) -> bytes:
    """iTXt: UTF-8, uncompressed, no language."""
    return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def _text(keyword: str, text: str) -> bytes:
    """tEXt when the text is Latin-1 (what old readers expect), else iTXt. NUL may stand in neither."""
    text = text.replace("\0", "")
    try:
        return _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _international(keyword, text)


def _number(value: float) -> str:
    return f"{value:g}"


def parameters_text(recipe: Recipe) -> str:
    """The recipe in A1111's format: prompt line, negative line, one line of settings."""
    options = next((o for o in recipe.stages.values() if isinstance(o, DiffusionOptions)), None)
    settings = []
    if options is not None:
        settings += [f"Steps: {options.num_inference_steps}", f"Sampler: {options.sampler}"]
        settings += [f"CFG scale: {_number(options.guidance_scale)}"]
    settings += [f"Seed: {recipe.seed}", f"Size: {recipe.width}x{recipe.height}"]
    settings += [f"Model hash: {recipe.weights[:10]}", f"Model: {recipe.model}"]
    lines = [recipe.prompt, ", ".join(settings)]
    if recipe.negative_prompt:
        lines.insert(1, f"Negative prompt: {recipe.negative_prompt}")
    return "\n".join(lines)


def _xml(text: str) -> str:
    """`text` as XML character data; what XML 1.0 cannot hold becomes U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", text), {'"': "&quot;", "\r": "&#13;"})


def xmp_packet(recipe: Recipe, version: str, rights: str) -> str:
    """XMP packet: source type, system, prompt, description and rights."""
    system_version = _xml(f"{version}, weights {recipe.weights[:16]}")
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
   <Iptc4xmpExt:AISystemUsed>{_xml(f"{MAKER} ({recipe.model})")}</Iptc4xmpExt:AISystemUsed>
   <Iptc4xmpExt:AISystemVersionUsed>{system_version}</Iptc4xmpExt:AISystemVersionUsed>
   <Iptc4xmpExt:AIPromptInformation>{_xml(recipe.prompt)}</Iptc4xmpExt:AIPromptInformation>
   <xmp:CreatorTool>{_xml(f"{MAKER} {version}")}</xmp:CreatorTool>
   <dc:format>image/png</dc:format>
   <dc:identifier>{recipe.id}</dc:identifier>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{_xml(recipe.prompt)}</rdf:li></rdf:Alt></dc:description>
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{_xml(rights)}</rdf:li></rdf:Alt></dc:rights>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


RIGHTS = "Made by a generative model from the words of a visitor. No rights are claimed by the house."


def with_recipe(png: bytes, recipe: Recipe, version: str, rights: str = RIGHTS) -> bytes:
    """`png` with recipe, `parameters` and XMP written after its header. Raises ValueError if it is no PNG.

    Same arguments, same bytes: a file can be written twice without becoming another.
    """
    if png[:8] != SIGNATURE or png[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    head = 8 + 12 + int.from_bytes(png[8:12], "big")
    words = (
        _international(KEYWORD, recipe.to_json()),
        _text(PARAMETERS, parameters_text(recipe)),
        _international(XMP, xmp_packet(recipe, version, rights)),
    )
    return png[:head] + b"".join(words) + png[head:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Chunks whose length and checksum are right, until the first that is not."""
    view = memoryview(png)
    place = 8
    for _ in range(MAX_CHUNKS):
        if place + 12 > len(png):
            return
        (size,) = struct.unpack_from(">I", png, place)
        kind = png[place + 4 : place + 8]
        end = place + 12 + size
        if end > len(png) or zlib.crc32(view[place + 4 : end - 4]) != struct.unpack_from(">I", png, end - 4)[0]:
            return
        yield kind, view[place + 8 : end - 4]
        if kind == b"IEND":
            return
        place = end


def _inflate(data: bytes) -> bytes:
    """At most MAX_RECIPE bytes of deflated text: a bomb is cut off, not unpacked. Raises zlib.error, ValueError."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MAX_RECIPE + 1)
    if len(text) > MAX_RECIPE or not inflater.eof:
        raise ValueError("too long")
    return text


def _international_text(data: bytes) -> bytes | None:
    """Text of an iTXt chunk named KEYWORD, else None. Other tools may have compressed it."""
    keyword, _, rest = data.partition(b"\0")
    if keyword != KEYWORD.encode() or len(rest) < 4:
        return None
    _language, _, tail = rest[2:].partition(b"\0")
    _translated, _, text = tail.partition(b"\0")
    return _inflate(text) if rest[0] == 1 else text


def read_recipe(png: bytes) -> Recipe:
    """The recipe that `png` carries. Raises BadRecipe if there is none, or it is damaged or too large."""
    if png[:8] != SIGNATURE or len(png) > MAX_FILE:
        raise BadRecipe("This is not a PNG that can be read here.", "Use the file as it was downloaded.")
    for kind, data in _chunks(png):
        if kind != b"iTXt" or len(data) > MAX_RECIPE:
            continue
        try:
            text = _international_text(bytes(data))
        except (zlib.error, ValueError) as error:
            raise BadRecipe("The recipe in this image is damaged.", "Use the file as it was downloaded.") from error
        if text is not None:
            return parse_recipe(text)
    raise BadRecipe(
        "This image carries no recipe of this house.",
        "Some services remove what a file carries; use the file as it was downloaded.",
    )
