from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('station', '0003_withheld_and_device'),
    ]

    operations = [
        migrations.AddField(
            model_name='drawing',
            name='score',
            field=models.FloatField(null=True),
        ),
    ]
