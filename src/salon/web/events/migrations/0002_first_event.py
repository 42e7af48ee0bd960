from django.db import migrations


def make_first_event(apps, schema_editor):
    """Every other row belongs to an event, so a new installation begins with one."""
    Event = apps.get_model("events", "Event")
    if not Event.objects.exists():
        Event.objects.create(slug="salon", name="Latent Salon", current=True)


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunPython(make_first_event, migrations.RunPython.noop)]
