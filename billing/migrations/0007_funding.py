import django.db.models.deletion
from django.db import migrations, models


def leave_what_was_decided_before(apps, schema_editor):
    """Subscriptions of disputes from before are as staff left them."""
    apps.get_model("billing", "Dispute").objects.update(after_loss="none")


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_overrun_factor'),
    ]

    operations = [
        migrations.AddField(
            model_name='dispute',
            name='after_loss',
            field=models.CharField(blank=True, choices=[('none', 'there was none that ran'), ('kept', 'Kept'), ('paused', 'Paused'), ('canceled', 'Canceled')], null=True, help_text="What became of the payment's subscription; empty until that is decided.", max_length=10),
        ),
        migrations.CreateModel(
            name='Funding',
            fields=[
                ('payment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='funding', serialize=False, to='billing.payment')),
                ('stripe_customer_id', models.CharField(max_length=255)),
                ('stripe_subscription_id', models.CharField(max_length=255)),
                ('issued_at', models.DateTimeField(help_text='When the invoice was made.')),
                ('sequence', models.PositiveBigIntegerField(help_text="Its place among the customer's invoices, by its number.")),
                ('balance_used', models.PositiveBigIntegerField(help_text="Of the customer's balance.")),
                ('balance_brought', models.PositiveBigIntegerField(help_text="Into the customer's balance.")),
                ('time_returned', models.PositiveBigIntegerField(help_text='What was paid for time that this invoice gave back.')),
                ('credits_returned', models.PositiveBigIntegerField(help_text='The credits of that time.')),
                ('balance_voided', models.PositiveBigIntegerField(default=0, help_text='Of what it brought: taken out of the balance again, as its money went back.')),
            ],
            options={
                'ordering': ['issued_at', 'sequence'],
                'constraints': [models.CheckConstraint(condition=models.Q(('balance_voided__lte', models.F('balance_brought'))), name='funding_voids_what_it_brought')],
            },
        ),
        migrations.RunPython(leave_what_was_decided_before, migrations.RunPython.noop, elidable=True),
    ]
