from django.urls import path

from videos import views

urlpatterns = [
    path("videos", views.VideosView.as_view()),
    path("videos/quote", views.QuoteView.as_view()),
    path("videos/<uuid:pk>", views.VideoView.as_view()),
    path("videos/<uuid:pk>/generate", views.GenerateView.as_view()),
    path("videos/<uuid:pk>/cancel", views.CancelView.as_view()),
    path("videos/<uuid:pk>/retry", views.RetryView.as_view()),
    path("videos/<uuid:pk>/events", views.EventsView.as_view()),
    path("videos/<uuid:pk>/file", views.FileView.as_view()),
    path("videos/<uuid:pk>/thumbnail", views.ThumbnailView.as_view()),
    path("videos/<uuid:pk>/captions", views.CaptionsView.as_view()),
]
