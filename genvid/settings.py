"""All settings of genvid. Typed readers raise at start; `genvid.checks` judges the combinations.

Values come from the sources of `genvid.environment`. What `env` reads is declared, with its default, in
`genvid/configuration/declared/`; docs/configuration.md lists it.
"""

from datetime import timedelta
from pathlib import Path

import django_stubs_ext

from genvid import brand, cors_headers, environment, openapi, template_settings
from genvid.api import framework_settings
from genvid.broker_options import transport_options
from genvid.configuration import DeclaredEnv
from genvid.configuration.kinds import OFF
from genvid.databases import database
from genvid.jobs import DEFAULT_QUEUE
from genvid.logs import configure_logging
from genvid.schedule import queues, routes, schedule
from genvid.storages import bucket, folder

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = DeclaredEnv()

environment.load(BASE_DIR)
VAR_DIR = env.path("GENVID_VAR", default=BASE_DIR / "var").resolve()

# ── What kind of installation this is
DEBUG = env.bool("DEBUG")
EMBEDDED = env.bool("GENVID_EMBEDDED")
TESTING = env.bool("GENVID_TEST")
PORT = env.int("PORT")
SANDBOX_PORT = env.int("SANDBOX_PORT")
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")

SECRET_KEY = env.str("SECRET_KEY")
SALT_KEY = env.list("SALT_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS")

BRAND_NAME = env.str("BRAND_NAME")
BRAND_COLOR = env.str("BRAND_COLOR")
BRAND_LOGO_URL = env.str("BRAND_LOGO_URL")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL")

# ── Apps
INSTALLED_APPS = [
    "genvid",
    "genvid.mail",
    "genvid.heartbeats",
    "unfold.apps.BasicAppConfig",
    "genvid.apps.StaffPagesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    # Before the apps: its own handlers mirror an object before ours hear of it.
    "djstripe",
    "accounts",
    "avatars",
    "billing",
    "videos",
]

MIDDLEWARE = [
    "genvid.middleware.RequestIdMiddleware",
    # Outside of everything that refuses a request: a page can only read refusals that pass through this one.
    "genvid.cors.CrossOriginMiddleware",
    "genvid.api.middleware.EnvelopeMiddleware",
    "genvid.page_policies.PagePoliciesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "genvid.middleware.RequestLogMiddleware",
    "genvid.page_middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "genvid.page_middleware.CsrfMiddleware",
    "genvid.page_middleware.AuthenticationMiddleware",
    "genvid.page_middleware.OTPMiddleware",
    "genvid.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "genvid.urls"
WSGI_APPLICATION = "genvid.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# Those that mails are written in (genvid/mail/rendering.py); nothing else is translated.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]

TEMPLATES = template_settings.TEMPLATES

# ── Database: SQLite by default, PostgreSQL in production
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS")
_DATABASE_URL = env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'genvid.sqlite3'}")
DATABASES = {"default": database(_DATABASE_URL, max_age=env.int("CONN_MAX_AGE"), prepares=PREPARED_STATEMENTS)}

# ── Broker and cache
REDIS_URL = env.str("REDIS_URL")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "genvid.redis_client.SharedClientCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

EMBEDDED_BROKER_FILE = None if REDIS_URL else VAR_DIR / "broker.sqlite3"
CELERY_BROKER_URL = REDIS_URL or f"sqla+sqlite:///{EMBEDDED_BROKER_FILE}"
# A dead broker must not hang a request: enqueueing gives up at once, and the next sweep finds the row.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(is_redis=bool(REDIS_URL))
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Workers and beat wait for a broker that is away as long as it takes. By default they end after a hundred tries.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
# Celery would close the database's connection around each task, half of a short task's cost: genvid.celery keeps it.
CELERY_DB_REUSE_MAX = 10**9
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_TIMEZONE = TIME_ZONE
# Calls that may last minutes have queues and, in production, workers of their own. A worker without -Q serves all.
CELERY_TASK_DEFAULT_QUEUE = DEFAULT_QUEUE
CELERY_TASK_QUEUES = queues()
CELERY_TASK_ROUTES = routes()
CELERY_BEAT_SCHEDULER = "genvid.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = schedule(env)
HEARTBEAT_SECONDS = env.float("HEARTBEAT_SECONDS")
# What is silent for longer is failing, for /readyz.
HEARTBEAT_LIMIT = env.float("HEARTBEAT_LIMIT")
WORKER_ALIVE_FILE = env.str("WORKER_ALIVE_FILE")

