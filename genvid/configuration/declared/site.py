"""Settings of the installation: secrets, addresses, brand, mail."""

from genvid.configuration.kinds import (
    EmailUrl,
    HexColor,
    Line,
    MailAddress,
    Number,
    Switch,
    Text,
    Url,
    UrlWord,
    Whole,
    Words,
)
from genvid.configuration.setting import Group, Setting

COMPOSE = "docker-compose.yml"
PORT = Whole(1, 65535)

ESSENTIAL = Group(
    "Needed in production",
    (
        Setting(
            "SECRET_KEY",
            Text(filled=True),
            "Signs sessions, links and tokens: `python3 -c 'import secrets; print(secrets.token_urlsafe(50))'`.",
            wrong="Under 32 characters is an error of the check. A new one ends every session and token.",
            checks=("genvid.E002",),
            secret=True,
            fill_in="",
        ),
        Setting(
            "SALT_KEY",
            Words(filled=True, noun="keys"),
            "Encrypts secrets in the database: `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`. "
            "A new one goes in front, the old ones stay behind it.",
            wrong="Without the one that it was written with, an encrypted column cannot be read. Under 32 characters "
            "is an error of the check.",
            secret=True,
            fill_in="",
            checks=("genvid.E024", "genvid.E030"),
        ),
        Setting(
            "POSTGRES_PASSWORD",
            UrlWord(),
            "The password of the compose file's PostgreSQL: "
            "`python3 -c 'import secrets; print(secrets.token_hex(24))'`.",
            wrong="Compose does not start without it. Changed later, the database refuses it.",
            secret=True,
            read_by=COMPOSE,
            fill_in="",
        ),
        Setting(
            "PUBLIC_URL",
            Url(),
            "Where the world reaches this site: part of links in mails and of webhook addresses.",
            computed="http://127.0.0.1 and `PORT`",
            wrong="Links and webhooks go to the wrong place. With http, cookies are not marked secure.",
            checks=("genvid.E001",),
            fill_in="https://genvid.example.com",
        ),
        Setting(
            "ALLOWED_HOSTS",
            Words(noun="host names"),
            "The host names it answers to; a leading dot means every name below.",
            default="127.0.0.1,localhost,[::1],testserver",
            wrong="Requests under other names get 400, and the container's health check asks for the first one.",
            fill_in="genvid.example.com",
            checks=("genvid.E020", "genvid.E021"),
        ),
        Setting(
            "CSRF_TRUSTED_ORIGINS",
            Words(noun="origins"),
            "Origins whose forms are accepted, scheme included.",
            default="",
            wrong="Behind a proxy, staff cannot sign in (403). One without a scheme is an error of the check.",
            checks=("4_0.E001",),
            fill_in="https://genvid.example.com",
        ),
        Setting(
            "HEYGEN_API_KEY",
            Text(),
            "The key of your HeyGen account.",
            default="",
            wrong="Videos wait in the queue and staff are alarmed; `make run` makes one for its sandbox.",
            checks=("genvid.W001",),
            secret=True,
            fill_in="",
        ),
        Setting(
            "STRIPE_SECRET_KEY",
            Text(),
            "A secret or restricted key of your Stripe account; without one nothing is sold.",
            computed="nothing; the sandbox's under `make run`",
            wrong="No key is a warning of the check; another kind of key, and a live one with DEBUG, are errors.",
            checks=("genvid.W003", "genvid.E009", "genvid.E010"),
            secret=True,
            fill_in="",
        ),
        Setting(
            "EMAIL_URL",
            EmailUrl(),
            "The mail server, such as smtp+tls://user:password@host:587. Without mail nobody confirms an address, so "
            "nobody orders.",
            default="",
            wrong="Mail cannot be sent.",
            secret=True,
            fill_in="",
        ),
        Setting(
            "DEFAULT_FROM_EMAIL",
            Text(filled=True),
            "The sender.",
            computed="`BRAND_NAME` with `SUPPORT_EMAIL`, or with no-reply@localhost without one",
            wrong="Receivers refuse the mail or take it for spam.",
            fill_in="genvid <no-reply@genvid.example.com>",
        ),
        Setting(
            "ALARM_EMAILS",
            Words(noun="mail addresses"),
            "Whom to mail when only staff can help: HeyGen takes no orders, books do not agree, payments are disputed.",
            default="",
            wrong="Nobody hears of it but the log, the admin and `/metrics`.",
            checks=("genvid.W010",),
            fill_in="",
        ),
    ),
)

