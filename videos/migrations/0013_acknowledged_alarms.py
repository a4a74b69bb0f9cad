from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('videos', '0012_newest_and_titles'),
    ]

    operations = [
        migrations.AddField(
            model_name='operatoralarm',
            name='acknowledged_at',
            field=models.DateTimeField(blank=True, help_text='When somebody took it on. It is open again when it happens again.', null=True),
        ),
        migrations.AddField(
            model_name='operatoralarm',
            name='acknowledged_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=254),
        ),
    ]
