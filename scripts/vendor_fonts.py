"""Rebuild fonts from pinned npm packages of openly licensed ones (Fontsource): the printing room's, and what the pages
need for Latin letters beyond those of western Europe.

    python scripts/vendor_fonts.py [--packages DIR]

Without --packages the packages are fetched with `npm pack`. Each is checked against its pinned SHA-256. The house's own
fonts become `src/salon/printing/fonts/*.ttf`; what sets other scripts, one font a script, is packed into `noto.tar.xz`
beside them. Pages get `src/salon/web/static/salon/fonts/*-ext.woff2` and `*-vietnamese.woff2`, named by house.css with
the ranges of here. The files are the same, byte for byte, wherever they are built. Needs fontTools and brotli (in the
extra `test`).
"""

import argparse
import hashlib
import io
import lzma
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

SALON = Path(__file__).resolve().parents[1] / "src/salon"
TARGET, PAGES = SALON / "printing/fonts", SALON / "web/static/salon/fonts"
VARIABLE = "variable/hanken-grotesk"
#: package -> (version, SHA-256 of the tarball)
PINNED = {
    "hanken-grotesk": ("5.3.0", "d2d770507b6216cced24ff3cced1ce59dade9ae61a4ed2b940290386a2e11bc7"),
    VARIABLE: ("5.3.0", "ceaf44924113b0dfe025b2bc4e263ccc64a2414559bbcb5966a480a3c45eba35"),
    "libre-caslon-condensed": ("5.3.0", "aad48ed0c9c73784fe80b2f11ff5e933c1bf1ca52a86b0b9a4710e439e9c383a"),
    "noto-emoji": ("5.3.2", "1fe49bb2cf7c2d78f93c0a69b6a431dcfd0d585b7831eba87fae6888ccf8d373"),
    "noto-sans": ("5.3.0", "f62f8ed40e378f15134e32bed2fd5718d81e9ec7a5603d1022d7b385e2297abc"),
    "noto-sans-arabic": ("5.3.0", "e0a81ade67ce507c9b91546ca3d91332d184a8277fc683440b00896b430856bb"),
    "noto-sans-armenian": ("5.3.0", "ce3b746119f1e728f0b9902287654a8828dd67cc6520139e8745f74779a92713"),
    "noto-sans-bengali": ("5.3.0", "710bd3da800c7cacd1ee68c92b296ebc925d75e81cdb49a60ecf707d74c7e2b1"),
    "noto-sans-devanagari": ("5.3.0", "8d42be0e944481b61e68c7702037d4143e96bf48dbb72d19ea05d0cacc1323d5"),
    "noto-sans-ethiopic": ("5.3.0", "3ac837b13068cbef711c7779d48e4b08291b037dac7d4520c49f3494409da048"),
    "noto-sans-georgian": ("5.3.0", "9aa744e7482a6a7eb8ed8139208d6e430c62c20637c8eff0ce15358f3b5c3e9c"),
    "noto-sans-gujarati": ("5.3.0", "9c583f906240ffc1c84b77ce259909fe56a5ea41d15c23d94a9eabab85a2ccc6"),
    "noto-sans-gurmukhi": ("5.3.0", "8f16b2ccaad328f5d6cb4595f517db88f91d40a513d452d035a04cf03b7e8625"),
    "noto-sans-hebrew": ("5.3.0", "16a70f001f739cbcdaecdf3b164bdee8bb84cb35a8569d6dd9ec82dfcd74c78c"),
    "noto-sans-jp": ("5.3.0", "e4fac0fb8e03e21d10e1bdfd6f09e04c12a0f3bd61463bfa41c53a5603c39524"),
    "noto-sans-kannada": ("5.3.0", "628593afcffb70cb37242995a1d6bfb7ffdeddb3c96cb5a2f693af5d4ab56f8f"),
    "noto-sans-khmer": ("5.3.0", "aa26ae5e1d6ed84e55c329071d4233f29fa4209b77c55af7adaa8f09607a3c20"),
    "noto-sans-kr": ("5.3.0", "36277539698ccda64b110855eaa890d2a4737e403d225da1cbe3c90123fff602"),
    "noto-sans-lao": ("5.3.0", "a3cd7efc1c2eec42d39557d49fb52c3ac8bf81a14610180033052b1f134bf892"),
    "noto-sans-malayalam": ("5.3.0", "38371823a31f2e1ea2d24a62daa3e75cf53eac3c223491aa8e4efc157f9450e4"),
    "noto-sans-myanmar": ("5.3.0", "cb5c432a74f37366a53d30a324085ff8748b70c17424f8aef297d32705641bd7"),
    "noto-sans-sc": ("5.3.0", "05a7abac78a6cac4bd1361e7b24c680ee820fcc2f22cf5cc92673f4cd12771c5"),
    "noto-sans-sinhala": ("5.3.0", "a109c4d5898e4402e00f9dee78d1b324d64fececc269929dbf55b9f8d72035c5"),
    "noto-sans-tamil": ("5.3.0", "5cc0572ac50413ae1083a8cc5fe939ed2a287887decb54e1ca7c06cc82dcb312"),
    "noto-sans-telugu": ("5.3.0", "06b19c2d1fb3dba3c1dac01392885c63ffde8c97674518226d63b4373bed139c"),
    "noto-sans-thai": ("5.3.0", "263b3705d8dd9e3a24d267b2a2832d2252c81737f7aa45eec2ae57f87e8ad7aa"),
}
LATIN = ("latin", "latin-ext", "vietnamese")
#: file -> (package, its subsets, weight, style); Caslon's package has all its letters in one subset
OWN = {
    "hanken-grotesk-400": ("hanken-grotesk", LATIN, 400, "normal"),
    "hanken-grotesk-600": ("hanken-grotesk", LATIN, 600, "normal"),
    "libre-caslon-condensed-normal": ("libre-caslon-condensed", ("latin",), 400, "normal"),
    "libre-caslon-condensed-italic": ("libre-caslon-condensed", ("latin",), 400, "italic"),
}
#: letters of pages beyond western Europe's, which another file holds; those of Vietnamese alone are a file of their own
EXTENDED = {*range(0x100, 0x250), *range(0x1E00, 0x1F00)} - {0x131, 0x152, 0x153}
VIETNAMESE = set(range(0x1EA0, 0x1EF2))
#: weights that pages use
WEIGHTS = (400, 700)
#: letters that Hanken Grotesk lacks, and Europe's other alphabets, in both weights; else one weight a script
EUROPE = (*LATIN, "greek", "greek-ext", "cyrillic", "cyrillic-ext")
SCRIPTS = (
    "arabic", "armenian", "bengali", "devanagari", "ethiopic", "georgian", "gujarati", "gurmukhi", "hebrew", "kannada",
    "khmer", "lao", "malayalam", "myanmar", "sinhala", "tamil", "telugu", "thai",
)  # fmt: skip
#: what is kept of the large ones: what a national standard holds, by Python's codec of it
EAST = {"jp": ("japanese", "euc_jp"), "sc": ("chinese-simplified", "gb2312"), "kr": ("korean", "euc_kr")}


