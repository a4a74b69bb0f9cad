"""Examples of the fields of videos and batches, by schema."""

from typing import Any

from genvid.api.serializers import EXAMPLE_SITE, example_id

VIDEO, BATCH, AVATAR, VOICE = (str(example_id(kind)) for kind in ("video", "batch", "avatar", "voice"))
TIME = "2026-05-01T12:00:00Z"
INPUT: dict[str, Any] = {
    "title": "Spring sale",
    "script": "Hello and welcome to our spring sale.",
    "avatar_id": AVATAR,
    "voice_id": VOICE,
    "format": "16:9",
    "resolution": "1080p",
    "language": "English",
    "captions": False,
    "background": {"type": "color", "value": "#1a2b3c"},
    "speed": 1.0,
    "metadata": {"campaign": "spring"},
}
TEMPLATE = {"title": "Greetings", "script": "Hi {{name}}, welcome to our spring sale."}
SAMPLE = [{"name": "Ada"}, {"name": "Grace"}]
VALUES: dict[str, dict[str, Any]] = {
    "PatchedVideoInput": INPUT,
    "VideoCreateInput": INPUT | {"draft": False},
    "BatchInput": INPUT | TEMPLATE | {"rows": SAMPLE},
    "BatchFormInput": INPUT | TEMPLATE | {"rows_file": "name\nAda\nGrace\n", "encoding": "utf-8"},
    "Video": INPUT
    | {
        "id": VIDEO,
        "status": "completed",
        "progress_percent": 100,
        "duration_seconds": 3.4,
        "file_url": f"{EXAMPLE_SITE}/api/v1/videos/{VIDEO}/file",
        "thumbnail_url": f"{EXAMPLE_SITE}/api/v1/videos/{VIDEO}/thumbnail",
        "captions_url": f"{EXAMPLE_SITE}/api/v1/videos/{VIDEO}/captions",
        "error": None,
        "credits": {"held": 0, "charged": 4},
        "warnings": [],
        "submitted_at": TIME,
        "completed_at": TIME,
        "is_test": False,
        "expires_at": "2026-07-30T12:00:00Z",
    },
    "Warning": {
        "code": "voice_script_mismatch",
        "message": "This voice speaks English, and the script has Arabic letters: it may spell or skip them.",
        "field": "voice_id",
    },
    "Quote": {"credits": 5, "estimated_seconds": 4, "available_credits": 30, "eta_seconds": 95, "warnings": []},
    "Event": {"id": 412, "from_status": "processing", "to_status": "completed", "reason": "done"},
    "Batch": INPUT
    | TEMPLATE
    | {
        "id": BATCH,
        "status": "completed",
        "columns": ["name"],
        "is_test": False,
        "total": 2,
        "counts": {"queued": 0, "processing": 0, "completed": 2, "failed": 0, "canceled": 0},
        "progress_percent": 100,
        "credits": {"quoted": 10, "held": 0, "charged": 8},
        "results_url": f"{EXAMPLE_SITE}/api/v1/batches/{BATCH}/results.csv",
        "completed_at": TIME,
    },
    "BatchQuote": {
        "credits": 10,
        "videos": 2,
        "estimated_seconds": 4,
        "available_credits": 30,
        "encoding": "utf-8",
        "sample": SAMPLE,
        "warnings": [],
    },
    "RowsWarning": {
        "code": "short_rows",
        "message": "Rows that end early were filled with empty cells: line 3.",
        "field": "rows_file",
    },
}


def add_examples(schemas: dict[str, Any]) -> None:
    for name, values in VALUES.items():
        for field, value in values.items():
            schemas[name]["properties"][field]["examples"] = [value]
