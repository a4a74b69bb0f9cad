"""Route of signed links to files on disk."""

from django.urls import path

from genvid.media_links import serve_file

urlpatterns = [path("<str:token>/<str:name>", serve_file, name="media")]
