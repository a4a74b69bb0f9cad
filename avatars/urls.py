from django.urls import path

from avatars import views

urlpatterns = [
    path("avatars", views.AvatarsView.as_view()),
    path("avatars/<uuid:pk>", views.AvatarView.as_view()),
    path("voices", views.VoicesView.as_view()),
    path("voices/<uuid:pk>", views.VoiceView.as_view()),
]
