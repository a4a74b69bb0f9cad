from django.urls import path

from accounts import views

urlpatterns = [
    path("auth/register", views.RegisterView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/email/verification", views.EmailVerificationView.as_view()),
    path("auth/email/verify", views.EmailVerifyView.as_view()),
    path("profile", views.ProfileView.as_view()),
]
