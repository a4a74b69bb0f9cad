from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("videos", "0022_speech_order_seconds")]

    operations = [
        ChangeIndexes(
            [
                migrations.AddIndex(
                    model_name="speech",
                    index=models.Index(
                        condition=models.Q(("error_code", "content_refused"), ("is_test", False)),
                        fields=["-created_at"],
                        name="speech_refused",
                    ),
                ),
            ]
        ),
    ]
