"""Every command that infra/ and the runbook show is one that the program takes."""

import re

import pytest
import typer
import yaml
from command_lines import INFRA, REPOSITORY, CommandLine, document_commands, infra_commands, parse, shell_commands

RUNBOOK = REPOSITORY / "docs" / "operations.md"


@pytest.mark.parametrize("line", infra_commands(), ids=lambda line: f"{line.place} {' '.join(line.words[:3])}")
def test_commands_in_infra_are_taken(line: CommandLine) -> None:
    """Catches a manifest, unit or page that calls a verb or option which was renamed or never was."""
    parse(line)


def test_commands_in_the_runbook_are_taken() -> None:
    """Catches a runbook that tells a person at three in the morning to run what does not exist."""
    lines = list(document_commands(RUNBOOK))
    assert len({line.words[0] for line in lines}) >= 8
    for line in lines:
        parse(line)


def test_the_runbook_has_every_alert_and_no_other() -> None:
    """Catches an alert that wakes somebody who then finds nothing about it, and advice for one that is gone."""
    groups = yaml.safe_load((INFRA / "prometheus" / "alerts.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]
    section = RUNBOOK.read_text().split("\n## Alerts\n")[1].split("\n## ")[0]
    assert re.findall(r"^### (\w+)$", section, flags=re.MULTILINE) == alerts


def test_the_verbs_that_matter_are_among_them() -> None:
    """Catches a search for commands that no longer finds those of manifests, jobs, units and container files."""
    found = {(line.place.rpartition(":")[0] or line.place).rpartition("/")[2] for line in infra_commands()}
    assert {"nightly.yaml", "rayjob-backfill.yaml", "bioner-nightly-cnki.service", "Containerfile"} <= found


@pytest.mark.parametrize(
    "words",
    [
        ("nightly", "pubmed"),
        ("nightly", "pubmed", "--store", "s", "--no-such-option"),
        ("annotat", "a.xml", "--store", "s"),
        ("compact", "--store", "s", "--keep", "0"),
        ("status", "--store", "s", "--", "--beam=option"),
    ],
)
def test_wrong_commands_are_refused(words: tuple[str, ...]) -> None:
    """Catches a check that takes anything."""
    with pytest.raises(typer.TyperException):
        parse(CommandLine("here", words))


def test_shell_lines_are_cut_into_commands() -> None:
    """Catches commands that hide behind an assignment, a redirection or another command."""
    line = "A=1 bioner status --store s > out.txt && /opt/bin/bioner compact --store 'a b'; echo bioner | cat"
    inner = "sh -c 'exec bioner verify --store \"$STORE\"'"
    others = "runuser -u bioner -- env HOME=/h /opt/bioner models pull; kubectl exec POD -- bioner status --store s"
    assert [one.words for one in shell_commands(f"{line}; {inner}; {others}", "here")] == [
        ("status", "--store", "s"),
        ("compact", "--store", "a b"),
        ("verify", "--store", "$STORE"),
        ("models", "pull"),
        ("status", "--store", "s"),
    ]


def test_the_lines_for_cron_are_taken_and_name_the_program_by_its_path() -> None:
    """Catches a night that never starts: cron's PATH has no `bioner`, and a folder for logs that nobody made."""
    text = (REPOSITORY / "docs" / "nightly.md").read_text()
    lines = re.findall(r"^    \d+ \d+ \* \* \*  (.+)$", text, flags=re.MULTILINE)
    # shlex would take the 2 of `2>>` for a word of the command.
    commands = [one for line in lines for one in shell_commands(re.sub(r" 2>> \S+", "", line), "nightly.md")]
    assert [one.words[:2] for one in commands] == [("nightly", "pubmed"), ("nightly", "cnki")]
    for one in commands:
        parse(one)
    assert all(line.startswith("/opt/bioner/bin/bioner ") for line in lines)
    for folder in {one for line in lines for one in re.findall(r">> (\S+)/\w", line)}:
        assert re.search(rf"^    sudo install -d .* {folder}$", text, flags=re.MULTILINE)


def test_the_retry_on_kubernetes_fits_the_manifests() -> None:
    """Catches a retry in a pod that has no such program, store, pool or precision."""
    containers = (INFRA / "containers" / "Containerfile").read_text()
    pool = yaml.safe_load((INFRA / "kuberay" / "pool.yaml").read_text())
    cluster = yaml.safe_load((INFRA / "kuberay" / "raycluster.yaml").read_text())
    [head] = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"]
    runbook = RUNBOOK.read_text()
    [line] = [one for one in runbook.splitlines() if "-- bioner retry" in one]
    started = pool["spec"]["template"]["spec"]["containers"][0]["args"]
    for option in ("name", "precision", "ray"):
        [value] = [word.partition("=")[2] for word in started if word.startswith(f"--{option}=")]
        assert f"--{'pool' if option == 'name' else option} {value}" in line
    assert f"-c {head['name']} -- " in line
    assert f"--store {head['volumeMounts'][0]['mountPath']} " in line
    assert "wget" in containers
    assert f"-l ray.io/cluster={cluster['metadata']['name']},ray.io/node-type=head " in runbook
    assert not re.search(r"kubectl .*\bcurl\b", runbook)
