from django.db import migrations

from genvid.renamed_models import rename_model


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('videos', '0007_video_request_id'),
    ]

    operations = rename_model('videos', 'RenderPace', 'RenderTime', table='videos_renderpace')