# ── People
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "accounts.auth.password_hashers.OwaspArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name", "company_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.auth.password_validators.SessionRevokingValidator"},
]
REQUIRE_VERIFIED_EMAIL = env.bool("REQUIRE_VERIFIED_EMAIL")
EMAIL_VERIFICATION_LIFETIME = timedelta(hours=24)
# Seconds; Django's token generator reads it.
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_LIFETIME")
# Anonymous requests by address (IPv6 by /64); stricter for mail and password hashing. Others have their plan's limit.
RATE_LIMITS = env.bool("RATE_LIMITS")
RATE_LIMIT_ANONYMOUS = env.rate("RATE_LIMIT_ANONYMOUS")
RATE_LIMIT_SIGN_UP = env.rate("RATE_LIMIT_SIGN_UP")
RATE_LIMIT_FORGED_WEBHOOKS = env.rate("RATE_LIMIT_FORGED_WEBHOOKS")
# Requests a minute of one person or API key, whatever their plan says; unset: what it says.
RATE_LIMIT_CALLERS = env.int("RATE_LIMIT_CALLERS")
REQUEST_LIMIT_OF = "billing.credits.requests_per_minute"
# Failed tries to sign in: of one address, of one address for one e-mail, and for one e-mail from addresses that its
# person never signed in from. IPv6 addresses count by /64.
LOGIN_LIMIT_PER_ADDRESS = env.rate("LOGIN_LIMIT_PER_ADDRESS")
LOGIN_LIMIT_PER_PAIR = env.rate("LOGIN_LIMIT_PER_PAIR")
LOGIN_LIMIT_PER_EMAIL = env.rate("LOGIN_LIMIT_PER_EMAIL")
# Mails of one kind that anybody can have sent to one mailbox.
MAIL_LIMIT_PER_MAILBOX = env.rate("MAIL_LIMIT_PER_MAILBOX")
# The check of customers' texts (docs/moderation.md): refusals within an hour before an account is slowed down, and the
# outside service.
MODERATION_REFUSALS_PER_HOUR = env.int("MODERATION_REFUSALS_PER_HOUR")
MODERATION_HOOK = env.str("MODERATION_HOOK")
MODERATION_HOOK_TIMEOUT = env.float("MODERATION_HOOK_TIMEOUT")
MODERATION_HOOK_FAILURE = env.str("MODERATION_HOOK_FAILURE")
MODERATION_HTTP_URL, MODERATION_HTTP_SECRET = env.str("MODERATION_HTTP_URL"), env.str("MODERATION_HTTP_SECRET")
# Whether staff need a second factor for the admin.
REQUIRE_STAFF_TOTP = env.bool("REQUIRE_STAFF_TOTP", default=not (EMBEDDED or TESTING or DEBUG))
# The grace period of an erasure in days; 0: at once.
ACCOUNT_ERASURE_DAYS = env.int("ACCOUNT_ERASURE_DAYS")

# ── API
REST_FRAMEWORK = framework_settings.REST_FRAMEWORK | {"NUM_PROXIES": env.int("NUM_PROXIES")}
API_MAX_BODY_BYTES = 1024 * 1024
# How long a request under an Idempotency-Key may take before a repetition takes its place, in seconds.
IDEMPOTENCY_LEASE = env.float("IDEMPOTENCY_LEASE")
BATCH_MAX_BODY_BYTES = 5 * 1024 * 1024
# A file of 20 MiB, and the form around it.
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
UPLOAD_MAX_BODY_BYTES = UPLOAD_MAX_BYTES + 64 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# Signs access and refresh tokens; at least 32 characters. JWT_SIGNING_KEY is its former name.
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY")
JWT_SECRET = env.str("JWT_SECRET") or JWT_SIGNING_KEY or SECRET_KEY
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "SIGNING_KEY": JWT_SECRET,
    "ALGORITHM": "HS256",
    "ISSUER": "genvid",
    "USER_ID_CLAIM": "user_id",
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    # Seconds by which the clock of another of our machines may differ.
    "LEEWAY": 10,
}

