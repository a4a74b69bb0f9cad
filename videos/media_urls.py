from django.urls import path

from videos.media.signed_links import serve

urlpatterns = [path("<str:token>/<str:name>", serve, name="media")]
