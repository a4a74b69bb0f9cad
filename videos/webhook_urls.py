from django.urls import path

from videos.webhooks import heygen

urlpatterns = [path("heygen/", heygen, name="heygen-webhook")]
