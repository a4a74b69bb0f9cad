from django.db import migrations

GIGABYTE = 1_000_000_000
LIMITS = {
    "starter": {"uploads_per_day": 200, "upload_bytes": 10 * GIGABYTE, "free_speech_seconds": 600, "own_avatars": 3, "own_voices": 3},
    "pro": {"uploads_per_day": 500, "upload_bytes": 25 * GIGABYTE, "free_speech_seconds": 1_800, "own_avatars": 10, "own_voices": 10},
    "business": {"uploads_per_day": 1_000, "upload_bytes": 50 * GIGABYTE, "free_speech_seconds": 3_600, "own_avatars": 50, "own_voices": 50},
}


def give_tiers_their_limits(apps, schema_editor):
    """Seeding leaves rows alone that are there already. Free has the defaults, and so have tiers of the operator's own."""
    Tier = apps.get_model("billing", "Tier")
    for code, limits in LIMITS.items():
        Tier.objects.filter(pk=code).update(**limits)


class Migration(migrations.Migration):
    # Each tier is locked alone, for the moment of its own statement.
    atomic = False

    dependencies = [
        ('billing', '0018_limits_of_own_material'),
    ]

    operations = [
        migrations.RunPython(give_tiers_their_limits, migrations.RunPython.noop),
    ]
