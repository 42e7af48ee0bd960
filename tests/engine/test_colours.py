"""What is shown of files whose numbers are not 8 bits of sRGB, against the specifications. The control is everywhere
the old way, `Image.convert`, which takes the numbers as they are."""

import io
import struct
import zlib

import numpy as np
import profiles
import pytest
from PIL import Image, features

from salon.core.errors import BadRecipe
from salon.engine import colours, pictures

ADOBE_GAMMA = 563 / 256
MUTED = [(100, 150, 200), (200, 80, 90), (60, 140, 70), (128, 128, 128), (230, 220, 40), (255, 255, 255), (0, 0, 0)]


def file(picture, kind="PNG", **more):
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def opened(data):
    Image.init()
    return pictures.unpacked(data, 10**6, tuple(Image.ID))


def old(data):
    """As it was read before."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def flat(*numbers, mode="RGB", size=(8, 8)):
    return Image.new(mode, size, numbers if len(numbers) > 1 else numbers[0])


def off(picture, wanted):
    """The largest difference of its first pixel from what it must be."""
    return np.abs(np.asarray(picture.convert("RGB"), float)[0, 0] - wanted).max()


# --- depth


def grey16(value, kind, order="<"):
    return file(Image.fromarray(np.full((8, 8), value, f"{order}u2").astype("u2")), kind)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000", "PPM"])
@pytest.mark.parametrize("value", [0, 300, 12_000, 40_000, 65_535])
def test_16_bits_of_grey_are_grey(kind, value):
    data = grey16(value, kind)
    assert off(opened(data), value / 257) <= 0.51
    if value == 12_000:  # control
        assert off(old(data), 255) == 0


def tiff(bits, tags, pixels, order=">"):
    """A TIFF of 2 x 2 pixels, uncompressed."""
    rows = {256: (3, 2), 257: (3, 2), 258: (3, bits), 259: (3, 1), 273: (4, 0), 277: (3, 1), 278: (3, 2),
            279: (4, len(pixels))} | {tag: (3, value) for tag, value in tags.items()}  # fmt: skip
    rows[273] = (4, 8 + 2 + 12 * len(rows) + 4)
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, 1) + struct.pack(f"{order}I", value << 16 * (kind == 3 and order == ">"))
        for tag, (kind, value) in sorted(rows.items())
    )
    magic = b"MM\0*" if order == ">" else b"II*\0"
    return magic + struct.pack(f"{order}IH", 8, len(rows)) + entries + bytes(4) + pixels


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (tiff(16, {262: 1}, struct.pack(">H", 12_000) * 4), 12_000 / 257),
        (tiff(16, {262: 0}, struct.pack("<H", 12_000) * 4, "<"), 255 - 12_000 / 257),
        (tiff(32, {262: 1, 339: 3}, struct.pack(">f", 0.25) * 4), 0.25 * 255),
        (tiff(32, {262: 1, 339: 3}, struct.pack(">f", 96.0) * 4), 96),
        (b"P5 2 2 1023\n" + struct.pack(">H", 300) * 4, 300 / 1023 * 255),
    ],
    ids=["big-endian", "white is nought", "part of one", "float of 255", "ten bits"],
)
def test_the_files_own_white_is_white(data, wanted):
    assert off(opened(data), wanted) <= 0.6
    if wanted != 96:
        assert off(old(data), wanted) > 20  # control


def test_16_bits_of_colour_are_colour():
    raw = b"".join(b"\0" + struct.pack(">3H", 12_000, 40_000, 65_535) * 8 for _row in range(8))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    assert off(opened(data), np.array([12_000, 40_000, 65_535]) / 257) <= 1


def test_a_grey_of_16_bits_that_is_clear_stays_clear():
    numbers = np.full((8, 8), 12_000, np.uint16)
    numbers[0] = 700
    made = opened(file(Image.fromarray(numbers), transparency=700))
    assert made.mode == "RGBA"
    assert made.getpixel((0, 0))[3] == 0
    assert made.getpixel((0, 1)) == (47, 47, 47, 255)


def test_what_python_gives_is_read_as_files_are():
    given = Image.fromarray(np.full((80, 80), 12_000, np.uint16))
    assert off(pictures.small(given), 12_000 / 257) <= 0.51
    assert given.mode == "I;16"
    tagged = flat(100, 150, 200, size=(80, 80))
    tagged.info["icc_profile"] = profiles.rgb(profiles.ADOBE, ADOBE_GAMMA)
    assert off(pictures.small(tagged), profiles.expected((100, 150, 200), profiles.ADOBE, ADOBE_GAMMA)) <= 2
    assert tagged.info  # what was given is left as it was
    assert tagged.getpixel((0, 0)) == (100, 150, 200)


# --- spaces


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("space", ["ADOBE", "P3"])
def test_wide_colours_become_srgb(kind, space):
    primaries, gamma = getattr(profiles, space), ADOBE_GAMMA if space == "ADOBE" else 2.2
    more = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    far = 0.0
    for numbers in MUTED:
        data = file(flat(*numbers), kind, icc_profile=profiles.rgb(primaries, gamma), **more)
        assert off(opened(data), profiles.expected(numbers, primaries, gamma)) <= 3
        far = max(far, off(old(data), profiles.expected(numbers, primaries, gamma)))
    assert far > 20  # control: dull


def test_what_was_converted_is_not_converted_again():
    profile = profiles.rgb(profiles.ADOBE, ADOBE_GAMMA)
    made = opened(file(flat(100, 150, 200), icc_profile=profile, exif=Image.Exif().tobytes()))
    assert made.info == {}
    again = opened(file(made))
    assert again.getpixel((0, 0)) == made.getpixel((0, 0))


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
def test_greys_have_curves(gamma):
    data = file(flat(90, mode="L"), icc_profile=profiles.grey(gamma))
    wanted = profiles.encoded((90 / 255) ** gamma)
    assert off(opened(data), wanted) <= 1.5
    assert off(old(data), wanted) > 5  # control
    clear = opened(file(flat(90, 200, mode="LA"), icc_profile=profiles.grey(gamma)))
    assert off(clear, wanted) <= 1.5
    assert clear.getpixel((0, 0))[3] == 200


def test_a_grey_may_have_a_profile_of_colours():
    data = file(flat(90, mode="L"), icc_profile=profiles.rgb(profiles.SRGB, 1.0))
    assert off(opened(data), profiles.encoded(90 / 255)) <= 1.5


def test_palettes_and_clear_colours_go_through_the_profile():
    profile = profiles.rgb(profiles.ADOBE, ADOBE_GAMMA)
    wanted = profiles.expected(MUTED[0], profiles.ADOBE, ADOBE_GAMMA)
    few = Image.new("P", (8, 8), 1)
    few.putpalette([0, 0, 0, *MUTED[0]])
    few.putpixel((7, 7), 0)
    made = opened(file(few, icc_profile=profile, transparency=b"\x00\x80"))
    assert made.mode == "RGBA"
    assert off(made, wanted) <= 3
    assert [made.getpixel((at, at))[3] for at in (0, 7)] == [128, 0]
    clear = opened(file(flat(*MUTED[0], 77, mode="RGBA"), icc_profile=profile))
    assert off(clear, wanted) <= 3
    assert clear.getpixel((0, 0))[3] == 77


def press(cyan, magenta, yellow, black):
    """Some press: none of its solids is what the naive way says."""
    light = 1 - black
    bright = 100 - 40 * cyan - 40 * magenta - 8 * yellow
    return bright * light, (40 * magenta - 30 * cyan) * light, 50 * yellow * light


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize("solids", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 1, 0), (1, 0, 1, 0)])
def test_inks_are_what_their_profile_says(kind, solids):
    more = {"quality": 100} if kind == "JPEG" else {}
    data = file(flat(*(255 * one for one in solids), mode="CMYK"), kind, icc_profile=profiles.inks(press), **more)
    L, a, b = press(*solids)
    paper = profiles.expected_lab(L, a, b)
    assert off(opened(data), paper) <= 4
    if any(solids):  # control
        assert off(old(data), paper) > 15


#: tints of inks on coated paper (FOGRA39) as design programs write them down for screens
PRINTED = {
    (100, 0, 0, 0): "009FE3", (0, 100, 0, 0): "E6007E", (0, 0, 100, 0): "FFED00", (0, 100, 100, 0): "E30613",
    (100, 0, 100, 0): "009640", (100, 100, 0, 0): "312783", (0, 0, 0, 100): "1D1D1B", (0, 0, 0, 50): "9D9D9C",
    (0, 0, 0, 20): "DADADA", (50, 0, 100, 0): "95C11F", (0, 50, 100, 0): "F39200", (75, 0, 100, 0): "3AAA35",
    (0, 35, 85, 0): "F9B233", (85, 10, 100, 10): "008D36", (70, 15, 0, 0): "36A9E1", (85, 50, 0, 0): "1D71B8",
    (75, 100, 0, 0): "662483", (50, 100, 0, 0): "951B81", (35, 100, 35, 10): "A3195B", (0, 80, 95, 0): "E94E1B",
    (15, 100, 90, 10): "BE1622", (90, 30, 95, 30): "006633",
}  # fmt: skip


def test_inks_without_a_profile_are_inks_on_paper():
    now, before = [], []
    for tint, seen in PRINTED.items():
        data = file(flat(*(round(2.55 * one) for one in tint), mode="CMYK"), "TIFF")
        now.append(off(opened(data), list(bytes.fromhex(seen))))
        before.append(off(old(data), list(bytes.fromhex(seen))))
    assert max(now) <= 26
    assert np.mean(now) < 8
    assert np.mean(before) > 60  # control: (255, 0, 255) for a magenta that nobody has ever printed


def test_large_pictures_of_inks_are_whole():
    tall = Image.new("CMYK", (3, 3 * colours.ROWS + 1), (0, 255, 0, 0))
    made = opened(file(tall, "TIFF"))
    assert made.size == tall.size
    assert made.getcolors() == [(tall.width * tall.height, (230, 0, 126))]


@pytest.mark.parametrize("lab", [(60, 45, 30), (50, 0, 0), (70, -40, 30), (40, 20, -50)])
def test_lab_is_lab(lab):
    numbers = np.array([lab[0] * 2.55, lab[1] % 256, lab[2] % 256]).round().astype(np.uint8)
    picture = Image.frombytes("LAB", (8, 8), numbers.tobytes() * 64)
    data = file(picture, "TIFF")
    L, a, b = numbers[0] / 2.55, *numbers[1:].astype(np.int8).astype(float)
    assert off(opened(data), profiles.expected_lab(L, a, b)) <= 3
    assert off(opened(data), numbers) > 20  # control: the numbers are no sRGB


@pytest.mark.parametrize(
    "exif", [{0x8769: {0xA001: 2}}, {0x8769: {0xA001: 0xFFFF, 0xA005: {1: "R03"}}}], ids=["number", "R03"]
)
def test_cameras_say_adobe_rgb_without_a_profile(exif):
    says = Image.Exif()
    for name, values in exif.items():
        says[name] = values
    data = file(flat(100, 150, 200), "JPEG", exif=says, quality=100)
    wanted = profiles.expected((100, 150, 200), profiles.ADOBE, ADOBE_GAMMA)
    assert off(opened(data), wanted) <= 3
    assert off(old(data), wanted) > 20  # control
    assert off(opened(file(flat(100, 150, 200), "JPEG", quality=100)), (100, 150, 200)) <= 1


def with_chunk(data, kind, content):
    """The PNG with a chunk after its head."""
    made = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return data[:33] + made + data[33:]


def test_pngs_say_their_gamma():
    bare = file(flat(60, 120, 180))
    linear = with_chunk(bare, b"gAMA", struct.pack(">I", 100_000))
    assert off(opened(linear), profiles.encoded(np.array([60, 120, 180]) / 255)) <= 1
    assert off(old(linear), profiles.encoded(np.array([60, 120, 180]) / 255)) > 40  # control
    usual = with_chunk(bare, b"gAMA", struct.pack(">I", 45_455))
    senseless = [with_chunk(bare, b"gAMA", struct.pack(">I", number)) for number in (0, 1, 2**31)]
    for same in (bare, usual, with_chunk(linear, b"sRGB", b"\0"), *senseless):
        assert opened(same).getpixel((0, 0)) == (60, 120, 180)


# --- which picture, and which way up


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", *(["AVIF"] if features.check("avif") else [])])
def test_the_first_of_several_is_shown(kind):
    data = file(flat(200, 30, 60), kind, save_all=True, append_images=[flat(20, 30, 200)])
    assert off(opened(data), (200, 30, 60)) <= 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", *(["AVIF"] if features.check("avif") else [])])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_up(kind, orientation):
    picture = flat(255, 255, 255, size=(32, 16))
    picture.paste((0, 0, 0), (0, 0, 16, 8))  # which corner of the file is dark
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = np.asarray(opened(file(picture, kind, exif=exif)).convert("L"))
    assert made.shape == ((16, 32) if orientation <= 4 else (32, 16))
    rows, columns = np.nonzero(made < 100)
    corner = (int(rows.mean() > made.shape[0] / 2), int(columns.mean() > made.shape[1] / 2))
    #: where the file's first row and first column lie (EXIF 2.32, 4.6.4)
    assert corner == [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (0, 1), (1, 1), (1, 0)][orientation - 1]


def test_impossible_exif_is_left_aside():
    for exif in (b"Exif\0\0", b"Exif\0\0MM\0*" + bytes(3), b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(90)):
        data = file(flat(10, 20, 30), "JPEG", quality=100)
        data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
        assert off(opened(data), (10, 20, 30)) <= 2


# --- what is hostile


def test_profiles_that_do_not_fit_are_left_aside():
    wrong = [b"", b"words", profiles.inks(press), profiles.grey(1.0), profiles.inks(press, b"link"),
             profiles.rgb(profiles.ADOBE, 1.0)[:200], bytes(9000)]  # fmt: skip
    for profile in wrong:
        picture = flat(100, 150, 200)
        picture.info["icc_profile"] = profile
        assert colours.plain(picture).getpixel((0, 0)) == (100, 150, 200)
    picture.info["icc_profile"] = profiles.rgb(profiles.ADOBE, 1.0)  # control
    assert colours.plain(picture).getpixel((0, 0)) != (100, 150, 200)


def test_a_profile_larger_than_any_is_not_looked_at(monkeypatch):
    picture = flat(100, 150, 200)
    picture.info["icc_profile"] = profiles.rgb(profiles.ADOBE, 1.0)
    monkeypatch.setattr(colours, "MOST_PROFILE", len(picture.info["icc_profile"]) - 1)
    assert colours.plain(picture).getpixel((0, 0)) == (100, 150, 200)
    monkeypatch.setattr(colours, "MOST_PROFILE", len(picture.info["icc_profile"]))  # control
    assert colours.plain(picture).getpixel((0, 0)) != (100, 150, 200)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_torn_profiles_never_end_in_an_error(mode):
    whole = {"RGB": profiles.rgb(profiles.P3, 2.2), "CMYK": profiles.inks(press), "L": profiles.grey(1.8)}[mode]
    dice = np.random.default_rng(7)
    for _turn in range(300):
        torn = bytearray(whole)
        for place in dice.integers(0, len(torn), dice.integers(1, 12)):
            torn[place] = dice.integers(256)
        picture = Image.new(mode, (4, 4), 90 if mode == "L" else (90,) * len(mode))
        picture.info["icc_profile"] = bytes(torn[: dice.integers(1, len(torn) + 1)] if dice.random() < 0.3 else torn)
        assert colours.plain(picture).mode == "RGB"


def test_a_profile_that_unpacks_to_a_bomb_is_refused_in_words():
    bomb = with_chunk(file(flat(1, 2, 3)), b"iCCP", b"x\0\0" + zlib.compress(bytes(90_000_000)))
    with pytest.raises(BadRecipe, match="cannot be read"):
        opened(bomb)


# --- phones


def heic(brand=b"heic"):
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1heic" + bytes(400)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1"])
def test_a_photo_of_an_iphone_gets_a_sentence_that_helps(tmp_path, brand):
    (tmp_path / "a.jpg").write_bytes(heic(brand))  # some programs rename only
    with pytest.raises(BadRecipe, match="HEIC") as caught:
        pictures.read(tmp_path / "a.jpg")
    assert "JPEG" in caught.value.hint
    (tmp_path / "a.jpg").write_bytes(heic(b"isom"))  # control: a film is just no picture
    with pytest.raises(BadRecipe, match="cannot be read as a picture"):
        pictures.read(tmp_path / "a.jpg")


def test_avif_is_read_where_pillow_reads_it(monkeypatch):
    data = struct.pack(">I", 24) + b"ftypavif" + bytes(4) + b"avifmif1" + bytes(400)
    monkeypatch.setattr(pictures, "GIVEN", ("JPEG", "PNG", "WEBP"))
    with pytest.raises(pictures.Unread, match="AVIF"):
        pictures.unpacked(data, 10**6, pictures.GIVEN)
    monkeypatch.setattr(pictures, "GIVEN", ("JPEG", "PNG", "WEBP", "AVIF"))
    with pytest.raises(BadRecipe, match="cannot be read as a picture"):  # it would be, were it whole
        pictures.unpacked(data, 10**6, ("JPEG", "PNG", "WEBP"))
