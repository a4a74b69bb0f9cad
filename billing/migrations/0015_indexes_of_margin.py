from django.db import migrations, models

from genvid.index_changes import ChangeIndexes


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('billing', '0014_ledger_proofs'),
    ]

    operations = [
        ChangeIndexes([
            migrations.AddIndex(
                model_name='hold',
                index=models.Index(condition=models.Q(('status', 'captured')), fields=['settled_at', 'provider_microdollars'], name='hold_costs'),
            ),
            migrations.AddIndex(
                model_name='payment',
                index=models.Index(fields=['paid_at'], name='payment_paid'),
            ),
            migrations.AddIndex(
                model_name='stripesync',
                index=models.Index(condition=models.Q(('due_at', None), models.Q(('error', ''), _negated=True)), fields=['noted_at'], name='sync_stuck'),
            ),
        ]),
    ]
