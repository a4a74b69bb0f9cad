"""The look of mails: one template for text and HTML, the recipient's language, the operator's brand."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.mail import EmailMultiAlternatives
from django.template import Engine, TemplateDoesNotExist

from genvid.mail import composing, staff_alarms
from genvid.mail.composing import Message, Recipient
from genvid.mail.rendering import render

ROOT = Path(__file__).resolve().parents[2]
APPS = ("genvid", "accounts", "avatars", "billing", "videos")
ADA = Recipient("ada@example.com", "en")
LINK = "https://genvid.example/?reset=abc"


@pytest.fixture
def note(settings, tmp_path):
    """Render a template of its own."""

    def rendered(text: str, *, to: list[Recipient] | None = None, german: str = "", **context: object):
        folder = tmp_path / "test/mail"
        folder.mkdir(parents=True)
        (folder / "note.txt").write_text(text)
        if german:
            (folder / "note.de.txt").write_text(german)
        settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
        return render("test.note", Message(to or [ADA], dict(context)))

    return rendered


class Seen(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def html_of(mail: EmailMultiAlternatives) -> Seen:
    (alternative,) = mail.alternatives
    assert alternative.mimetype == "text/html"
    return Seen(str(alternative.content))


# ── Text and HTML


def test_a_link_is_an_address_in_text_and_a_button_in_html(note):
    (mail,) = note("{% load mail %}Reset\n\nOpen this page:\n{% button link 'Choose one' %}\n\nBye.\n", link=LINK)
    assert (mail.subject, mail.body) == ("Reset", f"Open this page:\n{LINK}\n\nBye.\n")
    html = html_of(mail)
    assert [each["href"] for each in html.all("a")] == [LINK]
    assert "Choose one" in html.text
    assert [len(html.all("p")), len(html.all("br"))] == [2, 1]


def test_values_are_escaped_in_html_and_left_alone_in_text(note):
    (mail,) = note("Hi {{ name }}\n\nHi {{ name }}.\n", name='<b onclick="x">&</b>')
    assert (mail.subject, mail.body) == ('Hi <b onclick="x">&</b>', 'Hi <b onclick="x">&</b>.\n')
    assert (html_of(mail).all("b"), 'Hi <b onclick="x">&</b>.' in html_of(mail).text) == ([], True)


def test_an_address_cannot_break_out_of_its_attribute(note):
    (mail,) = note("{% load mail %}Hi\n\n{% link url %} {% button url 'Go' %}\n", url='https://a/?"><script>')
    assert [html_of(mail).all("script"), len(html_of(mail).all("a"))] == [[], 2]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\u2028", "\x85"], ids=repr)
def test_no_line_break_of_a_value_ends_the_subject(note, ending):
    (mail,) = note("{{ name|cut:'x' }} is ready\n\nBye.\n", name=f"Film{ending}Bcc: all@example.com")
    parsed = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert (parsed["Bcc"], len(mail.subject.splitlines()), mail.recipients()) == (None, 1, ["ada@example.com"])


def test_no_picture_is_loaded_but_the_brands_logo(note, settings):
    (mail,) = note("Hi\n\nBye.\n")
    assert html_of(mail).all("img") == []
    settings.BRAND_LOGO_URL = "https://films.example/logo.png"
    (mail,) = render("test.note", Message([ADA]))
    assert [each["src"] for each in html_of(mail).all("img")] == ["https://films.example/logo.png"]


# ── Brand


def test_a_mail_shows_the_operators_brand(settings):
    settings.BRAND_NAME, settings.BRAND_COLOR = "Müller & Films", "#00aa11"
    settings.SUPPORT_EMAIL, settings.DEFAULT_FROM_EMAIL = "help@films.example", "Films <no-reply@films.example>"
    (mail,) = render(staff_alarms.KIND, Message([ADA], {"subject": "Look", "text": "It broke.", "link": LINK}))
    assert (mail.subject, mail.from_email) == ("[Müller & Films] Look", "Films <no-reply@films.example>")
    assert mail.body == f"It broke.\n\n{LINK}\n\n-- \nMüller & Films\nhelp@films.example\n"
    assert (mail.reply_to, mail.extra_headers) == (["help@films.example"], {"Auto-Submitted": "auto-generated"})
    html = html_of(mail)
    assert "background:#00aa11" in str(html.all("a")[0]["style"])
    assert ("Müller & Films" in html.text, html.all("a")[1]["href"]) == (True, "mailto:help@films.example")


def test_without_a_support_address_a_mail_names_none(settings):
    settings.SUPPORT_EMAIL = ""
    (mail,) = render(staff_alarms.KIND, Message([ADA], {"subject": "Look", "text": "It broke."}))
    assert (mail.body, mail.reply_to) == ("It broke.\n", [])


# ── Language


@pytest.mark.parametrize(
    ("tag", "subject"),
    [("de", "Hallo"), ("de-AT", "Hallo"), ("DE", "Hallo"), ("en", "Hi"), ("pt-BR", "Hi"), ("", "Hi"), ("xx-x", "Hi")],
)
def test_a_mail_is_in_its_recipients_language(note, tag, subject):
    (mail,) = note("Hi\n\nBye.\n", german="Hallo\n\nTschüss.\n", to=[Recipient("ada@example.com", tag)])
    assert mail.subject == subject
    assert html_of(mail).all("html") == [{"lang": "de" if subject == "Hallo" else "en"}]


def test_recipients_of_two_languages_get_two_mails(note):
    to = [Recipient(f"{name}@example.com", tag) for name, tag in [("ada", "en"), ("eva", "de"), ("bob", "fr")]]
    mails = note("Hi\n\nBye.\n", german="Hallo\n\nTschüss.\n", to=to)
    assert [(mail.subject, mail.to) for mail in mails] == [
        ("Hi", ["ada@example.com", "bob@example.com"]),
        ("Hallo", ["eva@example.com"]),
    ]


def test_dates_and_numbers_are_written_in_the_language(note):
    when, text = datetime(2026, 3, 4, tzinfo=UTC), "Hi\n\n{{ when|date:'d F Y' }} {{ size|floatformat }}\n"
    (english, german) = note(text, to=[ADA, Recipient("eva@example.com", "de")], when=when, size=2.5)
    assert (english.body, german.body) == ("04 March 2026 2.5\n", "04 März 2026 2,5\n")


CUSTOMERS = sorted(composing.kinds() - {staff_alarms.KIND})


@pytest.mark.parametrize("kind", CUSTOMERS)
def test_every_mail_but_those_to_staff_exists_in_every_language(kind):
    app, _, name = kind.partition(".")
    missing = []
    for language, _ in site.LANGUAGES:
        path = f"{app}/mail/{name}.txt" if language == site.LANGUAGE_CODE else f"{app}/mail/{name}.{language}.txt"
        try:
            Engine.get_default().get_template(path)
        except TemplateDoesNotExist:
            missing.append(path)
    assert missing == []


def test_every_template_belongs_to_a_kind():
    found = {(path.parts[-3], path.name.partition(".")[0]) for path in ROOT.glob("*/templates/*/mail/*.txt")}
    kinds = {("genvid", kind) if "." not in kind else tuple(kind.split(".")) for kind in composing.kinds()}
    assert found == kinds


# ── One way out


SENDING = re.compile(r"\b(django\.core\.mail|smtplib|anymail\.)|\bfrom django\.core import\b.*\bmail\b")


def test_nobody_but_the_outbox_sends_mail():
    modules = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "tests" not in path.parts]
    senders = {path.relative_to(ROOT).as_posix() for path in modules if SENDING.search(path.read_text())}
    declares, tries = "genvid/configuration/declared/site.py", "genvid/mail/doctor.py"
    assert senders == {"genvid/mail/delivery.py", "genvid/mail/rendering.py", declares, tries}
