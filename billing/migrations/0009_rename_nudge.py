from django.db import migrations

from genvid.renamed_models import rename_model


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('billing', '0008_signup_grants'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = rename_model('billing', 'Nudge', 'StripeSync', table='billing_nudge')
