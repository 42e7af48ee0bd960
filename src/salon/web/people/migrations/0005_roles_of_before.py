from django.db import migrations


def give_roles(apps, schema_editor):
    """Before there were roles, whoever came in backstage could do everything there: they still can at that event."""
    Event, User, Role = apps.get_model("events", "Event"), apps.get_model("people", "User"), apps.get_model("people", "Role")
    event = Event.objects.filter(current=True).first()
    if event is None:
        return
    people = User.objects.filter(is_staff=True, is_superuser=False)
    rows = [Role(event=event, user=user, kind=kind) for user in people for kind in ("organiser", "curator")]
    Role.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0004_event_rooms"),
        ("events", "0005_event_rooms"),
    ]

    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
