from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('videos', '0013_acknowledged_alarms'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='video',
                index=models.Index(condition=models.Q(('completed_at__isnull', False)), fields=['completed_at'], name='video_ended'),
            ),
        ]),
    ]
