from genvid.sandbox.tests.sandbox_client import Client, refusal_of, wait_for


def test_a_new_video_is_waiting(client: Client) -> None:
    answer = client.submit(title="First")

    assert answer.status_code == 200
    video_id = answer.json()["data"]["video_id"]
    assert answer.json() == {"data": {"video_id": video_id, "status": "waiting", "output_format": "mp4"}}


def test_a_video_is_pending_then_processing_then_completed(client: Client) -> None:
    client.sandbox.configure(render_seconds=3600)
    video_id = client.make()
    seen: list[str] = []

    def is_shown_as(status: str) -> bool:
        seen.append(client.data(f"/v3/videos/{video_id}")["status"])
        return seen[-1] == status

    wait_for(lambda: is_shown_as("processing"))
    client.sandbox.complete(video_id)
    wait_for(lambda: is_shown_as("completed"))

    assert list(dict.fromkeys(["pending", *seen])) == ["pending", "processing", "completed"]


def test_a_completed_video_has_its_files(client: Client) -> None:
    video = client.finish(title="Files")

    kinds = {field: client.get(video[field]).headers["content-type"] for field in _URLS if video[field]}
    assert kinds == {
        "video_url": "video/mp4",
        "subtitle_url": "application/x-subrip",
        "thumbnail_url": "image/jpeg",
        "gif_url": "image/gif",
    }
    assert video["title"] == "Files"
    assert video["duration"] > 0


_URLS = ("video_url", "captioned_video_url", "subtitle_url", "thumbnail_url", "gif_url")


def test_burned_captions_make_a_second_file(client: Client) -> None:
    video = client.finish(caption={"file_format": "srt", "style": "default"})

    assert client.get(video["captioned_video_url"]).content != client.get(video["video_url"]).content


def test_plain_captions_make_no_second_file(client: Client) -> None:
    assert client.finish(caption={"file_format": "srt"})["captioned_video_url"] is None


def test_videos_are_listed_newest_first_in_pages(client: Client) -> None:
    made = [client.make(title=f"Number {number}") for number in range(3)]

    first = client.get("/v3/videos", params={"limit": 2}).json()
    second = client.get("/v3/videos", params={"limit": 2, "token": first["next_token"]}).json()

    assert [video["id"] for video in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], second["next_token"]) == (True, False, None)


def test_videos_are_found_by_a_part_of_their_title(client: Client) -> None:
    client.make(title="Spring sale")
    wanted = client.make(title="job-77 Winter sale")

    assert [video["id"] for video in client.data("/v3/videos", title="job-77")] == [wanted]


def test_videos_are_found_by_folder(client: Client) -> None:
    client.make()
    wanted = client.make(folder_id="f1")

    assert [video["id"] for video in client.data("/v3/videos", folder_id="f1")] == [wanted]


def test_an_unknown_video_is_not_found(client: Client) -> None:
    assert refusal_of(client.get("/v3/videos/nope")) == (404, "video_not_found", None)


def test_a_deleted_video_is_gone_and_so_are_its_files(client: Client) -> None:
    video = client.finish()

    answer = client.delete(f"/v3/videos/{video['id']}")

    assert answer.json() == {"data": {"id": video["id"], "deleted": True}}
    assert refusal_of(client.delete(f"/v3/videos/{video['id']}")) == (404, "video_not_found", None)
    assert client.get(video["video_url"]).status_code == 404


def test_deleting_does_not_stop_the_render_or_its_charge(client: Client) -> None:
    client.sandbox.configure(render_seconds=0.3)
    client.delete(f"/v3/videos/{client.make()}")

    wait_for(lambda: client.sandbox.records()["videos"][0]["status"] == "completed")

    assert client.sandbox.records()["wallet"] < 1000


def test_statuses_of_many_videos_are_read_at_once(client: Client) -> None:
    stuck = client.make(script="Hi. [[stuck]]")
    failed = client.finish(script="Hi. [[fail:rendering_failed]]")["id"]

    shown = client.data("/v3/videos/statuses", video_ids=f"{stuck},{failed},nope")

    assert [(one["video_id"], one["status"]) for one in shown] == [
        (stuck, "processing"),
        (failed, "failed"),
        ("nope", "not_found"),
    ]


def test_statuses_of_batches_are_refused(client: Client) -> None:
    answer = client.get("/v3/videos/statuses", params={"video_ids": "x", "batch_ids": "y"})

    assert refusal_of(answer) == (400, "invalid_parameter", "batch_ids")


def test_statuses_take_a_hundred_ids_and_no_more(client: Client) -> None:
    ids = ",".join(["x"] * 101)

    answer = client.get("/v3/videos/statuses", params={"video_ids": ids})

    assert refusal_of(answer) == (400, "invalid_parameter", "video_ids")


def test_the_wallet_drops_by_the_rate_times_the_duration(client: Client) -> None:
    video = client.finish(avatar_id=client.look("photo_avatar")["id"])

    balance = client.data("/v3/users/me")["wallet"]["remaining_balance"]

    assert balance == round(1000 - 0.05 * video["duration"], 6)


def test_engine_three_is_cheaper(client: Client) -> None:
    video = client.finish(engine={"type": "avatar_iii"})

    assert client.sandbox.records()["videos"][0]["charged"] == round(0.0167 * video["duration"], 6)


def test_an_empty_wallet_is_noticed_only_when_polled(client: Client) -> None:
    client.sandbox.wallet(0)

    video = client.finish()

    assert (video["status"], video["failure_code"]) == ("failed", "MOVIO_PAYMENT_INSUFFICIENT_CREDIT")
    assert client.sandbox.records()["wallet"] == 0


def test_a_failed_video_costs_nothing(client: Client) -> None:
    client.finish(script="Hi. [[fail]]")

    assert client.sandbox.records()["wallet"] == 1000


def test_a_cinematic_video_has_a_fixed_price(client: Client) -> None:
    look = client.look()["id"]
    body = {"type": "cinematic_avatar", "prompt": "Walk along the beach", "avatar_id": [look]}
    video_id = client.post("/v3/videos", json=body).json()["data"]["video_id"]

    wait_for(lambda: client.status(video_id) == "completed")

    assert client.sandbox.records()["videos"][0]["charged"] == 7


def test_a_studio_video_joins_its_scenes(client: Client) -> None:
    scene = {"type": "avatar_video", "input": client.body(script="One two three four.")}
    single = client.finish(script="One two three four.")["duration"]
    video_id = client.post("/v3/videos", json={"type": "studio", "scenes": [scene, scene]}).json()["data"]["video_id"]

    wait_for(lambda: client.status(video_id) == "completed")

    video = client.data(f"/v3/videos/{video_id}")
    assert video["duration"] == round(2 * single, 3)
    assert client.get(video["subtitle_url"]).text.count("-->") == 2


def test_a_job_over_the_limit_is_refused(client: Client) -> None:
    client.sandbox.configure(concurrency=2, stuck=True, retry_after=7)
    client.make()
    client.make()

    answer = client.submit()

    assert refusal_of(answer) == (429, "rate_limit_exceeded", None)
    assert answer.headers["retry-after"] == "7"
    assert len(client.sandbox.records()["videos"]) == 2


def test_a_job_is_accepted_when_another_ends(client: Client) -> None:
    client.sandbox.configure(concurrency=1, stuck=True)
    first = client.make()

    client.sandbox.fail(first)

    assert client.submit().status_code == 200
