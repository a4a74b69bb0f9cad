"""URLs of accounts under `/api/v1/`."""

from accounts.views import (
    accounts,
    api_keys,
    audit_log,
    auth,
    passwords,
    profile,
    sessions,
    team,
    totp,
    webhook_endpoints,
)
from genvid.api.routers import Router, SingletonRouter

router = Router()
router.register("auth", auth.AuthViewSet)
router.register("auth/password", passwords.PasswordViewSet)
router.register("auth/sessions", sessions.SessionViewSet)
router.register("accounts", accounts.MembershipViewSet)
router.register("team", team.TeamViewSet)
router.register("team/members", team.MemberViewSet)
router.register("team/invitations", team.InvitationViewSet)
router.register("api-keys", api_keys.ApiKeyViewSet)
router.register("webhook-endpoints", webhook_endpoints.WebhookEndpointViewSet)
router.register("webhook-deliveries", webhook_endpoints.WebhookDeliveryViewSet)
router.register("audit-log", audit_log.AuditLogViewSet)
router.register("exports", profile.ExportFileViewSet)

singletons = SingletonRouter()
singletons.register("auth/totp", totp.TotpViewSet)
singletons.register("account", accounts.CurrentAccountViewSet)
singletons.register("profile", profile.ProfileViewSet)

urlpatterns = [*router.urls, *singletons.urls]
