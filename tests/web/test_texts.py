"""Organisers' words in several languages: the call, its questions, what is agreed to, welcome and privacy."""

import pytest
from calling import begin, browser, named, open_call, send, whole
from django.utils import timezone, translation

from salon.core.errors import BadRecipe
from salon.web.call.domain import answers, forms
from salon.web.call.models import Answer, Question, Wording
from salon.web.events import setup, texts
from salon.web.events.domain import current_event
from salon.web.exports.domain import tables
from salon.web.people.models import User

pytestmark = pytest.mark.django_db
CHOICE = {
    "kind": "choice", "label": "How large is it?", "help": "About", "options": "small\nlarge",
    "label.es": "¿Qué tamaño tiene?", "options.es": "pequeño\ngrande", "label.ja": "大きさは？",
}  # fmt: skip


class Form(dict):
    """As a QueryDict, so far as the readers ask."""


@pytest.fixture
def organiser():
    return User.objects.create_superuser("olga")


@pytest.fixture
def call(organiser):
    return open_call(organiser)


def ask(organiser, **more):
    return forms.add(organiser, forms.read_question(Form(CHOICE | more), current_event().languages))


def page(path, language, **more):
    return browser(**more).get(path, headers={"Accept-Language": language}).content.decode()


def test_the_usual_questions_and_terms_are_asked_in_every_language(call):
    """They were asked in the language of whoever made the call, to everybody."""
    terms = "Tengo derecho a mostrar la obra"
    english, spanish, japanese = (page("/call", code) for code in ("en", "es", "ja"))
    assert "I agree to the terms" in english
    assert "I agree to the terms" not in spanish + japanese
    assert "Call for artists" not in spanish + japanese
    one = named("I agree to the terms")
    assert one.texts["es"]["help"].startswith(terms[:5]) or one.texts["es"]["help"] != one.help
    assert {"es", "ja"} <= one.texts.keys()
    assert Wording.objects.get(question=one).texts == one.texts


def test_a_language_without_words_reads_the_first_and_is_told_which(call, organiser):
    others = {"es": {"title": "Convocatoria"}}
    forms.set_call(organiser, "Open call", "Bring it.", call.opens_at, call.closes_at, others)
    assert "Convocatoria</h1>" in page("/call", "es")
    japanese = page("/call", "ja")
    assert '<h1 dir="auto" lang="en">Open call</h1>' in japanese
    assert '<h1 dir="auto">Open call</h1>' in page("/call", "en")  # the page's own language needs no mark


def test_what_is_chosen_is_kept_by_the_first_languages_words_and_read_in_each(call, organiser):
    question = ask(organiser)
    with translation.override("es"):
        assert answers.options(question) == [("small", "pequeño"), ("large", "grande")]
        assert answers.value_of(question, "large") == ("large", "")
        assert answers.value_of(question, "grande")[1]  # its words are no answer
        assert answers.said(question, "large") == "grande"
    with translation.override("ja"):
        assert answers.options(question) == [("small", "small"), ("large", "large")]


def test_options_come_in_every_language_or_not_at_all(call, organiser):
    with pytest.raises(BadRecipe, match="1 answers to choose from instead of 2"):
        ask(organiser, **{"options.es": "pequeño"})
    assert ask(organiser, **{"options.es": " \n"}).texts["es"] == {"label": "¿Qué tamaño tiene?"}


def test_what_is_too_long_is_said_with_its_language(organiser, call):
    with pytest.raises(BadRecipe, match="In Español: at most 300"):
        ask(organiser, **{"label.es": "x" * 301})


@pytest.mark.parametrize(("spoken", "noted"), [("es", "es"), ("en", "en"), ("fr", "en")])
def test_an_agreement_notes_the_words_and_the_language_in_which_they_were_read(call, spoken, noted):
    with translation.override(spoken):
        sent = send(begin())
    given = Answer.objects.get(submission=sent, question=named("I agree to the terms"))
    assert (given.version, given.language) == (1, noted)
    assert not Answer.objects.exclude(question__kind="agreement").exclude(language="").exists()


def test_other_words_in_any_language_are_a_new_version(call, organiser):
    terms = named("I agree to the terms")
    plain = ("kind", "label", "help", "options", "use", "required", "personal")
    fields = {name: getattr(terms, name) for name in plain}
    assert forms.change(organiser, terms.id, fields).version == 1
    assert forms.change(organiser, terms.id, fields | {"texts": terms.texts}).version == 1
    other = terms.texts | {"es": terms.texts["es"] | {"help": "Otras palabras."}}
    assert forms.change(organiser, terms.id, fields | {"texts": other}).version == 2
    assert Wording.objects.get(question=terms, version=1).texts != Wording.objects.get(question=terms, version=2).texts


