from django.db import migrations

from genvid.database_defaults import SetDatabaseDefaults


class Migration(migrations.Migration):
    # Each table is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ("mail", "0002_longer_keys"),
    ]

    operations = [
        SetDatabaseDefaults(
            {
                "QueuedMail": {
                    "address": "",
                    "data": {},
                    "attempts": 0,
                    "error": "",
                },
            }
        ),
    ]
