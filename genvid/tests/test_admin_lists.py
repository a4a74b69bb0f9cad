"""Long lists of the admin: estimated counts, and whole ids and addresses found before words."""

import pytest
from django.test import Client

from accounts.models import User
from billing.models import Hold, Wallet
from genvid import admin_lists
from genvid.admin_lists import EstimatingPaginator, estimated_rows
from genvid.tests.asserts import statements_of
from genvid.tests.factories import PASSWORD, grant, make_caller, make_video
from genvid.tests.generated_rows import analyze, copy_row
from videos.admin import video_search
from videos.models import Video

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return client


def listed(staff: Client, page: str, query: str) -> list[str]:
    answer = staff.get(f"/admin/{page}/", {"q": query})
    assert answer.status_code == 200
    return [str(row.pk) for row in answer.context["cl"].result_list]


@pytest.fixture
def many(owner, monkeypatch) -> Video:
    """Three thousand videos, where a thousand is much."""
    monkeypatch.setattr(admin_lists, "MOST_COUNTED", 1_000)
    video = make_video(owner, "completed", title="Spring sale")
    copy_row(video, 3_000, id="gen_random_uuid()", idempotency_key="NULL", provider_video_id="NULL")
    analyze(Video)
    return video


def test_a_long_list_is_counted_by_the_databases_estimate(many):
    Video.objects.filter(pk=many.pk).delete()
    statements = statements_of(lambda: EstimatingPaginator(Video.objects.all(), 50).count)
    assert estimated_rows(Video) == EstimatingPaginator(Video.objects.all(), 50).count == 3_001
    assert not [each for each in statements if "count" in each.lower()]


def test_a_short_list_is_counted(owner, monkeypatch):
    monkeypatch.setattr(admin_lists, "MOST_COUNTED", 1_000)
    make_video(owner, "completed")
    analyze(Video)
    assert EstimatingPaginator(Video.objects.all(), 50).count == 1


def test_a_long_filtered_list_is_counted_up_to_a_bound(many):
    assert EstimatingPaginator(Video.objects.filter(status="completed"), 50).count == 1_000


def test_rows_are_joined_only_once_they_are_sorted_and_cut_to_a_page(owner):
    videos = [make_video(owner, "completed", title=f"Video {number}") for number in range(5)]
    rows = Video.objects.select_related("account", "voice").order_by("-created_at", "-id")
    read: list[Video] = []
    statements = statements_of(lambda: read.extend(EstimatingPaginator(rows, 2).page(2).object_list))
    assert read == [videos[2], videos[1]]
    assert [("JOIN" in each, "ORDER BY" in each) for each in statements[-2:]] == [(False, True), (True, True)]
    assert all("account" in video._state.fields_cache for video in read)


def test_the_list_of_videos_opens_with_an_estimate(staff, many):
    answer = staff.get("/admin/videos/video/")
    assert (answer.status_code, answer.context["cl"].result_count) == (200, 3_001)


