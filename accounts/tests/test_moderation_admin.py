"""Staff's pages of the check of texts."""

import uuid

import pytest
from django.urls import reverse

from accounts.enums import Outcome, ReviewState, Strictness
from accounts.models import AuditEntry, ModeratedAccount, ModerationRule, ReviewedText
from accounts.tests.moderation import REASON, make_rule, refusal_of_texts
from genvid.tests.asserts import nothing_changes, queries_once_warm
from genvid.tests.employees import employee, messages_of, panel_named, post_act
from genvid.tests.factories import make_caller

pytestmark = pytest.mark.django_db
RULES = "admin:accounts_moderationrule"
ALL = (
    *("view_account", "view_reviewedtext", "change_reviewedtext", "view_moderatedaccount", "change_moderatedaccount"),
    *("view_moderationrule", "change_moderationrule", "add_moderationrule"),
)


def rule_form(**fields: object) -> dict[str, object]:
    usual = {"kind": "word", "text": "forbidden", "reason": REASON, "outcome": "refuse", "strictness": "standard"}
    return usual | {"is_active": "on", "note": ""} | fields


def make_text(person, text: str = "doubtful") -> ReviewedText:
    if not ModerationRule.objects.exists():
        make_rule("doubtful", outcome=Outcome.REVIEW)
    refusal_of_texts(person, script=text)
    return ReviewedText.objects.get(text=text, account=person.account)


def act_url(row, act: str) -> str:
    return reverse(f"admin:accounts_{row._meta.model_name}_act_{act}", args=[row.pk])


# ── Rules


