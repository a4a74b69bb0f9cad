"""What we write to people."""

from django.conf import settings
from django.core.mail import send_mail

from accounts.enums import Role
from accounts.models import User, WebhookEndpoint


def send_verification(user: User, token: str) -> None:
    send_mail(
        "Verify your e-mail address",
        f"Welcome to genvid.\n\nOpen this page to verify your address:\n{settings.PUBLIC_URL}/?verify={token}\n\n"
        "The link is good for 24 hours. If you did not register, ignore this message.\n",
        settings.DEFAULT_FROM_EMAIL,
        [user.email],
    )


def send_endpoint_off(endpoint: WebhookEndpoint) -> None:
    """To every owner of the account: their programs have stopped hearing from us."""
    owners = User.objects.filter(
        is_active=True, memberships__account=endpoint.account_id, memberships__role=Role.OWNER
    ).values_list("email", flat=True)
    send_mail(
        "A webhook endpoint was switched off",
        f"We stopped sending webhooks of {endpoint.account.name} to\n{endpoint.url}\n"
        f"because {endpoint.get_disabled_reason_display()}.\n\n"
        "Events that happen now are not kept for it. When it works again, switch it on\n"
        f"(PATCH {settings.PUBLIC_URL}/api/v1/webhook-endpoints/{endpoint.pk} with enabled: true);\n"
        "what was still waiting from the last three days is sent then.\n",
        settings.DEFAULT_FROM_EMAIL,
        list(owners),
    )
