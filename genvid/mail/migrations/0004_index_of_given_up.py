from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('mail', '0003_database_defaults'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='queuedmail',
                index=models.Index(condition=models.Q(('given_up_at__isnull', False)), fields=['given_up_at'], name='mail_given_up'),
            ),
        ]),
    ]
