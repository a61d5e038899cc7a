"""Kubernetes manifests: they fit their schemas, and they keep the promises that the runbook makes for them."""

import copy
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from command_lines import REPOSITORY, manifest_commands
from manifests import INFRA, Manifest, all_manifests, check, manifest

MANIFESTS = all_manifests()
KUBERNETES = ("1.31", "1.37")
"""The oldest version whose fields all are there, and the newest that the validator knows."""

BY_HAND = {"pool.yaml", "rayjob-annotate.yaml", "rayjob-backfill.yaml", "job-pull-model.yaml"}
CLUSTERS = (
    ("raycluster.yaml", "RayCluster", ("spec",)),
    ("rayjob-backfill.yaml", "RayJob", ("spec", "rayClusterSpec")),
)


def titled(one: Manifest) -> str:
    """The name of a test case."""
    return str(one.title)


def ray_cluster(name: str, kind: str, way: tuple[str, ...]) -> dict[str, Any]:
    """The cluster that an object describes."""
    found: dict[str, Any] = manifest(name, kind).content
    for step in way:
        found = found[step]
    return found


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("one", MANIFESTS, ids=titled)
def test_manifests_fit_their_schemas(one: Manifest, kubernetes: str) -> None:
    """Catches a misspelt or misplaced field, which Kubernetes would drop in silence."""
    check(one.content, kubernetes)


def _misspell(cluster: dict[str, Any]) -> None:
    cluster["spec"]["autoscalerOptions"]["idleTimeoutSecond"] = 1


def _misspell_in_pod(cluster: dict[str, Any]) -> None:
    cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["toleration"] = []


def _number_as_start_parameter(cluster: dict[str, Any]) -> None:
    cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = 0


def _two_clusters(job: dict[str, Any]) -> None:
    job["spec"]["rayClusterSpec"] = manifest("raycluster.yaml", "RayCluster").content["spec"]


def _time_to_live_without_shutdown(job: dict[str, Any]) -> None:
    job["spec"]["ttlSecondsAfterFinished"] = 60


def _new_try_on_a_selected_cluster(job: dict[str, Any]) -> None:
    job["spec"]["backoffLimit"] = 3


@pytest.mark.parametrize(
    ("name", "kind", "spoil"),
    [
        ("raycluster.yaml", "RayCluster", _misspell),
        ("raycluster.yaml", "RayCluster", _misspell_in_pod),
        ("raycluster.yaml", "RayCluster", _number_as_start_parameter),
        ("rayjob-annotate.yaml", "RayJob", _two_clusters),
        ("rayjob-annotate.yaml", "RayJob", _time_to_live_without_shutdown),
        ("rayjob-annotate.yaml", "RayJob", _new_try_on_a_selected_cluster),
    ],
)
def test_spoilt_objects_are_refused(name: str, kind: str, spoil: Callable[[dict[str, Any]], None]) -> None:
    """Catches a schema for KubeRay's objects that takes what its operator refuses."""
    content = copy.deepcopy(manifest(name, kind).content)
    check(content, KUBERNETES[0])
    spoil(content)
    with pytest.raises(jsonschema.ValidationError):
        check(content, KUBERNETES[0])


