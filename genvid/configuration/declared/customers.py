"""Settings of the API: accounts, limits, private addresses."""

from genvid.configuration.kinds import Bound, Choice, Number, Rate, Switch, Text, Whole, Words
from genvid.configuration.setting import Group, Setting

CUSTOMERS = Group(
    "Customers",
    (
        Setting(
            "SIGNUP_CREDITS",
            Whole(),
            "What a new account gets, once for each mailbox; a credit is a second of video.",
            default="30",
            unit="credits",
        ),
        Setting(
            "SIGNUP_CREDITS_PER_DAY",
            Bound(),
            "Sign-up credits per UTC day; later ones wait for staff to approve. 0: all wait.",
            computed="500 times `SIGNUP_CREDITS`; off under `make run`",
            unit="credits",
            wrong="Off, a machine with many mailboxes takes as many credits as it likes.",
            example="15000",
        ),
        Setting(
            "STAFF_CREDITS_PER_DAY",
            Whole(),
            "What one member of staff may give or take by hand in 24 hours; beyond it a second one must confirm.",
            default="1000",
            unit="credits",
            wrong="Too much, and one stolen staff login gives away as many credits as it likes.",
        ),
        Setting(
            "HOLD_MARGIN_PERCENT",
            Whole(),
            "What a hold adds to the quote.",
            default="25",
            unit="per cent",
            wrong="Too little, and wallets are overdrawn by videos that get longer than quoted.",
        ),
        Setting(
            "REQUIRE_VERIFIED_EMAIL",
            Switch(),
            "Whether accounts may create videos only after their address is confirmed.",
            default="on",
            embedded="off",
            testing="off",
            wrong="Off in public, free credits go to made-up addresses.",
            checks=("genvid.W006",),
        ),
        Setting(
            "REQUIRE_STAFF_TOTP",
            Switch(),
            "Whether staff need an authenticator app for the admin (`manage.py enroll_totp EMAIL`).",
            computed="on; off under `make run`, in tests and with `DEBUG`",
            wrong="Off, a staff password alone opens the admin.",
            example="on",
            checks=("genvid.E016",),
        ),
        Setting(
            "ACCOUNT_ERASURE_DAYS",
            Whole(),
            "How many days somebody who asked to be erased may sign in and withdraw it; 0: erased at once.",
            default="14",
            unit="days",
        ),
        Setting(
            "PASSWORD_RESET_LIFETIME",
            Whole(1),
            "How long a link to reset a password is good.",
            default="3600",
            unit="seconds",
        ),
        Setting(
            "JWT_SECRET",
            Text(),
            "Signs the API's tokens; SECRET_KEY when unset.",
            default="",
            wrong="Under 32 characters is an error of the check. A new one ends every session of the API.",
            checks=("genvid.E013",),
            secret=True,
        ),
        Setting(
            "JWT_SIGNING_KEY",
            Text(),
            "The former name of JWT_SECRET, which still works.",
            default="",
            wrong="Set, it is a warning of the check; beside another JWT_SECRET, an error.",
            checks=("genvid.W004", "genvid.E014"),
            secret=True,
            internal=True,
        ),
        Setting(
            "IDEMPOTENCY_LEASE",
            Number(),
            "How long a request under an Idempotency-Key may take before a repetition of it takes its place.",
            default="60",
            unit="seconds",
            wrong="Shorter than requests take, and a repetition does the work twice.",
        ),
    ),
)

