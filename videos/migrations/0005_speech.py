from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0004_test_videos_and_usage'),
    ]

    operations = [
        migrations.AddField(
            model_name='video',
            name='warnings',
            field=models.JSONField(blank=True, help_text='What its client was told about script and voice.', null=True),
        ),
    ]
