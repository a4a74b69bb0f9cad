from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_audit_acts_of_billing'),
        ('billing', '0005_plans_and_payments'),
    ]

    operations = [
        migrations.AddField(
            model_name='hold',
            name='needed',
            field=models.PositiveBigIntegerField(blank=True, help_text='What it would have cost, where that was more than was held: our loss.', null=True),
        ),
        migrations.AddField(
            model_name='hold',
            name='overrun_factor',
            field=models.DecimalField(db_default=Decimal('1'), decimal_places=2, default=Decimal('1'), help_text="The wallet's, when this was held.", max_digits=3),
        ),
        migrations.AddField(
            model_name='wallet',
            name='overrun_at',
            field=models.DateTimeField(blank=True, help_text='When that happened last.', null=True),
        ),
        migrations.AddField(
            model_name='wallet',
            name='overrun_factor',
            field=models.DecimalField(db_default=Decimal('1'), decimal_places=2, default=Decimal('1'), help_text='What holds are multiplied by for 30 days after a video was much longer than what was held for it.', max_digits=3),
        ),
    ]
