import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from billing.purchases import mailboxes

ERASED = "@invalid"


def remember_what_was_given(apps, schema_editor):
    """One row for each mailbox that had its sign-up credits before there were rows, the oldest account's."""
    lots = apps.get_model("billing", "CreditLot").objects.filter(source="signup").order_by("created_at", "id")
    members = apps.get_model("accounts", "Membership").objects.filter(role="owner").order_by("created_at")
    grants = apps.get_model("billing", "SignupGrant").objects
    waiting = []
    for lot in lots.iterator(chunk_size=500):
        waiting.append(lot)
        if len(waiting) == 500:
            _remember(grants, members, waiting)
            waiting = []
    _remember(grants, members, waiting)


def _remember(grants, members, lots):
    rows = members.filter(account__in=[lot.wallet_id for lot in lots]).values_list("account", "user__email")
    emails = {}
    for account_id, email in rows:
        emails.setdefault(account_id, email)
    grants.bulk_create(
        [
            grants.model(
                account_id=lot.wallet_id,
                mailbox=mailboxes.mailbox_digests(emails[lot.wallet_id])[0],
                credits=lot.granted,
                status="granted",
                decided_at=lot.created_at,
                created_at=lot.created_at,
            )
            for lot in lots
            if not emails.get(lot.wallet_id, ERASED).endswith(ERASED)
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_mail_and_networks'),
        ('billing', '0007_funding'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SignupDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('credits', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='SignupGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mailbox', models.CharField(editable=False, help_text='Keyed hash of the mailbox.', max_length=64, unique=True)),
                ('credits', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('waiting', 'waits for staff'), ('granted', 'Granted'), ('declined', 'Declined')], db_index=True, default='waiting', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='signup_grant', to='accounts.account')),
                ('decided_by', models.ForeignKey(blank=True, help_text='Empty: nobody had to.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'sign-up grant',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.RunPython(remember_what_was_given, migrations.RunPython.noop),
    ]
