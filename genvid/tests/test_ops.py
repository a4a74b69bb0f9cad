"""docs/ops: rules, dashboard and runbook name only what `/metrics` shows, and each alert has its section."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import promql_parser
import pytest
import yaml
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from billing.ledger.ledger_proofs import prove_ledger
from genvid.docs_pages import render_page
from genvid.heartbeats.sending import record_heartbeat, send_heartbeats
from genvid.heartbeats.status import queue_names
from genvid.jobs import enqueue
from genvid.leasing import from_now
from genvid.metrics import COUNTED
from genvid.tests.factories import make_caller, make_video
from genvid.tests.jobs import registered_tasks
from videos import jobs
from videos.models import ProviderBalance
from videos.queue import queue_snapshot

OPS = Path(settings.BASE_DIR) / "docs" / "ops"
RULES = [rule for group in yaml.safe_load((OPS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((OPS / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]},
}
RUNBOOK = "https://genvid.example.com/docs/ops/runbook#"
PROMETHEUS = {"up": {"job", "instance"}}
"""Series of Prometheus itself."""
APPS = ("genvid", "accounts", "avatars", "billing", "videos")


@pytest.fixture
def shown(db) -> dict[str, set[str]]:
    """Each series with its labels: what processes count, and the gauges of a page that shows all of them."""
    registered_tasks()
    make_video(make_caller())
    queue_snapshot.refresh()
    send_heartbeats()
    for name in queue_names():
        record_heartbeat(name)
    prove_ledger()
    enqueue(jobs.STORE, str(uuid4()))
    for hours, remaining in ((30, 100), (1, 90)):
        ProviderBalance.objects.create(read_at=from_now(timedelta(hours=-hours)), remaining=remaining, currency="usd")
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    gauges: dict[str, set[str]] = {}
    for sample in (sample for family in families for sample in family.samples):
        gauges.setdefault(sample.name, set()).update(sample.labels)
    return gauges | {name: set(labels) for name, labels in COUNTED.items()} | PROMETHEUS


def parts_of(expression: Any, kind: type) -> list[Any]:
    found: list[Any] = []
    promql_parser.walk(expression, lambda part: found.append(part) if isinstance(part, kind) else None)
    return found


def parse(query: str) -> Any:
    return promql_parser.parse(query.replace("$__rate_interval", "5m"))


def labels_given(expression: Any) -> set[str]:
    """Those that the aggregations of an expression keep."""
    sums = parts_of(expression, promql_parser.AggregateExpr)
    return {label for part in sums if part.modifier for label in part.modifier.labels}


def misnamed(query: str, shown: dict[str, set[str]]) -> set[str]:
    expression = parse(query)
    selectors = parts_of(expression, promql_parser.VectorSelector)
    wrong = {each.name for each in selectors if each.name not in shown}
    known = [each for each in selectors if each.name in shown]
    for each in known:
        wrong |= {f"{each.name}{{{m.name}}}" for m in each.matchers.matchers if m.name not in shown[each.name]}
    labels = {label for each in known for label in shown[each.name]}
    return wrong | {f"by ({label})" for label in labels_given(expression) - labels}


def test_every_name_and_label_of_every_query_is_shown_by_metrics(shown):
    found = {name: wrong for name, query in QUERIES.items() if (wrong := misnamed(query, shown))}
    assert (found, len(QUERIES) > 80) == ({}, True)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("max(genvid_slot_used)", {"genvid_slot_used"}),
        ('sum(rate(genvid_tasks_total{outcom="failure"}[5m])) > 0', {"genvid_tasks_total{outcom}"}),
        ("sum by (name) (rate(genvid_tasks_total[$__rate_interval]))", {"by (name)"}),
        (
            "histogram_quantile(0.9, sum by (le) (rate(genvid_task_second_bucket[5m])))",
            {"genvid_task_second_bucket", "by (le)"},
        ),
        (
            "genvid_slots_used / on () (genvid_x offset 15m or genvid_y * 0) unless sum(genvid_z)",
            {"genvid_x", "genvid_y", "genvid_z"},
        ),
    ],
)
def test_a_query_of_names_that_metrics_does_not_show_is_found(shown, query, wrong):
    assert misnamed(query, shown) == wrong


# ── Rules and runbook


@pytest.fixture(scope="module")
def anchors() -> set[str]:
    page = OPS / "runbook.md"
    return set(re.findall(r'<h3 id="([^"]+)"', render_page(page, page.stat().st_mtime_ns).html))


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert(anchors):
    assert {rule["annotations"]["runbook_url"] for rule in RULES} == {RUNBOOK + anchor for anchor in anchors}


def test_every_alert_links_to_its_own_section():
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in RULES}
    assert links == {name: RUNBOOK + name.lower() for name in links}


def test_every_alert_has_a_name_of_its_own_a_severity_and_a_summary():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    assert {rule["labels"]["severity"] for rule in RULES} == {"critical", "warning", "info"}
    assert [rule["alert"] for rule in RULES if not rule["annotations"]["summary"].endswith((".", "}}."))] == []


MATCHES = {
    "MatchOp.Equal": lambda value, wanted: value == wanted,
    "MatchOp.NotRe": lambda value, wanted: not re.fullmatch(wanted, value),
}


def test_the_silence_of_every_queue_and_of_beat_raises_an_alert():
    watched = {}
    for name in ("GenvidBeatSilent", "GenvidQueueSilent"):
        selectors = parts_of(parse(QUERIES[name]), promql_parser.VectorSelector)
        chosen = [[MATCHES[str(m.op)](part, m.value) for m in each.matchers.matchers]
                  for part in ["beat", *queue_names()] for each in selectors]  # fmt: skip
        watched[name] = sum(map(all, chosen))
    assert watched == {"GenvidBeatSilent": 1, "GenvidQueueSilent": 1 + len(queue_names())}


def test_the_runbook_names_the_services_that_serve_each_queue():
    services = yaml.safe_load((OPS.parents[1] / "docker-compose.yml").read_text())["services"]
    serving = {name: each["command"] for name, each in services.items() if "-Q" in each.get("command", ())}
    served = {name: tuple(command[command.index("-Q") + 1].split(",")) for name, command in serving.items()}
    told = re.findall(r"`(\w+)`\s\(((?:`\w+`(?:, )?)+)\)", (OPS / "runbook.md").read_text())
    assert {name: tuple(re.findall(r"\w+", queues)) for name, queues in told} == served
    pairs = re.findall(r"queue\s`(\w+)`\s\(the\sservice\s`(\w+)`\)", (OPS / "runbook.md").read_text())
    assert [(queue, name) for queue, name in pairs if queue not in served[name]] == []


def test_the_runbook_says_the_severities_of_the_rules():
    told = re.findall(r"^### (\w+)\n\n\*(\w+)\*:", (OPS / "runbook.md").read_text(), flags=re.MULTILINE)
    assert dict(told) == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}


def test_every_log_event_command_and_series_that_the_runbook_names_exists(shown):
    spans = re.findall(r"`([^`]+)`", (OPS / "runbook.md").read_text())
    words = [found[1] for span in spans if (found := re.match(r"(?:manage\.py )?([a-z]+(?:_[a-z]+)+)", span))]
    sources = [path for app in APPS for path in (OPS.parents[1] / app).rglob("*.py") if "tests" not in path.parts]
    code = "\n".join([*(path.stem for path in sources), *(path.read_text() for path in sources)])
    assert (sorted({word for word in words if word not in shown and word not in code}), len(words) > 15) == ([], True)


def test_every_query_of_the_runbook_names_what_metrics_shows(shown):
    spans = re.findall(r"`([^`]+)`", (OPS / "runbook.md").read_text())
    queries = [span.replace("\n  ", " ") for span in spans if "genvid_" in span]
    assert ({query: wrong for query in queries if (wrong := misnamed(query, shown))}, len(queries) > 8) == ({}, True)


needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on this machine")


@needs_promtool
@pytest.mark.parametrize("command", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_accepts_the_rules(command):
    done = subprocess.run(["promtool", *command], cwd=OPS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ── Dashboard


def test_every_panel_has_a_query_a_unit_and_the_data_source_of_the_dashboard():
    assert [panel["title"] for panel in PANELS if not panel["targets"]] == []
    units = [panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS]
    sources = [each["datasource"]["uid"] for panel in PANELS for each in (panel, *panel["targets"])]
    assert (all(units), set(sources)) == (True, {"${datasource}"})
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]


def test_every_label_of_a_legend_is_kept_by_its_query():
    targets = [target for panel in PANELS for target in panel["targets"]]
    used = {each["expr"]: set(re.findall(r"{{(\w+)}}", each["legendFormat"])) for each in targets}
    assert {query: labels for query, labels in used.items() if labels - labels_given(parse(query))} == {}


def test_no_panel_covers_another():
    taken = [cell for panel in DASHBOARD["panels"] for cell in cells_of(**panel["gridPos"])]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert (len(taken), len(ids)) == (len(set(taken)), len(set(ids)))
    assert max(x for x, _ in taken) < 24


def cells_of(*, x: int, y: int, w: int, h: int) -> list[tuple[int, int]]:
    return [(column, line) for column in range(x, x + w) for line in range(y, y + h)]
