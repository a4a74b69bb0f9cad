from django.db import migrations
from django.db.models.functions import Now

from genvid.database_defaults import SetDatabaseDefaults


class Migration(migrations.Migration):
    # Each table is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ("avatars", "0002_owners"),
    ]

    operations = [
        SetDatabaseDefaults(
            {
                "Avatar": {
                    "gender": "",
                    "is_available": True,
                    "is_hidden": False,
                    "created_at": Now(),
                    "updated_at": Now(),
                    "preview_image_url": "",
                    "preview_video_url": "",
                    "engines": [],
                    "orientation": "",
                    "tags": [],
                    "is_premium": False,
                    "is_featured": False,
                },
                "Voice": {
                    "gender": "",
                    "is_available": True,
                    "is_hidden": False,
                    "created_at": Now(),
                    "updated_at": Now(),
                    "locale": "",
                    "preview_audio_url": "",
                    "supports_pause": False,
                    "supports_locale": False,
                },
            }
        ),
    ]