def test_every_file_is_applied_or_started_by_hand() -> None:
    """Catches a manifest that lies in the folder and is never applied, and one that is listed and not there."""
    listed = set(yaml.safe_load((INFRA / "kuberay" / "kustomization.yaml").read_text())["resources"])
    there = {path.name for path in (INFRA / "kuberay").glob("*.yaml")} - {"kustomization.yaml"}
    assert listed | BY_HAND == there
    assert not listed & BY_HAND


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_and_puts_the_registry_into_every_image() -> None:
    """Catches a layout that `kubectl apply -k` refuses, and a Ray group whose image keeps its short name."""
    done = subprocess.run(["kubectl", "kustomize", str(INFRA / "kuberay")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    pods = [Manifest(INFRA, one) for one in built]
    images = [container["image"] for one in pods for container in one.containers()]
    assert len(images) == 4
    assert all(image.startswith("registry.example.org/bioner:") for image in images)
    assert {one["metadata"].get("namespace") for one in built if one["kind"] != "Namespace"} == {"bioner"}


@pytest.mark.parametrize("one", [one for one in MANIFESTS if one.pods()], ids=titled)
def test_pods_run_without_rights(one: Manifest) -> None:
    """Catches a container as root, with capabilities, without limits, or on an image that may change under its name."""
    for pod in one.pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in one.containers():
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert ":" in container["image"]
        assert not container["image"].endswith(":latest")


def test_versions_are_those_of_the_lock() -> None:
    """Catches an image or a Ray version that was left behind when the project or its lock moved on."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    locked = (REPOSITORY / "constraints.txt").read_text().splitlines()
    images = {container["image"] for one in MANIFESTS for container in one.containers()}
    own = {image for image in images if image.startswith("bioner:")}
    assert own == {f"bioner:{version}-cpu", f"bioner:{version}-cuda"}
    for where in CLUSTERS:
        assert f"ray=={ray_cluster(*where)['rayVersion']}" in locked
    [job_server] = [image for image in images if "job_server" in image]
    assert f"apache-beam=={job_server.rpartition(':')[2]}" in locked


def test_the_backfill_has_the_same_cluster() -> None:
    """Catches a change of one of the two clusters that was meant for both; only the number of pods differs."""
    clusters = [copy.deepcopy(ray_cluster(*where)) for where in CLUSTERS]
    for cluster in clusters:
        for name in ("replicas", "minReplicas"):
            del cluster["workerGroupSpecs"][0][name]
    assert clusters[0] == clusters[1]


@pytest.mark.parametrize("where", CLUSTERS, ids=lambda where: where[0])
def test_ray_asks_for_a_token_scales_and_keeps_actors_off_the_head(where: tuple[str, str, tuple[str, ...]]) -> None:
    """Catches a cluster that anyone in reach may use, that cannot grow, never shrinks, or runs models on the head."""
    cluster = ray_cluster(*where)
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["enableInTreeAutoscaling"] is True
    assert cluster["autoscalerOptions"]["idleTimeoutSeconds"] > 0
    [group] = cluster["workerGroupSpecs"]
    assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    [worker] = group["template"]["spec"]["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "store" not in {mount["name"] for mount in worker["volumeMounts"]}


def run_entry_point(one: Manifest, folder: Path, bioner: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point of a Ray job with this shell script as bioner, on a store in `folder`."""
    program = folder / "bioner"
    program.write_text(f"#!/bin/sh\n{bioner}\n")
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    (folder / "store").mkdir()
    entry_point = one.content["spec"]["entrypoint"].replace("/store", f"{folder}/store")

    submitter = ["bash", "-c", f"printf '%s\\0' {entry_point}"]
    words = subprocess.run(submitter, env={"PATH": path}, capture_output=True, text=True, check=True).stdout
    on_head = shlex.join(words.split("\0")[:-1])  # as `ray job submit` does
    environment = {"PATH": path, "RAY_ADDRESS": "10.0.0.7:6379"}
    return subprocess.run(["sh", "-c", on_head], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("one", [one for one in MANIFESTS if one.kind == "RayJob"], ids=titled)
def test_entry_points_see_the_address_of_the_head(one: Manifest, tmp_path: Path) -> None:
    """Catches an address that the submitter's shell puts in, which has none: KubeRay hands the words on through it."""
    done = run_entry_point(one, tmp_path, 'printf "%s\\n" "$@"')
    got = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert got[got.index("--ray") + 1] == "10.0.0.7:6379"
    assert got[0] in ("annotate", "backfill")
    assert got[-1] == "--json"


@pytest.mark.parametrize(("code", "ends_with"), [(0, 0), (1, 1), (2, 0), (3, 0), (143, 143)])
def test_a_backfill_is_tried_again_only_where_that_may_help(code: int, ends_with: int, tmp_path: Path) -> None:
    """Catches new clusters of GPUs for a mistyped option, and too many rejects that a second run hides behind a 0."""
    one = manifest("rayjob-backfill.yaml", "RayJob")
    done = run_entry_point(one, tmp_path, f"echo 'error: why' >&2; exit {code}")
    assert done.returncode == ends_with
    log = (tmp_path / "store" / "backfill.log").read_text()
    assert re.fullmatch(rf"error: why\n\S+Z bioner ended with {code}\n", log)
    assert done.stderr == log
    assert one.content["spec"]["backoffLimit"] <= 3


def test_a_backfill_that_is_stopped_ends_by_itself_and_says_so(tmp_path: Path) -> None:
    """Catches a shell that dies of the signal at once, so that nobody waits for bioner to give the store back."""
    one = manifest("rayjob-backfill.yaml", "RayJob")
    done = run_entry_point(one, tmp_path, "kill -TERM $PPID; echo 'gave the store back' >&2; exit 143")
    assert done.returncode == 143
    assert "gave the store back" in done.stderr


def test_who_starts_actors_from_a_pod_without_gpu_names_their_precision() -> None:
    """Catches a choice that is made for the launcher's processor while the actors have GPUs."""
    checked = set()
    for one in MANIFESTS:
        for line in manifest_commands(one.path):
            if {"annotate", "backfill", "start"} & set(line.words[:2]):
                words = " ".join(line.words).replace("=", " ")
                assert " --precision bfloat16" in words, one.title
                checked.add(one.path.name)
    assert checked == {"pool.yaml", "rayjob-annotate.yaml", "rayjob-backfill.yaml", "annotate.yaml"}


def test_the_plan_of_all_of_pubmed_holds_on_a_head_without_gpu() -> None:
    """Catches a million shards in place of 39,000: a minute's work of the head's processor is 30 citations."""
    [line] = manifest_commands(manifest("rayjob-backfill.yaml", "RayJob").path)
    assert line.words[line.words.index("--shard-records") + 1] == "1000"


def test_jobs_that_share_a_head_take_no_port_of_it() -> None:
    """Catches a second job on the pool that ends at once, since the first one has the port."""
    [line] = manifest_commands(manifest("rayjob-annotate.yaml", "RayJob").path)
    assert "--metrics-port" not in line.words


@pytest.mark.parametrize("one", [one for one in MANIFESTS if one.pods()], ids=titled)
def test_probes_that_start_a_program_give_it_time(one: Manifest) -> None:
    """Catches a probe that never succeeds: a second is Kubernetes' own limit, and Python with Ray starts slower."""
    for container in one.containers():
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if "exec" in container.get(probe, {}):
                assert container[probe].get("timeoutSeconds", 1) >= 15, container["name"]


@pytest.mark.parametrize("one", [one for one in MANIFESTS if one.kind == "CronJob"], ids=titled)
def test_nights_end_and_do_not_overlap(one: Manifest) -> None:
    """Catches nights that pile up or hang for ever, and an exit code that a second try would hide."""
    spec = one.content["spec"]
    job = spec["jobTemplate"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert job["activeDeadlineSeconds"] < 24 * 3600
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    [container] = pod["containers"]
    assert container["args"][0] == "nightly"
    [rule] = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [2, 3]}


def test_every_mounted_volume_and_claim_is_there() -> None:
    """Catches a pod that would wait for ever for a volume that nobody makes."""
    claims = {one.content["metadata"]["name"] for one in MANIFESTS if one.kind == "PersistentVolumeClaim"}
    for one in MANIFESTS:
        for pod in one.pods():
            volumes = pod["spec"].get("volumes", [])
            named = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "emptyDir" not in volume]
            assert set(named) <= claims, one.title
            for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
                mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
                assert mounted <= {volume["name"] for volume in volumes}, one.title


def test_nothing_outside_reaches_ray() -> None:
    """Catches a network policy by which more than bioner's pods, the operator and the metrics reach a Ray port."""
    policies = {
        one.content["metadata"]["name"]: one.content["spec"] for one in MANIFESTS if one.kind == "NetworkPolicy"
    }
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        for rule in policy.get("ingress", []):
            for source in rule["from"]:
                assert "ipBlock" not in source, name
                if "namespaceSelector" in source:
                    assert {port["port"] for port in rule["ports"]} <= {8265, 8080, 9464}, name
    services = [one for one in MANIFESTS if one.kind == "Service"]
    assert all(one.content["spec"].get("type", "ClusterIP") == "ClusterIP" for one in services)
    assert not [one for one in MANIFESTS if one.kind == "Ingress"]


def test_every_pod_has_a_network_policy_that_lets_it_work() -> None:
    """Catches a pod that the rule against all traffic shuts off, since no other rule selects its labels."""
    selectors = [
        one.content["spec"]["podSelector"].get("matchLabels", {}) for one in MANIFESTS if one.kind == "NetworkPolicy"
    ]
    reached = [selector for selector in selectors if selector]
    for one in MANIFESTS:
        for pod in one.pods():
            labels = pod["metadata"]["labels"]
            assert any(selector.items() <= labels.items() for selector in reached), one.title


def test_the_page_puts_every_image_into_the_registry_before_the_cluster_asks_for_it() -> None:
    """Catches pods that wait for images of one machine only, and an apply before what must be changed first."""
    page = (INFRA / "README.md").read_text(encoding="utf-8")
    [image] = yaml.safe_load((INFRA / "kuberay" / "kustomization.yaml").read_text())["images"]
    apply = page.index("\n    kubectl apply -k infra/kuberay\n")
    used = {container["image"] for one in MANIFESTS for container in one.containers()}
    for tag in {one.partition(":")[2] for one in used if one.startswith(f"{image['name']}:")}:
        for step in (rf"-t {image['name']}:{tag} ", rf"docker tag {image['name']}:{tag}\b", "docker push"):
            named = f"{step}.*" if step.startswith("-t") else rf"{step} +{image['newName']}:{tag}"
            found = re.search(named, page)
            assert found is not None, named
            assert found.start() < apply
    assert page.index("Change first") < page.index("The CronJobs run from the first apply on") < apply
