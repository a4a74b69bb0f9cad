"""docs/ops/kubernetes: the manifests hold what the compose file holds, and name only settings that are declared."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from genvid.configuration.declared import SETTINGS
from genvid.tests.tools import first_of

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "docs" / "ops" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
MANIFESTS: list[dict[str, Any]] = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]
WITH_PODS = [each for each in MANIFESTS if each["kind"] in ("Deployment", "Job")]
GRANIAN = re.compile(r"GRANIAN_[A-Z_]+")
PROCESSES = {"web", "stream", "worker", "poller", "speaker", "caller", "mailer", "beat", "migrate"}


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return found


def container(process: str) -> dict[str, Any]:
    (manifest,) = [each for each in WITH_PODS if each["metadata"]["labels"].get("process") == process]
    (found,) = pod(manifest)["containers"]
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_process_of_production_has_a_manifest():
    assert {each["metadata"]["labels"]["process"] for each in WITH_PODS} == PROCESSES


def test_there_is_one_beat_and_never_two_while_it_is_replaced():
    beat = named("Deployment", "genvid-beat")["spec"]
    assert (beat["replicas"], beat["strategy"]["type"]) == (1, "Recreate")


def test_a_pod_of_web_serves_until_its_successor_does():
    web = named("Deployment", "genvid-web")["spec"]
    assert (web["replicas"] >= 2, web["strategy"]["rollingUpdate"]["maxUnavailable"]) == (True, 0)


@pytest.mark.parametrize("process", sorted(PROCESSES - {"web"}))
def test_a_process_runs_what_compose_runs(compose, process):
    theirs = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", str(word)) for word in compose[process]["command"]]
    assert container(process)["command"] == theirs


def test_web_runs_what_the_image_runs():
    assert "command" not in container("web")


def test_all_processes_have_one_image_with_a_version():
    (image,) = {container(process)["image"] for process in PROCESSES}
    assert re.fullmatch(r"genvid:\d+\.\d+\.\d+", image)


def test_every_name_of_the_environment_is_a_setting_or_granians():
    names = {*named("ConfigMap", "genvid")["data"], *named("Secret", "genvid")["stringData"]}
    names |= {each["name"] for process in PROCESSES for each in container(process).get("env", ())}
    assert {name for name in names if name not in SETTINGS and not GRANIAN.fullmatch(name)} == set()


def test_secrets_alone_lie_in_the_secret():
    secrets = set(named("Secret", "genvid")["stringData"])
    open_names = set(named("ConfigMap", "genvid")["data"])
    assert {name for name in secrets if not SETTINGS[name].secret} == set()
    assert {name for name in open_names if SETTINGS[name].secret} == set()


def test_every_value_that_is_filled_in_is_usable():
    given = named("ConfigMap", "genvid")["data"] | named("Secret", "genvid")["stringData"]
    for name, value in given.items():
        if value:
            SETTINGS[name].kind.parse(value)


def test_the_first_block_of_the_example_is_there_but_for_what_compose_alone_needs():
    example = (ROOT / ".env.example").read_text().split("\n# ── ")[1]
    names = {line.split("=")[0] for line in example.splitlines() if re.match(r"[A-Z_]+=", line)}
    given = {*named("ConfigMap", "genvid")["data"], *named("Secret", "genvid")["stringData"]}
    assert names - given == {"POSTGRES_PASSWORD"}


@pytest.mark.parametrize("process", ["web", "stream"])
def test_traffic_follows_database_and_migrations_and_a_restart_follows_the_process_alone(process):
    served = container(process)
    ready, alive = served["readinessProbe"]["httpGet"], served["livenessProbe"]["httpGet"]
    assert (ready["path"], alive["path"]) == ("/readyz?parts=web", "/healthz")
    (allowed,) = named("ConfigMap", "genvid")["data"]["ALLOWED_HOSTS"].split(",")
    assert ready["httpHeaders"] == alive["httpHeaders"] == [{"name": "Host", "value": allowed}]
    assert served["ports"] == [{"name": "http", "containerPort": 8000}]


@pytest.mark.parametrize("process", ["worker", "poller", "speaker", "caller", "mailer"])
def test_a_worker_that_does_not_answer_is_replaced(compose, process):
    (*_, asked) = container(process)["livenessProbe"]["exec"]["command"]
    assert asked == compose[process]["healthcheck"]["test"][1].replace("$$", "$")


def test_services_and_budgets_select_the_pods_that_they_are_named_after():
    for each in MANIFESTS:
        if each["kind"] in ("Service", "PodDisruptionBudget"):
            selector = each["spec"]["selector"]
            target = named("Deployment", each["metadata"]["name"])
            assert selector.get("matchLabels", selector) == target["spec"]["template"]["metadata"]["labels"]


def test_every_ingress_leads_to_a_service():
    routes = [path for each in MANIFESTS if each["kind"] == "Ingress" for rule in each["spec"]["rules"]
              for path in rule["http"]["paths"]]  # fmt: skip
    services = {each["metadata"]["name"] for each in MANIFESTS if each["kind"] == "Service"}
    assert {route["backend"]["service"]["name"] for route in routes} == services


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_a_pod_runs_as_the_user_of_the_image_and_writes_to_its_volumes_alone(process):
    (manifest,) = [each for each in WITH_PODS if each["metadata"]["labels"].get("process") == process]
    uid = re.search(r"useradd --system --uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert uid is not None
    assert pod(manifest)["securityContext"]["runAsUser"] == int(uid[1])
    assert container(process)["securityContext"]["readOnlyRootFilesystem"]
    mounted = {each["mountPath"] for each in container(process)["volumeMounts"]}
    assert (mounted, {each["name"] for each in pod(manifest)["volumes"]}) == ({"/data", "/tmp"}, {"data", "tmp"})  # noqa: S108 - in the container


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_kubernetes_takes_every_manifest(file):
    name, path = first_of("kubeconform", "kubernetes-validate")
    strictly = {"kubeconform": "-strict", "kubernetes-validate": "--strict"}[name]
    ended = subprocess.run([path, strictly, str(file)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
