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
        migrations.AlterField(
            model_name='auditentry',
            name='act',
            field=models.CharField(choices=[('user.registered', 'Registered'), ('user.email_verified', 'Email Verified'), ('session.started', 'Signed In'), ('session.refused', 'Sign In Refused'), ('session.throttled', 'Sign In Throttled'), ('session.ended', 'Signed Out'), ('session.switched', 'Account Switched'), ('session.token_reused', 'Token Reused'), ('password.changed', 'Password Changed'), ('password.reset', 'Password Reset'), ('totp.enabled', 'Totp Enabled'), ('totp.disabled', 'Totp Disabled'), ('api_key.created', 'Key Created'), ('api_key.revoked', 'Key Revoked'), ('invitation.sent', 'Invitation Sent'), ('invitation.revoked', 'Invitation Revoked'), ('member.joined', 'Member Joined'), ('member.role_changed', 'Role Changed'), ('member.removed', 'Member Removed'), ('member.left', 'Member Left'), ('account.ownership_transferred', 'Ownership Transferred'), ('webhook_endpoint.created', 'Endpoint Created'), ('webhook_endpoint.changed', 'Endpoint Changed'), ('webhook_endpoint.removed', 'Endpoint Removed'), ('webhook_endpoint.secret_rotated', 'Secret Rotated'), ('credits.adjusted', 'Credits Adjusted'), ('credits.signup_approved', 'Signup Credits Approved'), ('credits.signup_declined', 'Signup Credits Declined'), ('billing.auto_top_up_changed', 'Top Up Changed'), ('billing.payment_refunded', 'Payment Refunded'), ('profile.export_requested', 'Export Requested'), ('profile.erasure_requested', 'Erasure Requested'), ('profile.erasure_withdrawn', 'Erasure Withdrawn'), ('profile.erased', 'Erased')], max_length=40),
        ),
    ]