SPECTACULAR_SETTINGS = openapi.SPECTACULAR_SETTINGS | brand.api_owner(BRAND_NAME, SUPPORT_EMAIL)

# ── Pages of other origins (genvid/cors.py)
# Origins as browsers send them: scheme, host, and the port where it is not the scheme's own. None: no CORS.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS")
# Regular expressions, each for a whole origin. A comma separates two, so no pattern can contain one.
CORS_ALLOWED_ORIGIN_REGEXES = env.list("CORS_ALLOWED_ORIGIN_REGEXES")
CORS_URLS_REGEX = r"^/(api/v1|media)/"
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = cors_headers.ALLOWED
CORS_EXPOSE_HEADERS = cors_headers.EXPOSED
# Seconds that a browser keeps the answer to a preflight; Chromium keeps none longer than this.
CORS_PREFLIGHT_MAX_AGE = 7200
# No cookies: clients send their credentials in headers, and no page can act for a visitor who is signed in here.
CORS_ALLOW_CREDENTIALS = False
# Pages of the public internet must not reach an installation on a private network through their visitors.
CORS_ALLOW_PRIVATE_NETWORK = False

# ── HeyGen, or the sandbox that speaks its protocol
_SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
HEYGEN_BASE_URL = env.str("HEYGEN_BASE_URL", default=_SANDBOX_URL if EMBEDDED else "https://api.heygen.com")
# The sandbox is always there to fill an empty catalogue, so `make run` is not ready before it has.
READY_WITH_CATALOGUE = EMBEDDED and HEYGEN_BASE_URL == _SANDBOX_URL
HEYGEN_API_KEY = env.str("HEYGEN_API_KEY")
HEYGEN_MAX_CONCURRENT = env.int("HEYGEN_MAX_CONCURRENT")
HEYGEN_ENGINE = env.str("HEYGEN_ENGINE")
HEYGEN_READ_TIMEOUT = env.float("HEYGEN_READ_TIMEOUT")
HEYGEN_UNREACHABLE_SECONDS = env.float("HEYGEN_UNREACHABLE_SECONDS")
HEYGEN_BALANCE_ALARM_DAYS = env.float("HEYGEN_BALANCE_ALARM_DAYS")
HEYGEN_WRITE_TIMEOUT = env.float("HEYGEN_WRITE_TIMEOUT")
HEYGEN_MEDIA_HOSTS = env.list("HEYGEN_MEDIA_HOSTS")
# Addresses of customers' images, and HeyGen's file links, may only be private where everything runs on one machine.
ALLOW_PRIVATE_MEDIA_HOSTS = env.bool("ALLOW_PRIVATE_MEDIA_HOSTS")
ALLOW_PRIVATE_IMAGE_URLS = env.bool("ALLOW_PRIVATE_IMAGE_URLS")
# Who renders for test keys, in HeyGen's protocol; empty: there are no test keys.
TEST_RENDERER_URL = env.str("TEST_RENDERER_URL", default=_SANDBOX_URL if READY_WITH_CATALOGUE else "")
TEST_RENDERER_KEY = env.str("TEST_RENDERER_KEY")
TEST_MAX_CONCURRENT = env.int("TEST_MAX_CONCURRENT")
HEYGEN_WEBHOOK_SECRETS = env.list("HEYGEN_WEBHOOK_SECRETS")
# Staff may let `make run` tell HeyGen where to call; in production `register_heygen_webhook` is run once by hand.
HEYGEN_WEBHOOK_AUTOREGISTER = env.bool("HEYGEN_WEBHOOK_AUTOREGISTER")