def test_a_language_that_is_no_longer_offered_keeps_its_words(call, organiser):
    question = ask(organiser)
    event = current_event()
    event.languages = ["en", "es"]
    event.save()
    fields = forms.read_question(Form(CHOICE | {"label.es": "¿Cómo de grande?", "label.ja": "x"}), event.languages)
    changed = forms.change(organiser, question.id, fields)
    assert changed.texts["es"]["label"] == "¿Cómo de grande?"
    assert changed.texts["ja"] == {"label": "大きさは？"}


def test_exports_go_by_the_first_language(call, organiser):
    question = ask(organiser)
    with translation.override("es"):
        sent = send(begin(), whole(**{answers.name_of(question): "large"}))
        row = tables.application(current_event(), sent)
        (shown,) = [one for one in answers.told(sent) if one["question"] == question]
    assert row["answer: How large is it?"] == "large"
    assert shown["text"] == "grande"  # the control: on pages it is read in the reader's language


def test_the_forms_show_the_other_languages_and_keep_what_was_typed(call, organiser):
    client = browser()
    client.force_login(organiser)
    form = client.get("/backstage/call/form").content.decode()
    assert form.count('class="other-language"') == 4  # the call's and a new question's, in two languages each
    refused = client.post("/backstage/call/questions", CHOICE | {"options.es": "uno"})
    assert refused.status_code == 400
    assert "¿Qué tamaño tiene?" in refused.content.decode()
    made = client.post("/backstage/call/questions", CHOICE)
    assert made.status_code == 302
    question = Question.objects.get(label="How large is it?")
    assert question.texts["es"]["options"] == ["pequeño", "grande"]
    again = client.get(f"/backstage/call/questions/{question.id}").content.decode()
    assert "pequeño\ngrande" in again


def test_another_first_language_turns_the_words_and_loses_none(call, organiser):
    """Answers go on by the options of the one before: they are kept by them."""
    question = ask(organiser)
    terms = named("I agree to the terms")
    spanish = terms.texts["es"]["label"]
    event = current_event()
    setup.keep(organiser, event.id, setup.step_named("languages"), {"languages": ["es", "en", "ja"]})
    for row in (question, terms, call, event):
        row.refresh_from_db()
    assert event.languages[0] == "es"
    assert (question.label, question.texts["en"]["label"]) == ("¿Qué tamaño tiene?", "How large is it?")
    assert (terms.label, terms.texts["en"]["label"], terms.version) == (spanish, "I agree to the terms", 1)
    assert question.options == ["small", "large"]
    with translation.override("es"):
        assert answers.options(question) == [("small", "pequeño"), ("large", "grande")]
        assert texts.said(question, "label") == "¿Qué tamaño tiene?"
    with translation.override("en"):
        assert texts.said(question, "label") == "How large is it?"
    client = browser()
    client.force_login(organiser)
    assert "How large is it?" in client.get(f"/backstage/call/questions/{question.id}").content.decode()
    kept = forms.read_question(Form(CHOICE | {"label": "¿Cuánto mide?", "label.en": "How big?"}), event.languages)
    changed = forms.change(organiser, question.id, kept)
    assert changed.texts["es"]["options"] == ["pequeño", "grande"]
    assert (changed.label, changed.texts["en"]["label"]) == ("¿Cuánto mide?", "How big?")


def test_welcome_and_privacy_speak_the_readers_language(organiser):
    event, client = current_event(), browser()
    event.opened_at = timezone.now()
    event.save()
    client.force_login(organiser)
    at = f"/backstage/events/{event.slug}/words"
    suggested = client.get(at).content.decode()
    assert suggested.count('class="other-language"') == 2
    assert "Nada de lo que hagas" in suggested or 'name="privacy.es"' in suggested
    words = {"welcome": "Come in.", "privacy": "We keep little.", "welcome.es": "Pasad.", "privacy.ja": "少しだけ。"}
    assert client.post(at, words).status_code == 302
    assert "Pasad." in page("/event", "es")
    assert "Come in." in page("/event", "ja")
    assert "少しだけ。" in page("/privacy", "ja")
    assert '<div class="prose" dir="auto" lang="en"><p>We keep little.' in page("/privacy", "es")
    was = client.get(at).content.decode().partition('name="was" value="')[2].partition('"')[0]
    client.post(at, words | {"welcome.es": "Adelante.", "was": was})
    stale = client.post(at, words | {"was": was})  # a second window
    assert stale.status_code == 409
    assert "Adelante." in stale.content.decode()


def test_what_the_house_says_itself_is_taken_in_all_languages():
    first, others = texts.in_all(["es", "en"], lambda: {"word": str(translation.gettext("Email")), "same": 1})
    assert others.keys() <= {"en"}
    assert first["same"] == 1
    assert all("same" not in row for row in others.values())
