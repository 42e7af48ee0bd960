"""The catalogues of src/salon/web/locale (docs/translating.md): what the code says, in the house's other languages.

    python scripts/messages.py update     # what visitors read goes into every .po; what is new has no words yet
    python scripts/messages.py everything # the same with what only people of the house read: to translate that, too
    python scripts/messages.py compile    # every .po into the .mo that the house reads
    python scripts/messages.py check      # what is missing or does not fit; fails if there is anything

Needs polib (the extra `test`), and no GNU gettext: templates are read by Django's own lexer, Python by `ast`.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import django
import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "src" / "salon" / "web"
LOCALE = WEB / "locale"
PLURALS = {"es": "nplurals=2; plural=(n != 1);", "ja": "nplurals=1; plural=0;"}
#: rooms in which only people of the house go about; elsewhere a file is theirs by its name or by the page it extends
BACKSTAGE_ROOMS = frozenset({"backstage", "jury"})

#: which arguments of a call are context, message, plural
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None), "gettext": (None, 0, None), "gettext_lazy": (None, 0, None), "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1), "ngettext_lazy": (None, 0, 1), "pgettext": (0, 1, None), "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2), "npgettext_lazy": (0, 1, 2),
}  # fmt: skip
Key = tuple[str, str]  # context, message


@dataclass
class Message:
    """Something that the code says; `files` are relative to src/salon/web."""

    text: str
    plural: str = ""
    context: str = ""
    files: list[str] = field(default_factory=list)


def calls_of(source: str) -> Iterator[tuple[str, list[str | None]]]:
    """Name and arguments of each call in Python source; what is no constant text is None."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            given = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args]
            yield name, given