# ── Stripe, or the sandbox that speaks its protocol
# One version everywhere: of our calls, of dj-stripe's, and of the events of our webhook endpoint. Left to itself,
# dj-stripe would send whatever version the installed SDK was made for.
STRIPE_API_VERSION = "2026-05-27.dahlia"
# No secret: it opens the sandbox of this machine alone. dj-stripe takes only keys that look like Stripe's.
SANDBOX_STRIPE_KEY = "sk_test_GenvidSandboxOfThisMachine"
# Empty: nothing is sold.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default=SANDBOX_STRIPE_KEY if EMBEDDED else "")
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
STRIPE_API_HOST = env.str(
    "STRIPE_API_HOST",
    default=_SANDBOX_URL if STRIPE_SECRET_KEY == SANDBOX_STRIPE_KEY else "https://api.stripe.com",
).rstrip("/")
# Whose the mirrored rows are. Any name will do: it saves asking Stripe, which needs more rights than a key should have.
STRIPE_ACCOUNT_ID = env.str("STRIPE_ACCOUNT_ID")
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
# dj-stripe's own migrations cost a minute of CPU; ours is their end state in one file.
MIGRATION_MODULES = {"djstripe": "genvid.djstripe_migrations"}
# W002 fears any STRIPE_API_HOST outside DEBUG; genvid.E008 asks what matters, whether keys travel in the clear.
# genvid.E011 reports what corsheaders' two report, and more.
SILENCED_SYSTEM_CHECKS = ["djstripe.W002", "corsheaders.E013", "corsheaders.E014"]

# ── Own avatars and voices (seconds unless the name says otherwise)
OWN_AVATAR_REVIEW = env.str("OWN_AVATAR_REVIEW")
OWN_AVATAR_LEASE = env.float("OWN_AVATAR_LEASE")
OWN_AVATAR_REVIEW_ALARM_HOURS = env.int("OWN_AVATAR_REVIEW_ALARM_HOURS")
OWN_AVATAR_REVIEW_DEADLINE = env.float("OWN_AVATAR_REVIEW_DEADLINE")
OWN_AVATAR_QUEUE_DEADLINE = env.float("OWN_AVATAR_QUEUE_DEADLINE")
OWN_AVATAR_CREATE_DEADLINE = env.float("OWN_AVATAR_CREATE_DEADLINE")
OWN_AVATAR_CONSENT_DEADLINE = env.float("OWN_AVATAR_CONSENT_DEADLINE")
OWN_AVATAR_WITHDRAWN_VIDEOS = env.str("OWN_AVATAR_WITHDRAWN_VIDEOS")

# ── The video pipeline (seconds unless the name says otherwise)
# Longer than any call: a second worker must not repeat an order while the first may still hear its answer.
VIDEO_SUBMIT_LEASE = env.float("VIDEO_SUBMIT_LEASE", default=HEYGEN_WRITE_TIMEOUT + 10)
VIDEO_STORE_LEASE = env.float("VIDEO_STORE_LEASE")
# Of a text that a client wants to hear; SPEECH_WAIT_SECONDS of that its request waits for it.
SPEECH_WAIT_SECONDS = env.float("SPEECH_WAIT_SECONDS")
SPEECH_DEADLINE = env.float("SPEECH_DEADLINE")
SPEECHES_PER_ACCOUNT = env.int("SPEECHES_PER_ACCOUNT")
VIDEO_QUEUE_DEADLINE = env.float("VIDEO_QUEUE_DEADLINE")
VIDEO_SUBMIT_DEADLINE = env.float("VIDEO_SUBMIT_DEADLINE")
VIDEO_RENDER_DEADLINE = env.float("VIDEO_RENDER_DEADLINE")
VIDEO_STORE_DEADLINE = env.float("VIDEO_STORE_DEADLINE")
VIDEO_LAST_DEADLINE = env.float("VIDEO_LAST_DEADLINE")
VIDEO_RETRY_SECONDS = env.float("VIDEO_RETRY_SECONDS")
VIDEO_MAX_BYTES = env.int("VIDEO_MAX_BYTES")
# Of one worker process at once; and the bytes of WORK_DIR's disk that no download may use up.
VIDEO_DOWNLOADS = env.int("VIDEO_DOWNLOADS")
VIDEO_DISK_RESERVE = env.int("VIDEO_DISK_RESERVE")
VIDEO_DOWNLOAD_TIMEOUT = env.float("VIDEO_DOWNLOAD_TIMEOUT")
# All threads of a worker for files may be busy with long downloads.
QUEUE_HEARTBEAT_LIMITS = {"files": HEARTBEAT_LIMIT + VIDEO_DOWNLOAD_TIMEOUT}
# What a render is expected to take until real ones have been measured: fixed part, and per second of video.
EXPECTED_RENDER_BASE = env.float("EXPECTED_RENDER_BASE")
EXPECTED_RENDER_FACTOR = env.float("EXPECTED_RENDER_FACTOR")
# Whether the render is deleted at HeyGen once we have it; days before the end of retention to notify clients.
HEYGEN_DELETE_AFTER_STORE = env.bool("HEYGEN_DELETE_AFTER_STORE")
RETENTION_WARNING_DAYS = env.int("RETENTION_WARNING_DAYS")
# How long timelines of videos, and the admin's own history, are kept.
VIDEO_EVENT_DAYS = env.int("VIDEO_EVENT_DAYS")
ADMIN_LOG_DAYS = env.int("ADMIN_LOG_DAYS")
MEDIA_LINK_LIFETIME = env.int("MEDIA_LINK_LIFETIME")
MEDIA_ACCEL_PREFIX = env.str("MEDIA_ACCEL_PREFIX")

