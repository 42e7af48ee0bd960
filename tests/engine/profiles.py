"""ICC profiles written from their specifications (ICC.1:2001-04), for tests: what a file may say of its colours."""

import struct

import numpy as np

#: chromaticities of red, green, blue (Adobe RGB 1998, 4.3.1; SMPTE EG 432-1 with white D65; IEC 61966-2-1), and of D65
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
D65, D50 = (0.3127, 0.3290), np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _xyz(x, y):
    return np.array([x / y, 1, (1 - x - y) / y])


def matrix(primaries):
    """Linear numbers -> XYZ under D65."""
    columns = np.stack([_xyz(*one) for one in primaries], axis=1)
    return columns * np.linalg.solve(columns, _xyz(*D65))


def _to_d50():
    there, here = BRADFORD @ D50, BRADFORD @ _xyz(*D65)
    return np.linalg.inv(BRADFORD) @ np.diag(there / here) @ BRADFORD


def _fixed(values):
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _profile(kind, space, link, tags):
    head, data, table = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", head + len(data), len(content))
        data += content + b"\0" * (-len(content) % 4)
    body = struct.pack(">I", len(tags)) + table + data
    start = struct.pack(">I4sI4s4s4s", 128 + len(body), b"none", 0x02400000, kind, space, link)
    rest = struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(D50)
    return (start + rest).ljust(128, b"\0") + body


def _text(tag, words):
    raw = words.encode() + b"\0"
    return tag + bytes(4) + (struct.pack(">I", len(raw)) + raw + bytes(78) if tag == b"desc" else raw)


NAMED = {b"desc": _text(b"desc", "test"), b"cprt": _text(b"text", "none"), b"wtpt": b"XYZ " + bytes(4) + _fixed(D50)}


def _gamma(gamma):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def rgb(primaries, gamma):
    """A display whose curve is a power."""
    columns = (_to_d50() @ matrix(primaries)).T
    colours = {name: b"XYZ " + bytes(4) + _fixed(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(gamma))
    return _profile(b"mntr", b"RGB ", b"XYZ ", NAMED | colours | curves)


def grey(gamma):
    return _profile(b"mntr", b"GRAY", b"XYZ ", NAMED | {b"kTRC": _gamma(gamma)})


def inks(lab_of, kind=b"prtr"):
    """A press of four inks: `lab_of` says the L*a*b* of all or none of each, littlecms finds what lies between."""
    ramp = struct.pack(">2H", 0, 65535)
    corners = [lab_of(*(place >> at & 1 for at in (3, 2, 1, 0))) for place in range(16)]
    clut = b"".join(struct.pack(">3H", round(L * 652.8), round((a + 128) * 256), round((b + 128) * 256))
                    for L, a, b in corners)  # fmt: skip
    head = b"mft2" + bytes(4) + struct.pack(">4B", 4, 3, 2, 0) + _fixed(np.eye(3).ravel()) + struct.pack(">2H", 2, 2)
    return _profile(kind, b"CMYK", b"Lab ", NAMED | {b"A2B0": head + ramp * 4 + clut + ramp * 3})


def encoded(light):
    """sRGB numbers 0 to 255 of linear light (IEC 61966-2-1)."""
    at = np.clip(light, 0, 1)
    return 255 * np.where(at <= 0.0031308, 12.92 * at, 1.055 * at ** (1 / 2.4) - 0.055)


def expected(numbers, primaries, gamma):
    """What a screen must show of numbers 0 to 255 of such a display, by the specifications alone."""
    return encoded(np.linalg.solve(matrix(SRGB), matrix(primaries) @ (np.asarray(numbers) / 255) ** gamma))


def expected_lab(L, a, b):
    """What a screen must show of an L*a*b* under D50."""
    middle = (L + 16) / 116
    ratios = np.array([middle + a / 500, middle, middle - b / 200])
    xyz = np.where(ratios > 6 / 29, ratios**3, (ratios - 4 / 29) * 3 * (6 / 29) ** 2) * D50
    return encoded(np.linalg.solve(_to_d50() @ matrix(SRGB), xyz))
