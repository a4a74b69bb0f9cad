from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('avatars', '0004_own_material'),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='refusal',
            field=models.CharField(blank=True, db_default='', default='', help_text='Why it is refused, in words for its owner.', max_length=300),
        ),
        migrations.AlterField(
            model_name='upload',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('ready', 'Ready'), ('refused', 'Refused')], db_default='ready', default='ready', max_length=10),
        ),
    ]