# ── Streams and waits (videos/streaming/hub.py)
# A stream ends after so many seconds; its client comes again and goes on where it was.
CLIENT_STALL_SECONDS = env.float("CLIENT_STALL_SECONDS")
STREAM_SECONDS = env.float("STREAM_SECONDS")
# Between two checks whether the client of a stream may still see its video.
STREAM_ACCESS_SECONDS = env.float("STREAM_ACCESS_SECONDS")
STREAMS_PER_PROCESS = env.int("STREAMS_PER_PROCESS")
STREAMS_PER_ACCOUNT = env.int("STREAMS_PER_ACCOUNT")
# Threads of a WSGI process that `Prefer: wait` may hold at a time; fewer than it has, or it answers nobody else.
WAITING_THREADS = env.int("WAITING_THREADS")
# Threads of an ASGI process that work on requests; each has a database connection of its own.
ASGI_THREADS = env.int("ASGI_THREADS")

# ── Outgoing webhooks
# Plain http and private addresses: only where clients' programs run on this very machine.
ALLOW_PRIVATE_WEBHOOK_URLS = env.bool("ALLOW_PRIVATE_WEBHOOK_URLS")
# Workers that may wait for failing or slow receivers at a time; fewer than there are, or the others wait with them.
WEBHOOK_POOR_SENDS = env.int("WEBHOOK_POOR_SENDS")

# ── Money
# Where a pay page may send buyers back to: scheme and host, this site's own unless others are named.
CHECKOUT_RETURN_ORIGINS = [
    each.rstrip("/").lower() for each in env.list("CHECKOUT_RETURN_ORIGINS", default=[PUBLIC_URL])
]
# Whether Stripe adds taxes to what buyers pay (Stripe Tax has to be set up there first).
STRIPE_TAX = env.bool("STRIPE_TAX")
# `make run` tells its sandbox what is for sale and where to call; in production `setup_stripe` is run once by hand.
READY_WITH_SHOP = EMBEDDED and STRIPE_API_HOST == _SANDBOX_URL
STRIPE_AUTOSETUP = env.bool("STRIPE_AUTOSETUP", default=EMBEDDED and STRIPE_API_HOST.startswith("http://127.0.0.1"))
# Whether a payment that a bank warns of is refunded at once: cheaper than the dispute that follows.
STRIPE_REFUND_FRAUD_WARNINGS = env.bool("STRIPE_REFUND_FRAUD_WARNINGS")
# What becomes of a subscription whose payment the customer's bank took back.
SUBSCRIPTION_AFTER_LOST_PAYMENT = env.str("SUBSCRIPTION_AFTER_LOST_PAYMENT")
# How long a subscription's credits last after its period, and its tier after a payment that failed.
SUBSCRIPTION_CREDIT_GRACE_DAYS = env.int("SUBSCRIPTION_CREDIT_GRACE_DAYS")
SUBSCRIPTION_GRACE_DAYS = env.int("SUBSCRIPTION_GRACE_DAYS")
# Seconds after which another worker takes over a sync with Stripe; longer than the calls of one can last.
BILLING_LEASE = env.float("BILLING_LEASE")
# An account with fewer credits is notified once (event `credits.low`, and a mail).
LOW_CREDITS = env.int("LOW_CREDITS")
STAFF_CREDITS_PER_DAY = env.int("STAFF_CREDITS_PER_DAY")
SIGNUP_CREDITS = env.int("SIGNUP_CREDITS")
# Sign-up credits per UTC day; later ones wait for staff. None: no bound.
_SIGNUP_BOUND = env.int("SIGNUP_CREDITS_PER_DAY", default=OFF if EMBEDDED else 500 * SIGNUP_CREDITS)
SIGNUP_CREDITS_PER_DAY = None if _SIGNUP_BOUND == OFF else _SIGNUP_BOUND
HOLD_MARGIN_PERCENT = env.int("HOLD_MARGIN_PERCENT")