LIMITS = Group(
    "Limits",
    (
        Setting(
            "RATE_LIMITS",
            Switch(),
            "Whether requests are limited.",
            default="on",
            testing="off",
            wrong="Off, passwords can be guessed as fast as the site answers.",
            checks=("genvid.E017",),
        ),
        Setting(
            "RATE_LIMIT_ANONYMOUS",
            Rate(),
            "Anonymous requests of one address.",
            default="60/minute",
            embedded="1200/minute",
        ),
        Setting(
            "RATE_LIMIT_SIGN_UP",
            Rate(),
            "Registrations and the like of one address.",
            default="20/hour",
            embedded="300/minute",
        ),
        Setting(
            "RATE_LIMIT_FORGED_WEBHOOKS",
            Rate(),
            "Deliveries of one address whose signature is wrong.",
            default="60/minute",
        ),
        Setting(
            "RATE_LIMIT_CALLERS",
            Whole(),
            "Requests a minute of one person or API key, whatever their plan says; 0: what it says.",
            default="0",
            embedded="1200",
            unit="requests a minute",
        ),
        Setting(
            "LOGIN_LIMIT_PER_ADDRESS",
            Rate(),
            "Failed sign-ins of one address.",
            default="30/15 minutes",
            embedded="300/15 minutes",
        ),
        Setting(
            "LOGIN_LIMIT_PER_PAIR",
            Rate(),
            "Failed sign-ins of one address for one e-mail.",
            default="5/15 minutes",
        ),
        Setting(
            "LOGIN_LIMIT_PER_EMAIL",
            Rate(),
            "Failed sign-ins for one e-mail from addresses that are new to that person.",
            default="20/1 hour",
        ),
        Setting(
            "MAIL_LIMIT_PER_MAILBOX",
            Rate(),
            "Mails of one kind (password reset, verification) that one mailbox gets.",
            default="3/1 hour",
        ),
        Setting(
            "WEBHOOK_POOR_SENDS",
            Whole(1),
            "Workers that may wait for failing or slow webhook receivers at a time.",
            default="4",
            unit="workers",
            wrong="Not fewer than there are threads, and good receivers wait for bad ones.",
        ),
    ),
)

MODERATION = Group(
    "The check of texts (docs/moderation.md)",
    (
        Setting(
            "MODERATION_REFUSALS_PER_HOUR",
            Whole(),
            "Refused texts within an hour after which an account is slowed down; 0: never.",
            default="10",
            unit="refusals",
            wrong="Too many, and somebody tries words until one passes.",
        ),
        Setting(
            "MODERATION_HOOK",
            Text(),
            "The function that asks an outside service about texts, such as `package.module.function`; empty: none.",
            default="",
            wrong="One that cannot be imported is an error of the check.",
            checks=("genvid.E042",),
            example="yourpackage.moderation.ask",
        ),
        Setting(
            "MODERATION_HOOK_TIMEOUT",
            Number(above_zero=True),
            "How long that function may take.",
            default="3",
            unit="seconds",
            wrong="Too long, and every order waits so long for a service that hangs.",
        ),
        Setting(
            "MODERATION_HOOK_FAILURE",
            Choice(("open", "closed")),
            "What happens when it fails: texts pass (`open`), or are refused with 503 (`closed`).",
            default="open",
        ),
    ),
)

CROSS_ORIGIN = Group(
    "Pages of other origins (docs/guides/browsers.md)",
    (
        Setting(
            "CORS_ALLOWED_ORIGINS",
            Words(noun="origins"),
            "Origins whose pages may call the API: scheme, host, and the port where it is not the scheme's own.",
            default="",
            wrong="One that is not written as browsers send it never matches, and is an error of the check.",
            checks=("genvid.E011",),
            example="https://app.example.com",
        ),
        Setting(
            "CORS_ALLOWED_ORIGIN_REGEXES",
            Words(noun="regular expressions"),
            "Patterns of whole origins whose pages may call the API; none can contain a comma.",
            default="",
            embedded=r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?",
            wrong="One that cannot be compiled or names no scheme is an error of the check.",
            checks=("genvid.E012",),
            example=r"https://[a-z0-9-]+\.example\.com",
        ),
    ),
)

PRIVATE_ADDRESSES = Group(
    "Addresses on private networks; for tests and one-machine installations only",
    (
        Setting(
            "ALLOW_PRIVATE_WEBHOOK_URLS",
            Switch(),
            "Whether clients' webhook endpoints may be on plain http and private addresses.",
            default="off",
            embedded="on",
            testing="on",
            wrong="On in public, a client can make the site call into your network.",
            checks=("genvid.W002",),
        ),
        Setting(
            "ALLOW_PRIVATE_MEDIA_HOSTS",
            Switch(),
            "Whether finished files may come from private addresses.",
            default="off",
            embedded="on",
            testing="on",
            wrong="On in public, a link of HeyGen's can reach into your network.",
            checks=("genvid.W002",),
        ),
        Setting(
            "ALLOW_PRIVATE_IMAGE_URLS",
            Switch(),
            "Whether customers' images may come from private addresses.",
            default="off",
            wrong="On in public, a client can make the site call into your network.",
            checks=("genvid.W012",),
        ),
    ),
)
