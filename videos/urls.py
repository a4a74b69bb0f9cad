from django.urls import path

from videos.views import batches, events, media, usage, videos

urlpatterns = [
    path("videos", videos.VideosView.as_view()),
    path("videos/quote", videos.QuoteView.as_view()),
    path("videos/<uuid:pk>", videos.VideoView.as_view()),
    path("videos/<uuid:pk>/generate", videos.GenerateView.as_view()),
    path("videos/<uuid:pk>/cancel", videos.CancelView.as_view()),
    path("videos/<uuid:pk>/retry", videos.RetryView.as_view()),
    path("videos/<uuid:pk>/events", events.EventsView.as_view()),
    path("videos/<uuid:pk>/file", media.FileView.as_view()),
    path("videos/<uuid:pk>/thumbnail", media.ThumbnailView.as_view()),
    path("videos/<uuid:pk>/captions", media.CaptionsView.as_view()),
    path("batches", batches.BatchesView.as_view()),
    path("batches/quote", batches.BatchQuoteView.as_view()),
    path("batches/<uuid:pk>", batches.BatchView.as_view()),
    path("batches/<uuid:pk>/cancel", batches.BatchCancelView.as_view()),
    path("batches/<uuid:pk>/results.csv", batches.BatchResultsView.as_view()),
    path("usage", usage.UsageView.as_view()),
]
