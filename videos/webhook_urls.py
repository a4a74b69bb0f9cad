"""Route of HeyGen's webhook."""

from django.urls import path

from videos.views.incoming_webhooks import heygen

urlpatterns = [path("heygen/", heygen, name="heygen-webhook")]
