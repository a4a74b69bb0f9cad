from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_audit_acts_of_billing'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='previous_jti',
            field=models.CharField(blank=True, db_default='', editable=False, help_text='Of the token that was traded for the present one.', max_length=64),
        ),
        migrations.AddField(
            model_name='session',
            name='rotated_at',
            field=models.DateTimeField(editable=False, help_text='When `previous_jti` was traded.', null=True),
        ),
    ]
