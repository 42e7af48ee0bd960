"""The catalogues: nothing that visitors read is left without words, and the words fit."""

import runpy
from pathlib import Path

import pytest

polib = pytest.importorskip("polib")
SCRIPT = Path(__file__).parents[2] / "scripts" / "messages.py"
messages = runpy.run_path(str(SCRIPT), run_name="messages")


@pytest.fixture(scope="module")
def said():
    return messages["extracted"](messages["files"]())


@pytest.mark.parametrize("language", messages["languages"]())
def test_nothing_is_missing(language: str, said) -> None:
    assert list(messages["complaints"](language, said)) == []


def test_every_language_of_the_house_has_a_catalogue(settings) -> None:
    assert {code for code, _name in settings.LANGUAGES} == {"en", *messages["languages"]()}


@pytest.fixture
def broken(tmp_path, monkeypatch, said):
    """Spanish as it is, in a folder where it can be broken: `broken(change)` says what is complained of then and was
    not before."""
    before = set(messages["complaints"]("es", said))
    path = tmp_path / "es" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    catalogue = polib.pofile(str(messages["po_of"]("es")))
    monkeypatch.setitem(messages["po_of"].__globals__, "LOCALE", tmp_path)

    def complained(change, compiled: bool = True) -> list[str]:
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        change(catalogue)
        catalogue.save(str(path))
        if compiled:
            catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        return [complaint for complaint in messages["complaints"]("es", said) if complaint not in before]

    return complained


def entry(catalogue, text: str):
    return next(found for found in catalogue if found.msgid == text)


def say(text: str, words: str):
    return lambda catalogue: setattr(entry(catalogue, text), "msgstr", words)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda catalogue: catalogue.remove(entry(catalogue, "There is nothing here.")), "is not in the catalogue"),
        (say("There is nothing here.", ""), "is not translated"),
        (lambda catalogue: entry(catalogue, "There is nothing here.").flags.append("fuzzy"), "is fuzzy"),
        (say("Draw {count}", "Dibujar {cuenta}"), "has ['{count}'], its translation ['{cuenta}']"),
        (say("Group %(number)s", "Grupo"), "has ['%(number)s'], its translation []"),
        (say("Latent <em>Salon</em>", "Latent <b>Salon</b>"), "has ['</em>', '<em>']"),
        (say("There is nothing here.", "Aquí no hay nada. "), "begins or ends with a blank"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_found(broken, change, complaint: str) -> None:
    """Negative control: each way of breaking the catalogue is complained of, and nothing else is."""
    (found,) = broken(change)
    assert complaint in found


def test_an_old_mo_is_found(broken) -> None:
    change = say("There is nothing here.", "Aquí no hay nada de nada.")
    assert broken(change, compiled=False) == ["the .mo is not what the .po says: messages.py compile"]


def test_templates_and_modules_are_read_as_gettext_reads_them(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(messages["extracted"].__globals__, "WEB", tmp_path)
    template, module = tmp_path / "a.html", tmp_path / "b.py"
    template.write_text(
        '{% translate "It\'s 5% of it" %}{{ x|default:_("or") }}{% translate "May" context "month" %}'
        "{% blocktranslate count n=n %}one{% plural %}{{ n }} of them{% endblocktranslate %}"
        '{# {% translate "not this" %} #}{% comment %}{% translate "nor this" %}{% endcomment %}'
    )
    module.write_text('_("a" "b")\nngettext("%(n)s cat", "%(n)s cats", n)\nx.gettext_lazy("lazy")\n_(name)\n')
    found = messages["extracted"]([template, module])
    assert {(m.context, m.text, m.plural) for m in found.values()} == {
        ("", "It's 5%% of it", ""), ("", "or", ""), ("month", "May", ""), ("", "one", "%(n)s of them"),
        ("", "ab", ""), ("", "%(n)s cat", "%(n)s cats"), ("", "lazy", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "backstage"),
    [("templates/gallery/mine.html", False), ("templates/backstage/home.html", True), ("backstage/views.py", True),
     ("templates/mail/outbox.html", True), ("templates/mail/lost.html", False), ("gallery/views.py", False)],
)  # fmt: skip
def test_who_reads_a_file(file: str, backstage: bool) -> None:
    assert messages["is_backstage"](file) is backstage