def fetched(package: str, folder: Path) -> Path:
    """The package's files, its tarball checked and unpacked."""
    version, expected = PINNED[package]
    scope, _, name = package.rpartition("/")
    path = folder / f"fontsource-{scope and scope + '-'}{name}-{version}.tgz"
    if not path.exists():
        name = f"@fontsource{scope and '-' + scope}/{name}@{version}"
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise SystemExit(f"{path.name} has SHA-256 {found}, expected {expected}: do not use it.")
    with tarfile.open(path) as tar:
        tar.extractall(folder / package, filter="data")
    return folder / package / "package/files"


def loaded(files: Path, package: str, subset: str, weight: int, style: str = "normal") -> TTFont:
    return TTFont(files / f"{package}-{subset}-{weight}-{style}.woff", recalcTimestamp=False)


def data_of(font: TTFont) -> bytes:
    out = io.BytesIO()
    font.flavor = None
    font.save(out)
    return out.getvalue()


def woff2_of(font: TTFont) -> bytes:
    out = io.BytesIO()
    font.flavor = "woff2"
    font.save(out)
    return out.getvalue()


def merged(parts: list[TTFont]) -> TTFont:
    """Subsets of one font as one font: typst looks at one file of a family and weight."""
    if len(parts) == 1:
        return parts[0]
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{place}.ttf" for place in range(len(parts))]
        for name, part in zip(names, parts):
            Path(name).write_bytes(data_of(part))
        font = Merger().merge(names)
    font.recalcTimestamp = False
    font["head"].created = font["head"].modified = parts[0]["head"].modified
    return font