SEARCHES = {
    "id": lambda video: str(video.pk),
    "id with spaces": lambda video: f"  {video.pk} ",
    "hex": lambda video: video.pk.hex.upper(),
    "account": lambda video: str(video.account_id),
    "address": lambda video: "Owner@Example.com",
    "part of an address": lambda video: "wner@exam",
    "id at HeyGen": lambda video: video.provider_video_id,
    "request": lambda video: "req-0123",
    "part of a title": lambda video: "ring sa",
    "two letters": lambda video: "SP",
    "company": lambda video: "olive fi",
    "first words of a script": lambda video: "WARM weather",
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_video_is_found_by(staff, owner, outsider, kind):
    make_video(outsider, "completed", title="Other", script="Something else.")
    given = {"title": "Spring sale", "request_id": "req-0123", "provider_video_id": "hg-1"}
    video = make_video(owner, "completed", script="Enjoy the warm weather.", **given)
    assert listed(staff, "videos/video", SEARCHES[kind](video)) == [str(video.pk)]


@pytest.mark.parametrize("query", ["00000000-0000-4000-8000-000000000000", "nobody@example.com", "nothing like it"])
def test_a_search_that_finds_no_video_is_empty(staff, owner, query):
    make_video(owner, "completed", title="Spring sale")
    assert listed(staff, "videos/video", query) == []


def test_a_search_by_id_reads_no_words(owner):
    video = make_video(owner, "completed")
    statements = statements_of(lambda: list(video_search.search_videos(Video.objects.all(), str(video.pk))))
    assert [each for each in statements if "LIKE" in each] == []


def test_words_are_searched_in_the_newest_titles_where_there_is_no_index(owner, monkeypatch):
    monkeypatch.setattr(video_search, "NEWEST", 1)
    make_video(owner, "completed", title="Old sale")
    newest = make_video(owner, "completed", title="New sale")
    assert list(video_search.search_videos(Video.objects.all(), "sale")) == [newest]


def test_scripts_are_searched_by_their_beginnings_among_the_newest(owner, monkeypatch):
    monkeypatch.setattr(video_search, "NEWEST", 2)
    make_video(owner, "completed", script="A sale of old.")
    beyond = " " * video_search.FIRST_CHARACTERS + "sale"
    _, newest = (
        make_video(owner, "completed", script=f"A{beyond}"),
        make_video(owner, "completed", script="A sale now."),
    )
    assert list(video_search.search_videos(Video.objects.all(), "sale")) == [newest]


def test_a_search_takes_as_many_statements_however_many_scripts_it_finds(owner):
    def statements() -> int:
        return len(statements_of(lambda: list(video_search.search_videos(Video.objects.all(), "sale"))))

    make_video(owner, "completed", script="A sale.")
    one = statements()
    for number in range(5):
        make_video(owner, "completed", script=f"Sale {number}.")
    assert statements() == one


def test_an_exact_address_goes_before_similar_ones(staff, owner):
    make_caller(email="more-owner@example.com")
    assert listed(staff, "accounts/user", "owner@example.com") == [str(owner.user.pk)]
    assert len(listed(staff, "accounts/user", "example.com")) == 3


def test_a_wallet_is_found_by_its_accounts_id_and_address(staff, owner, outsider):
    assert listed(staff, "billing/wallet", str(owner.account.pk)) == [str(owner.account.pk)]
    assert listed(staff, "billing/wallet", owner.user.email) == [str(owner.account.pk)]
    assert Wallet.objects.count() == 2


def test_a_hold_is_found_by_its_whole_reference_and_by_the_videos_id_in_it(staff, owner):
    video = make_video(owner, "queued")
    hold = Hold.objects.get()
    assert (
        listed(staff, "billing/hold", f"video:{video.pk}")
        == [str(hold.pk)]
        == listed(staff, "billing/hold", str(video.pk))
    )


@pytest.mark.parametrize(("value", "found"), [("0", "aside"), ("1", "not")])
def test_videos_that_are_set_aside_are_filtered(staff, owner, value, found):
    made = {"aside": make_video(owner, "queued"), "not": make_video(owner, "queued")}
    Video.objects.filter(pk=made["aside"].pk).update(set_aside_at=made["aside"].created_at)
    answer = staff.get("/admin/videos/video/", {"set_aside_at__isempty": value})
    assert [row.pk for row in answer.context["cl"].result_list] == [made[found].pk]


def test_videos_are_filtered_by_the_error_codes_that_there_are(staff, owner):
    failed = make_video(owner, "failed", error_code="render_failed")
    make_video(owner, "completed")
    answer = staff.get("/admin/videos/video/", {"error_code": "render_failed"})
    assert [row.pk for row in answer.context["cl"].result_list] == [failed.pk]
    assert b"render_failed" in answer.content


@pytest.mark.parametrize("status", ["queued", "rendering", "completed", "failed", "draft"])
def test_videos_are_filtered_by_status(staff, owner, status):
    grant(owner, 100)
    made = {each: make_video(owner, each) for each in ("queued", "rendering", "completed", "failed", "draft")}
    answer = staff.get("/admin/videos/video/", {"status__exact": status})
    assert [row.pk for row in answer.context["cl"].result_list] == [made[status].pk]
