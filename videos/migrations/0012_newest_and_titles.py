"""Indexes of the admin's list and search. Made while others write."""

from django.db import migrations, models

from genvid.index_changes import ChangeIndexes
from genvid.trigram_index import AddTrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("videos", "0011_database_defaults")]

    operations = [
        ChangeIndexes(
            [
                migrations.AddIndex(
                    model_name="video",
                    index=models.Index(fields=["-created_at", "-id"], name="video_newest"),
                ),
                migrations.AddIndex(
                    model_name="video",
                    index=models.Index(
                        condition=models.Q(("request_id", ""), _negated=True),
                        fields=["request_id"],
                        name="video_of_request",
                    ),
                ),
            ]
        ),
        AddTrigramIndex("videos_video", "title", "video_title_parts"),
    ]
