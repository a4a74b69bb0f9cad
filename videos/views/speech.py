"""Speech endpoints: hear a script before a video is paid for."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from genvid.api.deferred import Deferred, can_wait
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.prefer import requested_wait
from genvid.errors import Overloaded, RateLimited
from videos.enums import SpeechStatus
from videos.listening import speech_requests
from videos.models import Speech
from videos.serializers.speech import SpeechInput, SpeechOutput
from videos.streaming import hub
from videos.views.base import RenderedViewSet
from videos.views.videos import SPENDS

PREFER_WAIT = OpenApiParameter(
    "Prefer",
    location=OpenApiParameter.HEADER,
    description="`wait=n`: how many seconds the answer may wait for the audio, at most 30. For example `wait=10`.",
)
CREATING: dict[str, Any] = {
    "status": "creating",
    "duration_seconds": None,
    "audio_url": None,
    "words": [],
    "prices": None,
    "credits": {"held": 1, "charged": 0},
}
REPLAYED = "Idempotent-Replayed"


class SpeechViewSet(RenderedViewSet):
    tag = "Speech"
    queryset = Speech.objects.select_related("audio")
    endpoints = {
        "create": Endpoint(
            "create_speech",
            scope=Scope.VIDEOS_WRITE,
            verified_email=True,
            request=SpeechInput,
            response=SpeechOutput,
            also={202: SpeechOutput},
            parameters=(PREFER_WAIT,),
            idempotency=Idempotency.ATOMIC,
            errors=(*SPENDS, "content_refused", "provider_unavailable"),
        ),
        "retrieve": Endpoint(
            "get_speech", scope=Scope.VIDEOS_READ, response=SpeechOutput, parameters=(PREFER_WAIT,), example=CREATING
        ),
    }

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(expires_at__gt=Now())

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return [SpeechOutput.of(speech) for speech in rows]

    def texts_to_check(self) -> Mapping[str, str]:
        return {"script": self.body["request"].script} if self.action == "create" else {}

    def perform(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = super().perform(request, *args, **kwargs)
        if self.action != "create" or not isinstance(answer, Response) or answer.exception:
            return answer
        # Waiting is not part of what is done once: a repetition waits, too, and shows the speech as it is by then.
        self.kwargs["pk"] = UUID(str(answer.data["id"]))
        is_replay = REPLAYED in answer.headers
        speech = self.get_queryset().filter(pk=self.kwargs["pk"]).first() if is_replay else self._object
        if speech is None:
            return answer
        waited = self._once_made(request, speech, self._seconds_to_wait(settings.SPEECH_WAIT_SECONDS))
        if is_replay:
            waited[REPLAYED] = "true"
        return waited

    def create(self, request: Request) -> Response:
        """Hear a script.

        Has the voice speak the script, and answers with the audio, its exact length, the times of its words, and what a
        video with it costs. Where that takes longer than 30 seconds: 202 and `status: "creating"`; then ask
        `GET speech/{id}`.

        A text that cannot be spoken is `failed`, with its `error`. The same text by the same voice at the same speed is
        not made twice within a day.

        Each plan has free seconds a day; then a begun minute costs the fee of `speech`.
        """
        self._object = speech_requests.request_speech(self.caller, **self.body)
        return self._shown(self._object)

    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """Show a speech.

        Kept for 24 hours. `audio_url` is a fresh link each time.
        """
        return self._once_made(request, self.get_object(), self._seconds_to_wait(0))

    def _seconds_to_wait(self, usual: float) -> float:
        wanted = requested_wait(self.request.headers.get("Prefer", ""))
        most = float(settings.SPEECH_WAIT_SECONDS)
        return min(most, usual if wanted is None else wanted)

    def _shown(self, speech: Speech) -> Response:
        is_asked_for = self.action == "create" and speech.status == SpeechStatus.CREATING
        return Response(self.represent_one(speech), status=202 if is_asked_for else 200)

    def _once_made(self, request: Request, speech: Speech, seconds: float) -> HttpResponse:
        """The speech once it is made; at once where too many requests wait already."""
        if not seconds or speech.status != SpeechStatus.CREATING:
            return self._shown(speech)
        if can_wait(request):
            try:
                watcher = hub.SpeechWatcher(speech.account_id, speech.pk)
            except (Overloaded, RateLimited):
                return self._shown(speech)
            return Deferred(wait=partial(hub.wait_for_end, watcher, seconds), answer=self._after_wait)
        if not hub.wait_in_thread(partial(_is_being_made, speech.pk), seconds):
            return self._shown(speech)
        return self._shown(self._found_again())

    def _found_again(self) -> Speech:
        speech: Speech = self.get_object_again()
        return speech

    def _after_wait(self) -> Response:
        """The answer after a wait, outside of `dispatch`."""
        try:
            answer = self._shown(self._found_again())
        except Exception as error:  # noqa: BLE001 - the exception handler makes the answer, as in dispatch
            answer = self.handle_exception(error)
        rendered: Response = self.finalize_response(self.request, answer).render()
        return rendered


def _is_being_made(speech_id: UUID) -> bool:
    return Speech.objects.filter(pk=speech_id, status=SpeechStatus.CREATING).exists()
