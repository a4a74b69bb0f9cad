"""Files in an S3-compatible bucket: how they are stored, and how links to them are signed."""

import re
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from genvid.media_links import lasting_link, signed_link
from genvid.tests.buckets import parameters_of
from genvid.tests.factories import make_video
from videos.media.file_names import filename_of
from videos.models import Video

pytestmark = pytest.mark.django_db
REGIONS = {
    "us-east-1": "films.s3.amazonaws.com",
    "eu-west-1": "films.s3.eu-west-1.amazonaws.com",
    "eu-central-1": "films.s3.eu-central-1.amazonaws.com",
    "eu-south-2": "films.s3.eu-south-2.amazonaws.com",
}


@pytest.mark.parametrize("region", REGIONS)
def test_a_link_to_a_bucket_in_any_amazon_region_is_signed_with_version_4(store_in_bucket, region):
    store_in_bucket(region=region)
    link = signed_link("videos/1/video.mp4")
    words = parameters_of(link)
    assert urlsplit(link).hostname == REGIONS[region]
    assert words["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert words["X-Amz-Credential"].split("/")[2:] == [region, "s3", "aws4_request"]
    assert re.fullmatch(r"[0-9a-f]{64}", words["X-Amz-Signature"])


def test_a_bucket_whose_name_has_dots_is_named_in_the_path(store_in_bucket):
    store_in_bucket(region="eu-west-1", name="films.example.com")
    link = urlsplit(signed_link("videos/1/video.mp4"))
    assert link.hostname == "s3.eu-west-1.amazonaws.com"
    assert link.path == "/films.example.com/videos/1/video.mp4"


@pytest.mark.parametrize("region", ["", "us-east-1", "eu-west-1"])
def test_a_link_to_a_bucket_of_another_provider_is_signed_with_version_4(store_in_bucket, region):
    store_in_bucket("https://bucket.example", region)
    link = signed_link("videos/1/video.mp4")
    assert (urlsplit(link).netloc, urlsplit(link).path) == ("bucket.example", "/films/videos/1/video.mp4")
    assert parameters_of(link)["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"


@pytest.mark.parametrize(("link_to", "seconds"), [(signed_link, 900), (lasting_link, 7 * 24 * 3600)])
def test_a_bucket_link_lives_as_long_as_its_kind(store_in_bucket, link_to, seconds):
    store_in_bucket("https://bucket.example")
    assert parameters_of(link_to("videos/1/video.mp4"))["X-Amz-Expires"] == str(seconds)


@pytest.mark.parametrize(
    ("part", "disposition", "kind"),
    [
        ("file", 'inline; filename="Spring sale.mp4"', "video/mp4"),
        ("thumbnail", 'inline; filename="Spring sale.jpg"', "image/jpeg"),
        ("captions", 'inline; filename="Spring sale.srt"', "application/x-subrip; charset=utf-8"),
    ],
)
def test_a_bucket_link_names_the_downloaded_file(store_in_bucket, owner, part, disposition, kind):
    video = make_video(owner, "completed", title="Spring sale")
    store_in_bucket("https://bucket.example", "eu-west-1")
    response = owner.client.get(f"/api/v1/videos/{video.pk}/{part}")
    words = parameters_of(response["Location"])
    assert (words["response-content-disposition"], words["response-content-type"]) == (disposition, kind)


def test_a_changed_title_is_the_file_name_in_the_next_link(store_in_bucket, owner):
    video = make_video(owner, "completed", title="Spring sale")
    store_in_bucket("https://bucket.example", "eu-west-1")
    owner.client.patch(f"/api/v1/videos/{video.pk}", {"title": "Autumn"})
    words = parameters_of(owner.client.get(f"/api/v1/videos/{video.pk}/file")["Location"])
    assert words["response-content-disposition"] == 'inline; filename="Autumn.mp4"'


@pytest.mark.parametrize(
    ("title", "script", "name"),
    [
        ("Spring sale", "Hello.", "Spring sale.mp4"),
        (
            "",
            "Hello and welcome to our great spring sale, all of you!",
            "Hello and welcome to our great spring sale,.mp4",
        ),
        ("", 'One <break time="1s"/> two', "One two.mp4"),
        ('a/b\\c:d*e?f"g<h>i|j', "Hello.", "a b c d e f g h i j.mp4"),
        ("../../etc/passwd", "Hello.", "etc passwd.mp4"),
        ("a\r\nSet-Cookie: b", "Hello.", "a Set-Cookie b.mp4"),
        ("\u202egpj.exe", "Hello.", "gpj.exe.mp4"),
        ("Grüße, 世界", "Hello.", "Grüße, 世界.mp4"),
        ("...", "Hello.", "video.mp4"),
        ("t" * 200, "Hello.", "t" * 80 + ".mp4"),
    ],
)
def test_a_file_is_saved_as_its_title_or_first_words(title, script, name):
    assert filename_of(Video(title=title, script=script), "videos/1/video.mp4") == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("video.mp4", "video/mp4"),
        ("thumbnail.jpg", "image/jpeg"),
        ("captions.srt", "application/x-subrip; charset=utf-8"),
        ("captions.vtt", "text/vtt; charset=utf-8"),
        ("export.zip", "application/zip"),
        ("unknown", "application/octet-stream"),
    ],
)
def test_an_object_is_stored_with_type_name_and_cache_control(store, settings, name, kind):
    settings.MEDIA_LINK_LIFETIME = 900
    default_storage.save(f"videos/1/{name}", ContentFile(b"0123456789"))
    kept, _ = store.objects[f"/films/videos/1/{name}"]
    assert kept == {
        "Content-Type": kind,
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "private, max-age=900",
    }


def test_a_stored_file_is_fetched_by_its_link_under_its_title(store):
    name = default_storage.save("videos/1/captions.srt", ContentFile(b"0123456789"))
    with urlopen(signed_link(name, filename="Grüße.srt")) as answer:  # noqa: S310 - the store of this test
        assert answer.read() == b"0123456789"
        assert answer.headers["Content-Disposition"] == "inline; filename*=utf-8''Gr%C3%BC%C3%9Fe.srt"
        assert answer.headers["Content-Type"] == "application/x-subrip; charset=utf-8"


def test_a_bucket_that_does_not_answer_holds_a_thread_for_less_than_two_minutes(store_in_bucket):
    store_in_bucket(region="eu-west-1")
    config = default_storage.connection.meta.client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 30, 3)