def test_staff_add_a_rule_that_holds_at_once(owner):
    staff = employee(*ALL)
    assert refusal_of_texts(owner, script="forbidden") is None
    assert staff.post(reverse(f"{RULES}_add"), rule_form()).status_code == 302
    assert refusal_of_texts(owner, script="forbidden") == {"script": REASON}
    entry = AuditEntry.objects.get(by_staff=True)
    assert (entry.act, entry.user, entry.detail["kind"]) == (
        "staff.record_added",
        staff.user,
        "accounts.ModerationRule",
    )


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"kind": "pattern", "text": "("}, "no regular expression"),
        ({"kind": "pattern", "text": "(a+)+$"}, "too long"),
        ({"kind": "pattern", "text": "x*"}, "every text"),
        ({"text": "\u200b\u0336"}, "Nothing is left"),
        ({"reason": ""}, "required"),
        ({"strictness": "off"}, "valid choice"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_reason(fields, word):
    staff = employee(*ALL)
    with nothing_changes():
        answer = staff.post(reverse(f"{RULES}_add"), rule_form(**fields))
    assert (answer.status_code, word in answer.content.decode()) == (200, True)


def test_staff_switch_a_rule_off(owner):
    rule = make_rule()
    employee(*ALL).post(reverse(f"{RULES}_change", args=[rule.pk]), rule_form(is_active=""))
    assert refusal_of_texts(owner, script="forbidden") is None


# ── Would this text be refused?


@pytest.mark.parametrize(
    ("text", "strictness", "said"),
    [
        ("so forbidden", "standard", REASON),
        ("Hello", "standard", "No rule speaks against it"),
        ("daft", "standard", "No rule speaks against it"),
        ("daft", "strict", "Only strictly."),
    ],
)
def test_staff_try_a_text_without_a_trace(text, strictness, said):
    make_rule()
    make_rule("daft", strictness=Strictness.STRICT, reason="Only strictly.")
    staff = employee("view_moderationrule")
    with nothing_changes():
        answer = staff.post(reverse("admin:try_text"), {"text": text, "strictness": strictness})
    assert said in answer.content.decode()


def test_trying_a_text_needs_the_permission_to_see_the_rules():
    answers = [
        employee(name).get(reverse("admin:try_text")).status_code for name in ("view_moderationrule", "view_user")
    ]
    assert answers == [200, 403]


def test_the_menu_leads_to_the_pages_of_those_who_may_see_them():
    pages = [employee(*names).get("/admin/").content.decode() for names in (ALL, ("view_user",))]
    words = ("Would this text be refused?", "Rules for texts", "Texts to review", "Refused texts by account")
    assert [[word in page for word in words] for page in pages] == [[True] * 4, [False] * 4]


# ── Reviews


def test_staff_allow_a_text(owner):
    text, staff = make_text(owner), employee(*ALL)
    answer = post_act(staff, act_url(text, "allow"))
    assert messages_of(answer) == ["This text passes now, for this account."]
    assert refusal_of_texts(owner, script="doubtful") is None
    entry = AuditEntry.objects.get(act="staff.text_allowed")
    assert (entry.user, entry.account, entry.detail) == (staff.user, owner.account, {"text": str(text.pk)})


def test_staff_refuse_a_text_with_an_answer(owner):
    text = make_text(owner)
    post_act(employee(*ALL), act_url(text, "refuse"), answer="We do not make this.")
    assert refusal_of_texts(owner, script="doubtful") == {"script": "We do not make this."}


def test_a_refusal_by_staff_needs_an_answer(owner):
    text = make_text(owner)
    staff = employee(*ALL)
    with nothing_changes():
        post_act(staff, act_url(text, "refuse"), answer="")


def test_a_double_click_decides_once(owner):
    text, staff, token = make_text(owner), employee(*ALL), uuid.uuid4()
    post_act(staff, act_url(text, "allow"), token)
    with nothing_changes():
        answer = post_act(staff, act_url(text, "allow"), token)
    assert messages_of(answer) == ["This was done already; nothing was done twice."]


@pytest.mark.parametrize("act", ["allow", "refuse"])
def test_deciding_needs_its_permission(owner, act):
    text = make_text(owner)
    staff = employee("view_reviewedtext")
    with nothing_changes():
        answer = post_act(staff, act_url(text, act), answer="No.")
    assert answer.status_code == 403


def test_the_home_page_says_how_many_texts_wait(owner):
    make_text(owner)
    page = employee("view_reviewedtext").get("/admin/").content.decode()
    assert "Texts to review" in page
    assert f"{reverse('admin:accounts_reviewedtext_changelist')}?state__exact=waiting" in page


@pytest.mark.parametrize("model", [ReviewedText, ModeratedAccount, ModerationRule], ids=lambda model: model.__name__)
def test_a_list_needs_as_many_queries_for_many_rows_as_for_one(owner, model):
    def fill(person) -> None:
        make_text(person)
        make_rule(f"word{ModerationRule.objects.count()}")
        refusal_of_texts(person, script="word1")

    staff, url = employee(*ALL), reverse(f"admin:accounts_{model._meta.model_name}_changelist")
    fill(owner)
    one = queries_once_warm(lambda: staff.get(url))
    for _ in range(3):
        fill(make_caller())
    assert (model._default_manager.count() > 3, queries_once_warm(lambda: staff.get(url))) == (True, one)


@pytest.mark.parametrize("model", [ReviewedText, ModeratedAccount], ids=lambda model: model.__name__)
def test_what_customers_did_cannot_be_changed_by_a_form(owner, model):
    make_text(owner)
    make_rule()
    refusal_of_texts(owner, script="forbidden")
    url = reverse(f"admin:accounts_{model._meta.model_name}_change", args=[model._default_manager.get().pk])
    staff = employee(*ALL)
    with nothing_changes():
        assert (staff.get(url).status_code, staff.post(url, {"state": ReviewState.ALLOWED}).status_code) == (200, 403)


# ── The customer's page


def test_staff_set_how_strictly_an_account_is_checked(owner):
    make_rule("daft", strictness=Strictness.STRICT)
    staff = employee(*ALL)
    post_act(staff, act_url(owner.account, "set_strictness"), strictness="strict")
    assert refusal_of_texts(owner, script="daft") == {"script": REASON}
    entry = AuditEntry.objects.get(act="staff.strictness_changed")
    assert (entry.user, entry.account, entry.detail) == (staff.user, owner.account, {"strictness": "strict"})


def test_the_customers_page_shows_refusals_and_reviewed_texts(owner, settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 1
    make_text(owner)
    make_rule()
    refusal_of_texts(owner, script="forbidden")
    panel = panel_named(
        employee(*ALL).get(reverse("admin:accounts_account_change", args=[owner.account.pk])), "Check of texts"
    )
    assert [row[1:] for row in panel.rows] == [("script", REASON, "Waiting")]
    assert panel.note.startswith("Checked: standard. 1 texts refused, the last at ")
    assert "Slowed down until" in panel.note
    assert [link.text for link in panel.links] == [
        "All reviewed texts",
        "Set how texts are checked",
        "End the slow-down of texts",
    ]


def test_staff_end_the_slow_down_of_an_account(owner, settings):
    settings.MODERATION_REFUSALS_PER_HOUR = 1
    make_rule()
    refusal_of_texts(owner, script="forbidden")
    post_act(employee(*ALL), act_url(owner.account, "end_slowdown"))
    assert refusal_of_texts(owner, script="Hello") is None


def test_an_account_that_is_not_slowed_down_cannot_be_freed(owner):
    staff = employee(*ALL)
    with nothing_changes():
        answer = post_act(staff, act_url(owner.account, "end_slowdown"))
    assert "is not slowed down" in messages_of(answer)[0]
