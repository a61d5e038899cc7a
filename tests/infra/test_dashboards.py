"""The dashboard, the alerts and the page of metrics name what the code measures, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import INFRA, unit_commands
from manifests import all_manifests

from pipelines.metrics.metrics import METRICS

REPOSITORY = Path(__file__).resolve().parents[2]
DASHBOARD = REPOSITORY / "infra" / "grafana" / "bioner.json"
PROMETHEUS = REPOSITORY / "infra" / "prometheus"
PANEL_VARIABLES = {"$__rate_interval": "5m"}
TARGET_LABELS = {"job", "instance"}
"""Those that Prometheus itself gives to whatever it scrapes."""
UNITS = {"short", "s", "cps", "percentunit"}

_NAME = re.compile(r"\b(?:ray_)?(bioner_[a-z_]+)")
_LABEL = re.compile(r"\bby \(([a-z, ]+)\)")


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard, headings left out."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panel_expressions() -> Iterator[str]:
    """The queries of the dashboard as Prometheus gets them."""
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"]
            for variable, value in PANEL_VARIABLES.items():
                query = query.replace(variable, value)
            yield query


def expressions() -> list[str]:
    """Every query of the dashboard and of the alerts."""
    return [*panel_expressions(), *(rule["expr"] for rule in rules())]


def test_every_name_is_one_that_is_measured_and_every_metric_has_a_panel() -> None:
    """Catches a panel or an alert that stays empty for good after a name was changed, and a metric that nobody sees."""
    series = {name for metric in METRICS for name in metric.series}
    used = [set(_NAME.findall(query)) for query in expressions()]
    assert set().union(*used) <= series
    shown = set().union(*(_NAME.findall(query) for query in panel_expressions()))
    assert {metric.name for metric in METRICS if not shown & set(metric.series)} == set()


def test_queries_group_by_labels_that_the_metric_has() -> None:
    """Catches a legend without words."""
    for query in expressions():
        labels = {metric.label for metric in METRICS for name in metric.series if name in query} | {
            "le",
            *TARGET_LABELS,
        }
        used = {label for found in _LABEL.findall(query) for label in found.split(", ")}
        assert used <= labels, query


def test_queries_are_promql() -> None:
    """Catches a query that Prometheus or Grafana refuses."""
    promql = pytest.importorskip("promql_parser")
    for query in expressions():
        promql.parse(query)
    with pytest.raises(ValueError, match=r".+"):
        promql.parse("sum by (rate(x[5m])")


def test_panels_have_units_thresholds_and_places_of_their_own() -> None:
    """Catches a dashboard that Grafana loads and nobody can read."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        defaults, place = panel["fieldConfig"]["defaults"], panel["gridPos"]
        assert defaults["unit"] in UNITS
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert panel["datasource"]["uid"] == "${datasource}"
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(set(ids)) == len(ids)


def test_alerts_say_what_is_wrong_and_where_help_is() -> None:
    """Catches an alarm at night that leads to no word on what to do; each has a heading of its own in the runbook."""
    runbook = (REPOSITORY / "docs" / "operations.md").read_text()
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    assert "## Alerts" in runbook
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert f"\n### {rule['alert']}\n" in runbook


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("BionerNoProgress", 'bioner_job_phase{phase="annotate"} == 1'),
        ("BionerActorsStarve", 'bioner_job_phase{phase="annotate"} == 1'),
        ("BionerActorsSilent", "bioner_job_running == 1"),
        ("BionerActorsGivenUp", "bioner_job_running == 1"),
    ],
)
def test_alerts_on_work_sound_only_while_there_is_some(name: str, gate: str) -> None:
    """Catches an alarm each night while the snapshot is made, and one all day by the file of a job that has ended."""
    [expression] = [rule["expr"] for rule in rules() if rule["alert"] == name]
    assert expression.endswith(f"and on (job, instance) {gate}")


def test_prometheus_reads_the_alerts() -> None:
    """Catches rules that no server loads."""
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert settings["rule_files"] == ["alerts.yml"]
    jobs = {one["job_name"] for one in settings["scrape_configs"]}
    assert jobs == {"bioner-jobs", "bioner-kubernetes", "bioner-cron", "ray"}


def scrape_config(name: str) -> dict[str, Any]:
    """What Prometheus is told of one kind of target."""
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    found: dict[str, Any] = next(one for one in settings["scrape_configs"] if one["job_name"] == name)
    return found


def test_the_pages_of_the_timers_are_scraped() -> None:
    """Catches a night on one machine whose alerts have no data, and two nights that want one port."""
    lines = [line for path in (INFRA / "systemd").glob("*.service") for line in unit_commands(path)]
    pages = [f"127.0.0.1:{line.words[line.words.index('--metrics-port') + 1]}" for line in lines]
    assert len(set(pages)) == len(pages) == 2
    [targets] = scrape_config("bioner-jobs")["static_configs"]
    assert sorted(targets["targets"]) == sorted(pages)


def test_the_pages_of_pods_are_scraped() -> None:
    """Catches a pod with a page of metrics that Prometheus does not look for, by its label or the name of its port."""
    label, port = scrape_config("bioner-kubernetes")["relabel_configs"][:2]
    assert label["source_labels"] == ["__meta_kubernetes_pod_label_bioner_metrics"]
    assert port["source_labels"] == ["__meta_kubernetes_pod_container_port_name"]
    found = 0
    for one in all_manifests():
        for pod in one.pods():
            ports = [each for container in pod["spec"]["containers"] for each in container.get("ports", ())]
            names = {each["name"] for each in ports if each["containerPort"] == 9464}
            found += len(names)
            assert bool(names) == (pod["metadata"]["labels"].get("bioner/metrics") == label["regex"]), one.title
            assert all(re.fullmatch(port["regex"], name) for name in names), one.title
    assert found == 5


def test_the_documentation_lists_each_metric_as_the_code_has_it() -> None:
    """Catches a table that says something else than the code."""
    text = (REPOSITORY / "docs" / "metrics.md").read_text()
    for metric in METRICS:
        label = f"`{metric.label}`" if metric.label else ""
        assert f"| `{metric.series[0]}` | {metric.kind} | {label} | {metric.origin} | {metric.help} |" in text
    assert text.count("\n| `bioner_") == len(METRICS)
