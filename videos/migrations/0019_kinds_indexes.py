from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('videos', '0018_kinds'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='video',
                index=models.Index(condition=models.Q(('picture__isnull', False)), fields=['picture'], name='video_of_picture'),
            ),
            migrations.AddIndex(
                model_name='video',
                index=models.Index(condition=models.Q(('audio__isnull', False)), fields=['audio'], name='video_of_audio'),
            ),
            migrations.AddIndex(
                model_name='video',
                index=models.Index(condition=models.Q(('speech__isnull', False)), fields=['speech'], name='video_of_speech'),
            ),
            migrations.AddIndex(
                model_name='video',
                index=models.Index(condition=models.Q(('background_upload__isnull', False)), fields=['background_upload'], name='video_of_background'),
            ),
            migrations.AddConstraint(
                model_name='video',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('avatar__isnull', False), ('kind', 'avatar'), ('picture', None)), models.Q(('avatar', None), ('kind', 'picture'), ('picture__isnull', False)), _connector='OR'), name='video_shows_what_its_kind_needs'),
            ),
            migrations.AddConstraint(
                model_name='video',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('audio', None), ('script__isnull', False), ('speech', None), ('voice__isnull', False)), models.Q(('audio__isnull', False), ('script__isnull', False), ('speech__isnull', False), ('voice__isnull', False)), models.Q(('audio__isnull', False), ('script', None), ('speech', None), ('voice', None)), _connector='OR'), name='video_says_one_thing'),
            ),
        ]),
    ]
