"""Counters of the pipeline. Values that are read from the database are in `gauges`."""

from genvid.metrics import CALL_SECONDS, STAGE_SECONDS, Tally, Timing
from videos.enums import TERMINAL, Status

settled = Tally("genvid_videos_settled_total", "Videos that ended, by how, and the error of those that failed.",
                ["outcome", "code"])  # fmt: skip
completions = Tally("genvid_completions_total", "Finished renders, by how we learned of it.", ["learned_by"])
deliveries = Tally("genvid_webhook_deliveries_total", "HeyGen's webhooks, by how they were received.", ["received"])
delivery_outcomes = Tally("genvid_webhook_outcomes_total", "HeyGen's webhooks, by outcome.", ["outcome"])
alarms = Tally("genvid_alarms_total", "Alarms for staff, by code.", ["code"])
speeches = Tally("genvid_speeches_total", "Texts spoken for clients to hear, by how they ended.", ["outcome", "code"])
speech_seconds = Tally("genvid_speech_seconds_total", "Seconds of audio that were spoken.", ["mode"])
speech_wait = Timing("genvid_speech_wait_seconds", "From a client's request to the audio.", buckets=CALL_SECONDS)

STAGES = {
    (Status.QUEUED, Status.SUBMITTING): Timing(
        "genvid_queue_wait_seconds", "From the queue to a render slot.", buckets=STAGE_SECONDS
    ),
    (Status.SUBMITTING, Status.RENDERING): Timing(
        "genvid_submit_seconds", "From the slot to HeyGen's acceptance of the order.", buckets=STAGE_SECONDS
    ),
    (Status.RENDERING, Status.STORING): Timing(
        "genvid_render_seconds", "From HeyGen's acceptance until we know of the finished render.", buckets=STAGE_SECONDS
    ),
    (Status.STORING, Status.COMPLETED): Timing(
        "genvid_store_seconds", "From the finished render to the file stored.", buckets=STAGE_SECONDS
    ),
}


def count_move(source: Status, to: Status, seconds: float, *, error_code: str, learned_by: str) -> None:
    if (source, to) in STAGES:
        STAGES[source, to].note(seconds)
    if to in TERMINAL:
        settled.add(to, error_code if to == Status.FAILED else "")
    if (source, to) == (Status.RENDERING, Status.STORING) and learned_by:
        completions.add(learned_by)
