from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_moderation")]

    operations = [
        migrations.AddField(
            model_name="idempotencyrecord",
            name="object_id",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="Primary key of what the request makes; repetitions find it.",
                null=True,
            ),
        ),
    ]