PROXY = Group(
    "Behind a proxy",
    (
        Setting(
            "SECURE_BEHIND_PROXY",
            Switch(),
            "On when a proxy ends TLS and sets X-Forwarded-Proto itself.",
            default="off",
            wrong="On without such a proxy, clients can claim https.",
            fill_in="on",
        ),
        Setting(
            "NUM_PROXIES",
            Whole(),
            "How many proxies append to X-Forwarded-For; 0 means that the header is not believed.",
            default="0",
            unit="proxies",
            wrong="Too few, and everybody shares one address's rate limits; too many, and clients can choose theirs.",
            fill_in="1",
            checks=("genvid.W005",),
        ),
        Setting(
            "WEB_BIND",
            Text(),
            "The address that the compose file publishes its ports on.",
            default="127.0.0.1",
            wrong="Compose does not start; a public one bypasses the proxy.",
            read_by=COMPOSE,
        ),
        Setting(
            "WEB_PORT",
            PORT,
            "The published port of the service `web`.",
            wrong="Compose does not start.",
            default="8000",
            read_by=COMPOSE,
        ),
        Setting(
            "WEB2_PORT",
            PORT,
            "The published port of the service `web2`, which is a second `web`.",
            wrong="Compose does not start.",
            default="8001",
            read_by=COMPOSE,
        ),
        Setting(
            "STREAM_PORT",
            PORT,
            "The published port of the service `stream`.",
            wrong="Compose does not start.",
            default="8010",
            read_by=COMPOSE,
        ),
        Setting(
            "SECURE_HSTS_SECONDS",
            Whole(),
            "How long browsers insist on https.",
            computed="3600 when `PUBLIC_URL` is https, otherwise 0",
            unit="seconds",
            wrong="A site that gives up https stays out of reach for as long.",
            example="3600",
        ),
    ),
)

BRAND = Group(
    "Brand",
    (
        Setting(
            "BRAND_NAME",
            Line(),
            "What the service is called in mails, the studio, the admin, the OpenAPI document, authenticator apps.",
            default="genvid",
        ),
        Setting(
            "BRAND_COLOR",
            HexColor(),
            "The color of links and buttons in mails, the studio and the admin. White text stands on it.",
            default="#4f46e5",
            wrong="Too bright, and links and buttons are hard to read.",
        ),
        Setting(
            "BRAND_LOGO_URL",
            Url(optional=True),
            "A square picture beside the name in mails, the studio and the admin; mail programs show no SVG.",
            default="",
            wrong="With http, pages served by https do not show it.",
            example="https://genvid.example.com/logo.png",
        ),
        Setting(
            "SUPPORT_EMAIL",
            MailAddress(),
            "Where customers get help: at the end of each mail, its Reply-To, and the contact in the OpenAPI document.",
            default="",
            wrong="Customers write to nobody.",
            example="support@genvid.example.com",
        ),
    ),
)

MAIL = Group(
    "Mail",
    (
        Setting(
            "EMAIL_BACKEND",
            Text(filled=True),
            "A Django mail backend by name, such as anymail's, where EMAIL_URL is unset; files in GENVID_VAR/mail.",
            default="django.core.mail.backends.filebased.EmailBackend",
            wrong="Mail cannot be sent.",
            checks=("genvid.E023",),
        ),
        Setting(
            "EMAIL_TIMEOUT",
            Number(above_zero=True),
            "How long a step of sending a mail may take before it is tried again later.",
            default="10",
            unit="seconds",
            wrong="Shorter than the mail server takes, and no mail is sent, or each several times.",
        ),
    ),
)
