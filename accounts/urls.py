from django.urls import path

from accounts.views import audit, keys, profile, signing_in, webhooks

urlpatterns = [
    path("auth/register", signing_in.RegisterView.as_view()),
    path("auth/login", signing_in.LoginView.as_view()),
    path("auth/refresh", signing_in.RefreshView.as_view()),
    path("auth/logout", signing_in.LogoutView.as_view()),
    path("auth/email/verification", signing_in.EmailVerificationView.as_view()),
    path("auth/email/verify", signing_in.EmailVerifyView.as_view()),
    path("api-keys", keys.ApiKeysView.as_view()),
    path("api-keys/<uuid:pk>", keys.ApiKeyView.as_view()),
    path("webhook-endpoints", webhooks.EndpointsView.as_view()),
    path("webhook-endpoints/<uuid:pk>", webhooks.EndpointView.as_view()),
    path("webhook-endpoints/<uuid:pk>/rotate-secret", webhooks.RotateSecretView.as_view()),
    path("webhook-endpoints/<uuid:pk>/test", webhooks.TestEndpointView.as_view()),
    path("webhook-endpoints/<uuid:pk>/deliveries", webhooks.DeliveriesView.as_view()),
    path("webhook-deliveries/<uuid:pk>/retry", webhooks.RetryDeliveryView.as_view()),
    path("audit-log", audit.AuditLogView.as_view()),
    path("profile", profile.ProfileView.as_view()),
]
