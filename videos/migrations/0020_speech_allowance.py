from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0019_kinds_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="speech",
            name="free_seconds",
            field=models.DecimalField(
                db_default=0,
                decimal_places=3,
                default=0,
                help_text="Of its day's free seconds; live ones alone.",
                max_digits=9,
            ),
        ),
        migrations.RemoveIndex(model_name="speech", name="speech_expiring"),
    ]
