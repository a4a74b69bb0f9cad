from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0021_speech_indexes")]

    operations = [
        migrations.AddField(
            model_name="speech",
            name="order_seconds",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="What HeyGen spoke, in seconds, by number of the order.",
            ),
        ),
    ]
