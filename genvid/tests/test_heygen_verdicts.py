"""The meaning of HeyGen's codes and messages: one table for refused orders, status reads and failed renders."""

import pytest
from structlog.testing import capture_logs

from genvid.heygen import failures, verdicts
from genvid.heygen.failures import failure_of_error, failure_of_video
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, OperatorProblem, Refused, Unknown, error_of
from genvid.heygen.verdicts import CODES, Unsettled, Verdict, judge_error, unknown_code
from genvid.tests.heygen_gateway import client_of
from genvid.tests.scripted import ScriptedServer

OPERATOR, BUSY, CONTENT, INPUT = Verdict


@pytest.fixture
def told():
    """The codes that were reported as unknown."""
    codes: list[str] = []
    apps, unknown_code.receivers = unknown_code.receivers, []
    unknown_code.sender_receivers_cache.clear()

    def note(code: str, **_: object) -> None:
        codes.append(code)

    unknown_code.connect(note)
    yield codes
    unknown_code.receivers = apps
    unknown_code.sender_receivers_cache.clear()


def refusal(status: int, code: str | None, message: str = "", param: str | None = None) -> HeyGenError:
    return error_of(code, message, status=status, param=param)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "tier_not_support", "Please upgrade your plan to use 1080p."),
        (400, "user_blocked", "Your account has been suspended."),
        (400, "resource_limit_exceeded", "Your plan's limit is used up."),
        (400, "resource_limit_reached", "All voice slots are taken."),
        (400, "invalid_parameter", "1080p is not part of your plan. Please upgrade."),
        (400, "validation_error", "Insufficient credits."),
        (400, "bad_request", "This workspace has been disabled."),
        (400, "a_code_of_next_year", "Your subscription has ended."),
        (422, "plan_exhausted", "No."),
        (429, "daily_quota_reached", "Come back tomorrow."),
        (402, "a_code_of_next_year", "No."),
        (400, None, "Please upgrade to continue."),
        (400, "40009", "Invalid token"),
        (400, "400631", "Suspended"),
    ],
)
def test_what_concerns_our_account_is_the_operators_problem(status, code, message):
    error = refusal(status, code, message)
    assert (type(error), failure_of_error(error).code) == (OperatorProblem, "provider_problem")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (429, "rate_limit_exceeded", "Upgrade your plan for more requests a minute."),
        (400, "resource_limit_exceeded", "Too many concurrent videos on your plan."),
        (400, "resource_limit_reached", "You may render 3 videos simultaneously."),
        (400, "invalid_parameter", "Concurrency limit reached."),
        (400, "a_code_of_next_year", "Too many jobs are running."),
        (429, "a_code_of_next_year", "No."),
        (429, None, ""),
    ],
)
def test_too_much_at_once_is_busy(status, code, message):
    assert type(refusal(status, code, message)) is Busy


@pytest.mark.parametrize(
    ("status", "code", "message", "param", "ours"),
    [
        (400, "content_policy_violation", "No talk about payments.", None, "content_refused"),
        (400, "invalid_parameter", "This violates our content policy.", None, "content_refused"),
        (403, "blocked_by_moderation", "No.", None, "content_refused"),
        (400, "400105", "Blocked words", None, "content_refused"),
        (400, "invalid_parameter", "Too short.", "voice_id", "voice_unavailable"),
        (400, "invalid_parameter", 'script may not say "credit card"', "script", "script_refused"),
        (400, "a_code_of_next_year", "No.", "background.url", "background_refused"),
        (400, "voice_not_usable", "Not on your plan.", None, "voice_unavailable"),
        (403, "resource_access_denied", "Not yours.", None, "avatar_unavailable"),
        (400, "40119", "Video is too long", None, "script_too_long"),
        (400, "a_code_of_next_year", "Something else.", None, "invalid_request"),
    ],
)
def test_what_concerns_one_video_is_refused_in_our_words(status, code, message, param, ours):
    error = refusal(status, code, message, param)
    assert (type(error), failure_of_error(error).code) == (Refused, ours)


