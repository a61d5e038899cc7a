"""The Beam options that infra/ shows are ones that Beam knows."""

import logging

import pytest
from apache_beam.options import pipeline_options
from command_lines import CommandLine, infra_commands

from jobs.main import split_beam_options

WITH_OPTIONS = [line for line in infra_commands() if "--" in line.words]


def unknown(options: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> list[str]:
    """What Beam would drop of these options; it only warns."""
    with caplog.at_level(logging.WARNING, logger=pipeline_options.__name__):
        pipeline_options.PipelineOptions(list(options)).get_all_options()
    return [record.getMessage() for record in caplog.records if "unparseable" in record.getMessage()]


@pytest.mark.parametrize("line", WITH_OPTIONS, ids=lambda line: line.place)
def test_beam_knows_every_option(line: CommandLine, caplog: pytest.LogCaptureFixture) -> None:
    """Catches an option that Beam does not have (any more), which it would drop with no more than a warning."""
    _, options = split_beam_options(line.words)
    assert options
    assert not unknown(options, caplog)


def test_an_unknown_option_is_found(caplog: pytest.LogCaptureFixture) -> None:
    """Catches a check that sees no warning whatever the options are."""
    assert unknown(("--no_such_option=1",), caplog)


def test_flink_and_dataflow_are_among_them() -> None:
    """Catches a page from which a runner's configuration was lost."""
    runners = {line.words[line.words.index("--runner") + 1] for line in WITH_OPTIONS if "--runner" in line.words}
    assert {"PortableRunner", "FlinkRunner", "DataflowRunner"} <= runners