_LITERAL = r"""u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_TEMPLATE_CALL = re.compile(rf"(?<!\w)(_|n?p?gettext)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)", re.DOTALL)


def template_calls(source: str) -> Iterator[tuple[str, list[str | None]]]:
    """The same for a template, of which Django makes something like Python."""
    for name, given in _TEMPLATE_CALL.findall(templatize(source)):
        yield name, list(ast.literal_eval(f"[{given}]"))


def files() -> list[Path]:
    """Whatever may say something: modules and templates of the web."""
    found = [*WEB.rglob("*.py"), *WEB.rglob("templates/**/*.html"), *WEB.rglob("templates/**/*.txt")]
    return sorted(path for path in found if "migrations" not in path.parts)


def extracted(paths: Iterable[Path]) -> dict[Key, Message]:
    """Every message of these files."""
    found: dict[Key, Message] = {}
    for path in paths:
        calls = calls_of if path.suffix == ".py" else template_calls
        for name, given in calls(path.read_text(encoding="utf-8")):
            at_context, at_text, at_plural = CALLS.get(name, (None, 0, None))
            text = given[at_text] if name in CALLS and at_text < len(given) else None
            if not text:
                continue
            context = given[at_context] or "" if at_context is not None else ""
            message = found.setdefault((context, text), Message(text, context=context))
            if at_plural is not None:
                message.plural = given[at_plural] or ""
            place = path.relative_to(WEB).as_posix()
            if place not in message.files:
                message.files.append(place)
    return found


_EXTENDS = re.compile(r"""{%\s*extends\s+["']([^"']+)["']""")


def is_backstage(file: str) -> bool:
    """Whether only people of the house see what a file says."""
    parts = Path(file).parts
    if BACKSTAGE_ROOMS & set(parts) or parts[-1].startswith("backstage"):
        return True
    source = (WEB / file).read_text(encoding="utf-8") if file.startswith("templates/") else ""
    return any(
        (WEB / "templates" / base).is_file() and is_backstage(f"templates/{base}") for base in _EXTENDS.findall(source)
    )


_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|(?<!%)%[sd]|\{\w+\}")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def marks(text: str) -> Counter[str]:
    """Placeholders and tags, which a translation must not lose, gain or change."""
    return Counter(_PLACEHOLDER.findall(text)) + Counter(_TAG.findall(text))


def misfits(entry: polib.POEntry) -> Iterator[str]:
    """What is wrong with a translation that is there."""
    said = entry.msgstr_plural if entry.msgid_plural else {0: entry.msgstr}
    for number, words in said.items():
        if not words:
            continue
        wanted = marks(entry.msgid_plural or entry.msgid)
        # "one picture" need not say its number
        fits = marks(words) == wanted or (entry.msgid_plural and number < max(said) and not marks(words) - wanted)
        if not fits:
            yield f"{entry.msgid[:60]!r} has {sorted(wanted)}, its translation {sorted(marks(words))}"
        if words.strip() != words and entry.msgid.strip() == entry.msgid:
            yield f"{entry.msgid[:60]!r}: its translation begins or ends with a blank"


def translated(entry: polib.POEntry) -> bool:
    forms = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    return bool(forms) and all(forms) and not getattr(entry, "fuzzy", False)  # a .mo knows no fuzzy ones


def po_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def languages() -> list[str]:
    return sorted(path.name for path in LOCALE.iterdir() if path.is_dir())


def entries(catalogue: polib.POFile) -> dict[Key, polib.POEntry]:
    return {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue if not entry.obsolete}


def complaints(language: str, said: dict[Key, Message]) -> Iterator[str]:
    """What is missing or wrong in a language, a sentence each."""
    catalogue = polib.pofile(str(po_of(language)))
    there = entries(catalogue)
    for key, message in said.items():
        entry = there.get(key)
        if entry is None and all(map(is_backstage, message.files)):
            continue
        if entry is None or entry.msgid_plural != message.plural:
            yield f"{message.text[:60]!r} ({message.files[0]}) is not in the catalogue: messages.py update"
        elif not translated(entry) and not all(map(is_backstage, message.files)):
            yield f"{message.text[:60]!r} ({message.files[0]}) is {'fuzzy' if entry.fuzzy else 'not translated'}"
    for entry in there.values():
        yield from misfits(entry)
    if as_compiled(catalogue) != as_compiled(polib.mofile(str(po_of(language).with_suffix(".mo")))):
        yield "the .mo is not what the .po says: messages.py compile"


def as_compiled(catalogue: polib.POFile | polib.MOFile) -> dict[Key, object]:
    """What a program finds in it."""
    return {
        (entry.msgctxt or "", entry.msgid): dict(entry.msgstr_plural) or entry.msgstr
        for entry in catalogue
        if not entry.obsolete and translated(entry)
    }


def update(language: str, said: dict[Key, Message], everything: bool) -> None:
    """Writes the .po anew: what visitors read, and what else has words already, or all, with the words that it had and
    the first file that says it; what the code says no longer is kept as a comment, should it come back."""
    path = po_of(language)
    old = polib.pofile(str(path)) if path.is_file() else polib.POFile()
    before = {(entry.msgctxt or "", entry.msgid): entry for entry in old}
    new = polib.POFile(wrapwidth=118)
    new.metadata = {
        "Project-Id-Version": "latent-salon", "Language": language, "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS.get(language, "nplurals=2; plural=(n != 1);"),
    }  # fmt: skip
    forms = int(new.metadata["Plural-Forms"].split("=")[1].split(";")[0])
    for key, message in sorted(said.items(), key=lambda pair: (pair[1].files[0], pair[0])):
        entry = polib.POEntry(msgid=message.text, msgid_plural=message.plural, msgctxt=message.context or None)
        entry.occurrences = [(message.files[0], "")]
        known = before.pop(key, None)
        if not everything and not (known and translated(known)) and all(map(is_backstage, message.files)):
            continue
        if message.plural:
            entry.msgstr_plural = {n: (known.msgstr_plural.get(n, "") if known else "") for n in range(forms)}
        elif known:
            entry.msgstr = known.msgstr
        new.append(entry)
    for entry in before.values():
        if translated(entry):
            entry.obsolete = True
            entry.occurrences = []
            new.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.save(str(path))


def compile_(language: str) -> None:
    polib.pofile(str(po_of(language))).save_as_mofile(str(po_of(language).with_suffix(".mo")))


def main(words: list[str]) -> int:
    if len(words) != 1 or words[0] not in ("update", "everything", "compile", "check"):
        print(__doc__, file=sys.stderr)
        return 2
    if not settings.configured:
        settings.configure()
        django.setup()
    said, wrong = extracted(files()), 0
    for language in languages():
        if words[0] in ("update", "everything"):
            update(language, said, words[0] == "everything")
        elif words[0] == "compile":
            compile_(language)
        else:
            found = [f"{language}: {complaint}" for complaint in complaints(language, said)]
            print("\n".join(found) or f"{language}: nothing is missing")
            wrong += len(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