# ── Files
MEDIA_ROOT = VAR_DIR / "media"
STATIC_ROOT = env.path("STATIC_ROOT", default=VAR_DIR / "static")
STATIC_URL = "/static/"
WORK_DIR = VAR_DIR / "tmp"
S3_BUCKET = env.str("S3_BUCKET")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL")
S3_REGION = env.str("S3_REGION")


STORAGES: dict[str, dict[str, object]] = {
    "default": bucket(env, S3_BUCKET, link_seconds=MEDIA_LINK_LIFETIME) if S3_BUCKET else folder(MEDIA_ROOT),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if EMBEDDED or TESTING:
    Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = EMBEDDED or TESTING
# Tests make thousands of clients, each of which would read every static file first.
WHITENOISE_AUTOREFRESH = TESTING

# ── Mail
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=brand.sender(BRAND_NAME, SUPPORT_EMAIL))
EMAIL_BACKEND = env.str("EMAIL_BACKEND")
EMAIL_FILE_PATH = VAR_DIR / "mail"
# Seconds that one step of sending may last; without it a mail server that says nothing holds a worker for ever.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT")
ANYMAIL = {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT}
vars().update(env.email_url("EMAIL_URL"))

# ── Safety
SECURE_BEHIND_PROXY = env.bool("SECURE_BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_BEHIND_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600 if PUBLIC_URL.startswith("https://") else 0)
SECURE_REFERRER_POLICY = "same-origin"

# ── Logs
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if EMBEDDED or DEBUG else "json")
LOG_LEVEL = env.str("LOG_LEVEL")
LOGGING_CONFIG = None
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_USER_ID_FIELD = None
# On: what is below a warning goes to standard output, the rest to standard error, so that `make run` can part them.
LOG_SPLIT = env.bool("LOG_SPLIT")
configure_logging(LOG_FORMAT, LOG_LEVEL, split=LOG_SPLIT)

# ── Metrics and alarms
# Every process of this machine counts in files here, and whichever is asked for /metrics adds them up.
METRICS_DIR = env.path("METRICS_DIR", default=VAR_DIR / "metrics")
METRICS_TOKEN = env.str("METRICS_TOKEN")
ALARM_EMAILS = env.list("ALARM_EMAILS")
CLOCK_SKEW_ALARM_SECONDS = env.float("CLOCK_SKEW_ALARM_SECONDS")
# Called as `raise_alarm(code, about, text)` by the base, which knows no app.
OPERATOR_ALARM = "videos.operator_alarms.raise_alarm"

# ── Errors and traces to others (genvid/observability)
SENTRY_DSN = env.str("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT")
if OTEL_EXPORTER_OTLP_ENDPOINT:
    # Inside of the middleware that sets the request id.
    MIDDLEWARE.insert(1, "genvid.observability.tracing_middleware.TracingMiddleware")

UNFOLD = brand.admin_theme(BRAND_NAME, BRAND_COLOR, BRAND_LOGO_URL) | {
    "SITE_URL": "/",
    "ENVIRONMENT": "videos.provider.provider_alarms.badge",
    "LOGIN": {"form": "accounts.auth.admin_login.StaffLoginForm"},
    "DASHBOARD_CALLBACK": "genvid.staff_home.dashboard",
    "SIDEBAR": {"navigation": "genvid.staff_menu.navigation"},
    "STYLES": ["genvid.panels.stylesheet", "genvid.staff_home.stylesheet"],
}

if TESTING:
    # Argon2 costs 20 ms by design; a suite that signs in a thousand times need not pay it. One test turns it back on.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
