from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("videos", "0020_speech_allowance"),
    ]

    operations = [
        ChangeIndexes(
            [
                migrations.AddIndex(
                    model_name="speech",
                    index=models.Index(
                        condition=models.Q(("audio__isnull", False)), fields=["audio"], name="speech_of_audio"
                    ),
                ),
            ]
        ),
    ]
