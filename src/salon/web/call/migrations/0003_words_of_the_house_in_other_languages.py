"""Calls made before texts had languages ask in the words of the house itself, in one: what the catalogues say of them in
the event's other languages is kept beside them. What organisers wrote themselves is in no catalogue and stays as it is."""

from django.conf import settings
from django.db import migrations
from django.utils import translation


def _others(row, fields, event):
    texts = {}
    for code in (code for code in event.languages[1:] if code in dict(settings.LANGUAGES)):
        with translation.override(code):
            said = {name: translation.gettext(getattr(row, name)) for name in fields if getattr(row, name)}
        words = {name: text for name, text in said.items() if text != getattr(row, name)}
        if words:
            texts[code] = words
    return texts


def fill(apps, schema_editor):
    call, question, wording = (apps.get_model("call", name) for name in ("Call", "Question", "Wording"))
    for row in call.objects.select_related("event"):
        row.texts = _others(row, ("title",), row.event)
        row.save(update_fields=["texts"])
    for row in question.objects.select_related("call__event"):
        row.texts = _others(row, ("label", "help"), row.call.event)
        row.save(update_fields=["texts"])
    for row in wording.objects.select_related("question__call__event"):
        row.texts = _others(row, ("label", "help"), row.question.call.event)
        row.save(update_fields=["texts"])


class Migration(migrations.Migration):
    dependencies = [("call", "0002_texts_in_several_languages")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