@pytest.mark.parametrize("status", [500, 503, 404, 408, 200])
def test_words_make_nothing_definite_that_its_status_leaves_open(status):
    assert type(refusal(status, "a_code_of_next_year", "Insufficient credit.")) is Unknown


@pytest.mark.parametrize(
    ("code", "message", "verdict", "ours"),
    [
        ("rendering_failed", "Insufficient credit.", OPERATOR, "provider_problem"),
        ("internal_error", "Your plan does not include this.", OPERATOR, "provider_problem"),
        ("", "Payment is overdue.", OPERATOR, "provider_problem"),
        ("tier_not_support", "", OPERATOR, "provider_problem"),
        ("rate_limit_exceeded", "", BUSY, "provider_problem"),
        ("resource_limit_exceeded", "Too many concurrent renders", BUSY, "provider_problem"),
        ("content_policy_violation", "", CONTENT, "content_refused"),
        ("avatar_not_found", "", INPUT, "avatar_unavailable"),
        ("voice_provider_error", "", None, "render_failed"),
        ("", "", None, "render_failed"),
        ("a_code_of_next_year", "Something else.", None, "render_failed"),
    ],
)
def test_a_failed_render_is_judged_by_code_and_message(code, message, verdict, ours):
    failure = failure_of_video(code, message)
    assert (failure.verdict, failure.code) == (verdict, ours)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_means_one_thing_at_the_order_and_at_the_end(code, told):
    """A missing or unready object at the order: the render cannot be made."""
    at_order, at_end = judge_error(code, "", 400), verdicts.judge_failure(code, "")
    assert (at_order.reason, at_order.is_known, at_end.is_known, told) == (at_end.reason, True, True, [])
    assert at_end.meaning is (INPUT if at_order.meaning is Unsettled.NOT_FOUND else at_order.meaning)


def test_every_reason_has_words_for_customers():
    assert {entry.reason for entry in CODES.values()} <= set(failures.MESSAGES)


@pytest.mark.parametrize(
    "written", ["CONTENT_POLICY_VIOLATION", "content-policy-violation", " Content Policy Violation "]
)
def test_codes_are_known_however_they_are_written(written, told):
    assert (judge_error(written, "", 400).meaning, told) == (CONTENT, [])


def test_an_unknown_code_is_signalled_at_the_order_and_at_the_end(told):
    with capture_logs() as logs:
        refusal(400, "brand_new", "Your plan has ended.")
        failure_of_video("brand_newer", "Your plan has ended.")
    assert told == ["brand_new", "brand_newer"]
    assert [line["event"] for line in logs] == ["heygen_unknown_code", "heygen_unknown_failure"]


@pytest.mark.parametrize("code", [None, ""])
def test_an_answer_without_a_code_is_no_unknown_code(code, told):
    refusal(400, None, "No.")
    failure_of_video("", "No.")
    assert told == []


@pytest.mark.parametrize(
    ("code", "param", "named"),
    [
        ("content_policy_violation", None, True),
        ("invalid_parameter", "script", True),
        ("invalid_parameter", "video_id", False),
        ("a_code_of_next_year", None, False),
        (None, None, False),
    ],
)
def test_a_refusal_is_named_by_a_known_code_that_is_not_about_the_id(code, param, named):
    error = refusal(400, code, "No.", param)
    assert isinstance(error, Refused)
    assert error.is_named is named


@pytest.mark.parametrize(
    "body",
    [
        {"code": 400631, "message": "Suspended"},
        {"error": "Please upgrade your plan."},
        {"error": {"message": "Please upgrade your plan."}},
    ],
)
def test_older_forms_of_an_error_are_read_too(body):
    with ScriptedServer() as server:
        server.says(400, body)
        with pytest.raises(OperatorProblem):
            client_of(server).get_video("video-1")


def test_an_avatar_that_is_gone_is_refused_at_the_order_in_our_words():
    gone = refusal(404, "avatar_not_found")
    assert isinstance(gone, NotFound)
    assert failure_of_error(gone.as_refusal()).code == "avatar_unavailable"
