"""Checks of the doctor: HeyGen's key, wallet and webhook, and the renderer of test keys."""

from collections.abc import Iterator
from dataclasses import replace

from django.conf import settings

from genvid.doctor import Finding, check, failed, ok
from genvid.doctor.checks import one_line
from genvid.heygen.heygen_client import HeyGenClient, get_client, get_test_client
from genvid.heygen.heygen_errors import HeyGenError, OperatorProblem
from videos.models import ProviderWebhook
from videos.provider.webhook_registration import webhook_url

READ_SECONDS = 8.0
UNREACHED = "Check HEYGEN_BASE_URL, and that this machine reaches it."
KEY = "Check HEYGEN_API_KEY at HeyGen, under API."


def _quick(client: HeyGenClient) -> HeyGenClient:
    return replace(client, read_timeout=READ_SECONDS)


@check("heygen", seconds=40, advice=UNREACHED, outside=True)
def ask_heygen() -> Iterator[Finding]:
    client = _quick(get_client())
    try:
        account = client.get_account()
    except OperatorProblem as error:
        yield failed(f"HeyGen refuses: {one_line(error)}", KEY)
        return
    if account.remaining is None:
        yield ok("the key works; HeyGen names no balance")
    elif account.remaining <= 0:
        yield failed(f"the wallet has {account.remaining} {account.currency}", "Pay in at HeyGen: videos wait.")
    else:
        yield ok(f"the key works, the wallet has {account.remaining:.2f} {account.currency}")
    yield _judge_webhook(client)


def _judge_webhook(client: HeyGenClient) -> Finding:
    url, register = webhook_url(), "Run `manage.py register_heygen_webhook`."
    theirs = next((each for each in client.iter_webhooks() if each.url == url), None)
    if theirs is None:
        return failed(f"HeyGen does not call {url}; polling finds videos later", register)
    if not theirs.enabled:
        return failed(f"HeyGen has switched the webhook {url} off", "Switch it on at HeyGen, under API.")
    has_secret = ProviderWebhook.objects.filter(url=url, endpoint_id=theirs.id, retired_at=None).exists()
    if not has_secret and not settings.HEYGEN_WEBHOOK_SECRETS:
        return failed("the signing secret of HeyGen's webhook is not known here", register)
    return ok(f"HeyGen calls {url}")


@check("heygen", seconds=40, advice="Check TEST_RENDERER_URL.", outside=True)
def ask_test_renderer() -> Iterator[Finding]:
    url = settings.TEST_RENDERER_URL
    if not url:
        return
    try:
        _quick(get_test_client()).get_account()
    except OperatorProblem as error:
        advice = "TEST_RENDERER_KEY has to be the key that the renderer was started with."
        yield failed(f"the test renderer at {url} refuses: {one_line(error)}", advice)
    except HeyGenError as error:
        advice = "Start it (compose profile `test-keys`), or unset TEST_RENDERER_URL: videos of test keys wait."
        yield failed(f"nobody answers at TEST_RENDERER_URL {url}: {one_line(error)}", advice)
    else:
        yield ok(f"the test renderer answers at {url}")
