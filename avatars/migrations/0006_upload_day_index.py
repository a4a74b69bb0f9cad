from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('avatars', '0005_upload_refusals'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='upload',
                index=models.Index(fields=['account', '-created_at'], name='upload_day'),
            ),
        ]),
    ]
