from django.urls import path

from videos.media import serve

urlpatterns = [path("<str:token>/<str:name>", serve, name="media")]
