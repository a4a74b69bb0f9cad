from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('videos', '0014_index_of_ended'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='webhookdelivery',
                index=models.Index(condition=models.Q(('callback_id', ''), _negated=True), fields=['callback_id'], name='delivery_of_video'),
            ),
        ]),
    ]