def kept(font: TTFont, letters: set[int]) -> TTFont:
    options = Options(layout_features=["*"], notdef_outline=True, recalc_timestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    return font


def standard(codec: str) -> set[int]:
    """The letters of a national standard: all that two bytes say."""
    pairs = (bytes((high, low)) for high in range(0xA1, 0xFF) for low in range(0xA1, 0xFF))
    return {ord(letter) for pair in pairs if len(letter := pair.decode(codec, "ignore")) == 1}


def own(folder: Path) -> dict[str, bytes]:
    made = {}
    for name, (package, subsets, weight, style) in OWN.items():
        files = fetched(package, folder)
        made[f"{name}.ttf"] = data_of(merged([loaded(files, package, one, weight, style) for one in subsets]))
    return made


def noto(folder: Path) -> dict[str, bytes]:
    """Fonts of other scripts; Chinese and Korean without what the Japanese font has, which is asked before them."""
    files = fetched("noto-sans", folder)
    made = {
        f"noto-sans-{weight}.ttf": data_of(merged([loaded(files, "noto-sans", one, weight) for one in EUROPE]))
        for weight in (400, 600)
    }
    for script in SCRIPTS:
        package = f"noto-sans-{script}"
        made[f"{package}.ttf"] = data_of(loaded(fetched(package, folder), package, script, 400))
    made["noto-emoji.ttf"] = data_of(loaded(fetched("noto-emoji", folder), "noto-emoji", "emoji", 400))
    there: set[int] = set()
    for land, (subset, codec) in EAST.items():
        package = f"noto-sans-{land}"
        font = loaded(fetched(package, folder), package, subset, 400)
        letters = standard(codec) & set(font.getBestCmap()) - there
        made[f"{package}.ttf"] = data_of(kept(font, letters))
        there |= letters
    return made


def pages(folder: Path) -> dict[str, bytes]:
    """What pages load when a letter of it stands on them; Hanken Grotesk, as its Latin, in one file for all weights."""
    made = {}
    for style in ("normal", "italic"):
        files = fetched("libre-caslon-condensed", folder)
        font = loaded(files, "libre-caslon-condensed", "latin", 400, style)
        made[f"libre-caslon-condensed-{style}-ext.woff2"] = woff2_of(kept(font, EXTENDED))
    files = fetched(VARIABLE, folder)
    for name, subset, letters in (("ext", "latin-ext", EXTENDED), ("vietnamese", "vietnamese", VIETNAMESE)):
        font = TTFont(files / f"hanken-grotesk-{subset}-wght-normal.woff2", recalcTimestamp=False)
        font = instantiateVariableFont(font, {"wght": WEIGHTS})
        made[f"hanken-grotesk-{name}.woff2"] = woff2_of(kept(font, letters))
    return made


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            told = tarfile.TarInfo(name)
            told.size = len(files[name])
            tar.addfile(told, io.BytesIO(files[name]))
    return lzma.compress(out.getvalue(), preset=6 | lzma.PRESET_EXTREME)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder with the packages' tarballs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.packages or Path(temporary)
        for name, data in own(folder).items():
            (TARGET / name).write_bytes(data)
        for name, data in pages(folder).items():
            (PAGES / name).write_bytes(data)
        (TARGET / "noto.tar.xz").write_bytes(packed(noto(folder)))


if __name__ == "__main__":
    main()
