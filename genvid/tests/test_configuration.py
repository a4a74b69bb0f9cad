"""The declarations of the settings, what reads them, and the pages made from them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from genvid.configuration import ConfigurationError, DeclaredEnv
from genvid.configuration.declared import GROUPS, SETTINGS
from genvid.configuration.kinds import (
    Choice,
    DatabaseUrl,
    EmailUrl,
    Folder,
    HexColor,
    Line,
    MailAddress,
    Number,
    Rate,
    RedisUrl,
    Switch,
    Text,
    Url,
    Whole,
    Words,
)
from genvid.configuration.pages import PAGES
from genvid.configuration.setting import SETTINGS_FILE, Setting

ROOT = Path(__file__).resolve().parents[2]
OWN = sorted(name for name, setting in SETTINGS.items() if setting.read_by == SETTINGS_FILE)
FOREIGN = sorted(SETTINGS.keys() - set(OWN))
MODES = {"GENVID_TEST": "off", "GENVID_EMBEDDED": "off"}


@pytest.fixture
def environment(monkeypatch):
    """Sets variables; the modes are those of production."""

    def set_variables(**variables: str) -> None:
        for name, value in (MODES | variables).items():
            monkeypatch.setenv(name, value)

    set_variables()
    return set_variables


@pytest.fixture
def unset(monkeypatch):
    def remove(*names: str) -> None:
        for name in names:
            monkeypatch.delenv(name, raising=False)

    return remove


def declared(kind, **words) -> DeclaredEnv:
    """A reader of the setting ANY and of the modes."""
    modes = {name: SETTINGS[name] for name in MODES}
    return DeclaredEnv(modes | {"ANY": Setting("ANY", kind, "Any.", **words)})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Text(), " as it is ", " as it is "),
        (Choice(("json", "console")), "json", "json"),
        (Switch(), "on", True),
        (Switch(), " YES ", True),
        (Switch(), "0", False),
        (Switch(), "no", False),
        (Whole(1, 3), "3", 3),
        (Whole(), "0", 0),
        (Number(), "0", 0.0),
        (Number(above_zero=True), "0.5", 0.5),
        (Url(), "http://[::1]:8000/path/", "http://[::1]:8000/path/"),
        (Url(optional=True), "", ""),
        (Words(), "a,,b", ["a", "b"]),
        (Words(), "", []),
        (Line(), "Müller & Films", "Müller & Films"),
        (HexColor(), "#4F46e5", "#4F46e5"),
        (MailAddress(), "", ""),
        (MailAddress(), "help@films.example", "help@films.example"),
        (Folder(), "/tmp/x", Path("/tmp/x")),  # noqa: S108 - nothing is written
        (RedisUrl(), "", ""),
        (RedisUrl(), "rediss://host/1", "rediss://host/1"),
        (EmailUrl(), "", {}),
    ],
)
def test_text_of_the_right_form_becomes_a_value(kind, text, value):
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Text(filled=True), " "),
        (Choice(("json", "console")), "xml"),
        (Switch(), "yess"),
        (Switch(), "2"),
        (Switch(), ""),
        (Whole(1, 3), "4"),
        (Whole(1, 3), "0"),
        (Whole(), "-1"),
        (Whole(), "1.5"),
        (Whole(), ""),
        (Number(), "-0.1"),
        (Number(), "30s"),
        (Number(), "nan"),
        (Number(), "inf"),
        (Number(above_zero=True), "0"),
        (Url(), ""),
        (Url(), "genvid.example"),
        (Url(), "ftp://genvid.example"),
        (Url(), "https://"),
        (Url(), "http://host:port"),
        (Words(filled=True), ","),
        (Words(Url()), "https://a.example,b.example"),
        (Line(), " "),
        (Line(), "Films\nBcc: all@example.com"),
        *[(HexColor(), text) for text in ("", "blue", "#fff", "#4f46e5;", "4f46e5")],
        *[(MailAddress(), text) for text in ("support", "Help <support@example.com>", "a@b.example,c@d.example")],
        (Rate(), "some"),
        (Folder(), ""),
        (DatabaseUrl(), "postgre://host/name"),
        (DatabaseUrl(), "postgres://host:port/name"),
        (RedisUrl(), "http://host"),
        (EmailUrl(), "mail.example.com"),
    ],
)
def test_text_of_another_form_is_refused(kind, text):
    with pytest.raises(ValueError):
        kind.parse(text)


def test_a_variable_goes_before_the_default(environment):
    environment(ANY="7")
    assert declared(Whole(), default="5").int("ANY") == 7


@pytest.mark.parametrize(
    ("modes", "expected"),
    [({}, 1), ({"GENVID_EMBEDDED": "on"}, 2), ({"GENVID_TEST": "on"}, 3), (dict.fromkeys(MODES, "on"), 3)],
)
def test_the_default_is_the_one_of_the_mode(environment, unset, modes, expected):
    environment(**modes)
    unset("ANY")
    assert declared(Whole(), default="1", embedded="2", testing="3").int("ANY") == expected


def test_a_computed_default_holds_until_the_variable_is_set(environment, unset):
    env = declared(Whole(), computed="twice as many")
    unset("ANY")
    assert env.int("ANY", default=8) == 8
    environment(ANY="7")
    assert env.int("ANY", default=8) == 7


@pytest.mark.parametrize(("words", "given"), [({"computed": "twice as many"}, None), ({"default": "5"}, 8), ({}, 8)])
def test_a_default_in_the_settings_file_must_be_declared(environment, words, given):
    environment(ANY="7")
    with pytest.raises(TypeError, match="ANY: a default is given exactly where"):
        declared(Whole(), **words).int("ANY", default=given)


def test_a_reader_of_another_type_than_the_declared_one_is_a_fault_of_the_program(environment):
    environment(ANY="on")
    with pytest.raises(TypeError, match=r"ANY is declared as .*Switch.* which is no int"):
        declared(Switch(), default="on").int("ANY")


def test_an_undeclared_setting_cannot_be_read(environment):
    environment(OTHER="7")
    with pytest.raises(KeyError, match="OTHER"):
        declared(Whole(), default="5").int("OTHER")


def test_a_leading_dollar_names_another_variable(environment):
    environment(ANY="$OTHER", OTHER="7")
    assert declared(Whole(), default="5").int("ANY") == 7


def message_of(env: DeclaredEnv, read: str = "int") -> str:
    with pytest.raises(ConfigurationError) as caught:
        getattr(env, read)("ANY")
    assert isinstance(caught.value, ImproperlyConfigured)
    assert caught.value.code == f"genvid: {caught.value}"
    assert "\n" not in str(caught.value)
    return str(caught.value)


WHERE = "(in the environment or in .env; docs/configuration.md)."


def test_a_missing_value_is_named(environment, unset):
    unset("ANY")
    assert message_of(declared(Whole(1))) == f"ANY is not set: write a whole number from 1 {WHERE}"


def test_a_malformed_value_is_shown(environment):
    environment(ANY="eight")
    expected = f"ANY: 'eight' is not usable: write a whole number from 1 to 9 {WHERE}"
    assert message_of(declared(Whole(1, 9), default="1")) == expected


def test_a_malformed_secret_is_not_shown(environment):
    environment(ANY="hunter2")
    message = message_of(declared(DatabaseUrl(), default="", secret=True), read="email_url")
    assert message == f"ANY: its value is not usable: write {DatabaseUrl.expected} {WHERE}"


def test_a_secret_that_begins_with_a_dollar_is_not_shown(environment):
    environment(ANY="$hunter2")
    message = message_of(declared(Text(), default="", secret=True), read="str")
    assert message == "ANY begins with $, which stands for another variable, and that one is not set."


def test_a_secret_comes_from_a_file(environment, tmp_path):
    (tmp_path / "secret").write_text("$ecret \n")
    environment(ANY="of the variable", ANY_FILE=str(tmp_path / "secret"))
    assert declared(Text(), default="", secret=True).str("ANY") == "$ecret "


def test_a_file_that_is_missing_is_named(environment, tmp_path):
    environment(ANY="of the variable", ANY_FILE=str(tmp_path / "none"))
    message = message_of(declared(Text(), default="", secret=True), read="str")
    assert (
        message == f"ANY_FILE names a file that cannot be read: [Errno 2] No such file or directory: '{tmp_path}/none'."
    )


def test_what_is_no_secret_does_not_come_from_a_file(environment, tmp_path):
    environment(ANY="of the variable", ANY_FILE=str(tmp_path / "none"))
    assert declared(Text(), default="").str("ANY") == "of the variable"


def load(folder: Path, **environment: str) -> dict[str, str]:
    """What each setting came to in a process of its own, as text."""
    program = "import genvid.settings as s, json; print(json.dumps({n: repr(v) for n, v in s.env.values.items()}))"
    given = {"GENVID_VAR": str(folder), "PATH": os.environ["PATH"], "S3_BUCKET": "films", **environment}
    loaded = subprocess.run(
        [sys.executable, "-c", program], env=given, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert loaded.returncode == 0, loaded.stderr
    return dict(json.loads(loaded.stdout))


ESSENTIAL = {"SECRET_KEY": "s" * 50, "SALT_KEY": "salt"}
ILLUSTRATED = {
    "GENVID_VAR",
    "STATIC_ROOT",
    "METRICS_DIR",
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "BRAND_LOGO_URL",
    "SUPPORT_EMAIL",
    "DEFAULT_FROM_EMAIL",
    "CORS_ALLOWED_ORIGINS",
    "CORS_ALLOWED_ORIGIN_REGEXES",
    "MODERATION_HOOK",
}
"""Settings with an example in .env.example, because no default is valid elsewhere."""


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    return load(tmp_path_factory.mktemp("var"), **ESSENTIAL)


def test_every_declared_setting_is_read_at_start(defaults):
    assert sorted(defaults) == OWN


def test_every_default_of_the_example_is_the_real_one(tmp_path, defaults):
    """Removing the `#` from its lines changes no setting."""
    lines = re.findall(r"^(# )?([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    filled = {name: value for shown, name, value in lines if not shown and value}
    shown = {name: value for hidden, name, value in lines if hidden and name not in ILLUSTRATED | {"S3_BUCKET"}}
    assert len(shown) > 80
    expected = load(tmp_path, **ESSENTIAL, **filled)
    assert load(tmp_path, **ESSENTIAL, **filled, **shown) == expected


@pytest.mark.parametrize(("mode", "of"), [("GENVID_EMBEDDED", "embedded"), ("GENVID_TEST", "testing")])
def test_every_declared_default_of_a_mode_is_the_real_one(tmp_path, mode, of):
    values = load(tmp_path, **ESSENTIAL, **{mode: "on"})
    told = {name: setting for name, setting in SETTINGS.items() if name in OWN and getattr(setting, of) is not None}
    assert len(told) > 4
    assert {name: values[name] for name in told} == {
        name: repr(setting.kind.parse(getattr(setting, of))) for name, setting in told.items()
    }


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_a_generated_page_is_current(path):
    """`make configuration` writes it anew."""
    assert path.read_text() == PAGES[path]()


def test_no_setting_is_declared_twice():
    assert sum(len(group.settings) for group in GROUPS) == len(SETTINGS)


def test_every_setting_says_what_a_wrong_value_does():
    silent = [
        each.name for each in SETTINGS.values() if not each.wrong and (each.name in FOREIGN or not each.kind.refuses)
    ]
    assert silent == []


def test_every_default_has_the_declared_form():
    texts = [(each.kind, text) for each in SETTINGS.values() for text in (each.default, each.embedded, each.testing)]
    for kind, text in texts:
        if text is not None:
            kind.parse(text)


def test_system_checks_and_settings_name_each_other():
    sources = [path.read_text() for path in (ROOT / "genvid").glob("*checks.py")]
    existing = {name for text in sources for name in re.findall(r'id="(genvid\.\w+)"', text)}
    # Malformed values of any setting, and names of none.
    existing -= {"genvid.E015", "genvid.W011"}
    named = {check for each in SETTINGS.values() for check in each.checks if check.startswith("genvid.")}
    assert named == existing


def test_what_other_programs_read_is_declared():
    compose = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    sources = [*(ROOT / "scripts").glob("*.py"), *ROOT.glob("*/management/commands/*.py")]
    ours = {name for path in sources for name in re.findall(r'os\.environ(?:\.get\(|\[)"(\w+)"', path.read_text())}
    assert {"POSTGRES_PASSWORD", "CALLER_THREADS", "DEMO_ADMIN_EMAIL", "GRANIAN_PORT"} <= compose | ours
    assert compose | ours <= SETTINGS.keys()
