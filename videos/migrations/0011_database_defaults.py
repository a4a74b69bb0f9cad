import datetime

from django.db import migrations
from django.db.models.functions import Now

from genvid.database_defaults import SetDatabaseDefaults


class Migration(migrations.Migration):
    # Each table is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ("videos", "0010_indexes"),
    ]

    operations = [
        SetDatabaseDefaults(
            {
                "Batch": {
                    "is_test": False,
                    "title": "",
                    "template": {},
                    "columns": [],
                    "created_at": Now(),
                },
                "OperatorAlarm": {
                    "count": 1,
                    "first_at": Now(),
                    "last_at": Now(),
                },
                "ProviderState": {
                    "code": "",
                    "message": "",
                    "needs_staff": False,
                    "staff_told": "",
                    "until_rendered": False,
                    "closings": 0,
                    "changed_at": Now(),
                    "paused_by": "",
                },
                "ProviderWebhook": {
                    "created_at": Now(),
                },
                "QueueSnapshot": {
                    "version": 0,
                    "computed_at": Now(),
                    "fingerprint": "",
                    "newest_queued_at": datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
                    "is_shut": False,
                    "usable_slots": 0,
                    "free_slots": 0,
                    "payload": b"",
                },
                "RenderTime": {
                    "updated_at": Now(),
                },
                "Video": {
                    "variables": {},
                    "is_test": False,
                    "title": "",
                    "format": "16:9",
                    "resolution": "1080p",
                    "language": "",
                    "captions": False,
                    "speed": 1.0,
                    "metadata": {},
                    "estimated_seconds": 0,
                    "expected_render_seconds": 0,
                    "credits_held": 0,
                    "credits_charged": 0,
                    "attempt": 0,
                    "calls": 0,
                    "tries": 0,
                    "waiting_reason": "",
                    "learned_by": "",
                    "progress_floor": 0,
                    "error_code": "",
                    "error_message": "",
                    "error_retryable": False,
                    "provider_error": "",
                    "file": "",
                    "thumbnail": "",
                    "subtitles": "",
                    "subtitles_vtt": "",
                    "file_sha256": "",
                    "created_at": Now(),
                    "updated_at": Now(),
                    "moved_at": Now(),
                },
                "VideoEvent": {
                    "from_status": "",
                    "detail": "",
                    "created_at": Now(),
                },
                "WebhookDelivery": {
                    "provider_video_id": "",
                    "callback_id": "",
                    "received_at": Now(),
                    "outcome": "",
                    "missed": False,
                },
            }
        ),
    ]
