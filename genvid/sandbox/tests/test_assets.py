import hashlib
from typing import Any

from genvid.sandbox.tests.sandbox_client import Client, refusal_of


def upload(client: Client, content: bytes, claimed: str = "image/png") -> Any:
    return client.post("/v3/assets", files={"file": ("face.png", content, claimed)})


def ticket(content: bytes, **fields: Any) -> dict[str, Any]:
    return {"filename": "face.png", "content_type": "image/png", "size_bytes": len(content), **fields}


def test_an_upload_can_be_used_as_a_background(client: Client, png: bytes) -> None:
    asset = upload(client, png).json()["data"]

    assert (asset["mime_type"], asset["size_bytes"]) == ("image/png", len(png))
    assert client.get(asset["url"]).content == png
    background = {"type": "image", "asset_id": asset["asset_id"]}
    assert client.finish(background=background)["status"] == "completed"


def test_an_upload_whose_bytes_are_of_another_type_is_refused(client: Client, png: bytes) -> None:
    answer = upload(client, png, "image/jpeg")

    assert refusal_of(answer) == (400, "invalid_parameter", "file")
    assert answer.json()["error"]["message"] == "Content type not match image/png != image/jpeg"


def test_subtitles_are_refused_as_at_heygen(client: Client) -> None:
    answer = upload(client, b"1\n00:00", "application/x-subrip")

    assert answer.json()["error"]["message"] == "Content type not supported application/x-subrip"


def test_an_upload_without_a_file_is_refused(client: Client) -> None:
    answer = client.post("/v3/assets", data={"other": "x"})

    assert refusal_of(answer) == (400, "invalid_parameter", "file")


def test_assets_are_listed_shown_and_deleted(client: Client, png: bytes) -> None:
    asset_id = upload(client, png).json()["data"]["asset_id"]
    shown = client.data(f"/v3/assets/{asset_id}")

    assert client.data("/v3/assets", username=shown["owner"]) == [shown]
    assert client.delete(f"/v3/assets/{asset_id}").json() == {"data": {"id": asset_id}}
    assert refusal_of(client.get(f"/v3/assets/{asset_id}")) == (404, "asset_not_found", None)


def test_the_list_of_assets_needs_a_username(client: Client) -> None:
    assert refusal_of(client.get("/v3/assets")) == (400, "invalid_parameter", "username")


def test_a_direct_upload_is_put_and_completed(client: Client, png: bytes) -> None:
    begun = client.post("/v3/assets/direct-uploads", json=ticket(png)).json()["data"]
    path = f"/v3/assets/{begun['asset_id']}/complete"
    assert refusal_of(client.post(path)) == (409, "resource_not_ready", None)

    put = client.put(begun["upload_url"], content=png, headers=begun["upload_headers"])

    done = [client.post(path).json()["data"] for _ in range(2)]
    assert (put.status_code, done[0]["status"], done[0]) == (200, "completed", done[1])


def test_a_direct_upload_with_a_wrong_checksum_is_refused(client: Client, png: bytes) -> None:
    wrong = hashlib.sha256(b"other").hexdigest()
    begun = client.post("/v3/assets/direct-uploads", json=ticket(png, checksum_sha256=wrong)).json()["data"]
    client.put(begun["upload_url"], content=png)

    answer = client.post(f"/v3/assets/{begun['asset_id']}/complete")

    assert refusal_of(answer) == (400, "invalid_parameter", "checksum_sha256")


def test_an_upload_link_takes_only_what_was_announced(client: Client, png: bytes) -> None:
    begun = client.post("/v3/assets/direct-uploads", json=ticket(png)).json()["data"]

    assert client.put(begun["upload_url"], content=png + b"x").status_code == 400
    assert client.put(begun["upload_url"].partition("?")[0], content=png).status_code == 403


def test_a_batch_of_uploads_is_followed(client: Client, png: bytes) -> None:
    begun = client.post("/v3/assets/direct-uploads/batches", json={"files": [ticket(png)] * 2}).json()["data"]
    client.put(begun["items"][0]["upload_url"], content=png)

    answer = client.post("/v3/assets/complete/batches", json={"batch_id": begun["batch_id"]})

    assert (answer.status_code, answer.json()) == (202, {"data": {"batch_id": begun["batch_id"]}})
    shown = client.data(f"/v3/assets/batches/{begun['batch_id']}")
    assert (shown["status"], shown["counts_by_status"]) == ("processing", {"completed": 1, "queued": 1})


def test_statuses_show_assets_under_video_id(client: Client, png: bytes) -> None:
    asset_id = upload(client, png).json()["data"]["asset_id"]

    shown = client.data("/v3/assets/statuses", asset_ids=f"{asset_id},nope")

    assert [(one["video_id"], one["status"]) for one in shown] == [
        (asset_id, "completed"),
        ("nope", "not_found"),
    ]


def test_a_search_for_assets_finds_nothing(client: Client) -> None:
    assert client.data("/v3/assets/search", query="cat", type="image") == []
