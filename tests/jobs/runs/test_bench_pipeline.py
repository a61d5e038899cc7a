"""`bioner bench pipeline`: its documents, what is refused before anything starts, and a run with simulated actors."""

import json
import time
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.documents import Document
from bioner_core.errors import InputError
from bioner_core.formats.reader import read_records
from bioner_core.labels.label_set import default_label_sets
from bioner_core.text.sentences import split_passage
from jobs.runs.bench_pipeline import PipelineBenchSettings, Point, write_bench_documents
from pipelines.pool.load import process_started


def lengths(path: Path) -> list[int]:
    """Sentences of each document of a file."""
    records = [one for one in read_records(str(path)) if isinstance(one, Document)]
    return [len(split_passage(one.passages[0], 0)) for one in records]


def test_documents_are_as_many_and_as_long_as_wanted(tmp_path: Path, samples: list[Path]) -> None:
    """Catches a bench of document lengths whose documents are all alike, or Chinese text that becomes one sentence."""
    made = tmp_path / "made.jsonl"
    write_bench_documents(list(map(str, samples)), made, documents=40, document_sentences=6)
    found = [one for one in read_records(str(made)) if isinstance(one, Document)]
    assert len({one.doc_id for one in found}) == 40
    assert {one.passages[0].lang for one in found} == {"en", "zh"}
    assert sorted(lengths(made))[20] == 6


def test_documents_are_the_inputs_own_when_no_length_is_given(tmp_path: Path) -> None:
    """Catches documents cut or joined though nobody asked for it."""
    source, made = tmp_path / "in.jsonl", tmp_path / "made.jsonl"
    source.write_text('{"id": "1", "text": "One is here. Two is not."}\n{"id": "2", "text": "Three."}\n')
    write_bench_documents([str(source)], made, documents=5)
    assert [json.loads(line)["text"] for line in made.read_text().splitlines()] == [
        "One is here. Two is not.",
        "Three.",
    ] * 2 + ["One is here. Two is not."]


def test_inputs_without_a_document_are_named(tmp_path: Path) -> None:
    """Catches a bench that turns in circles over nothing."""
    empty = tmp_path / "in.jsonl"
    empty.write_text('{"id": "1"}\n')
    with pytest.raises(InputError, match=r"in\.jsonl"):
        write_bench_documents([str(empty)], tmp_path / "made.jsonl", documents=5)


def test_each_annotator_runs_with_each_number_of_actors() -> None:
    """Catches an option that is given often and counts once."""
    settings = PipelineBenchSettings(
        inputs=("in",),
        label_sets=default_label_sets(),
        annotators=("null", "simulated"),
        actors=(4, 1, 4),
        documents=10,
        document_sentences=(5, 50),
    )
    found = list(settings.points())
    assert len(found) == 8
    assert found[:3] == [Point("null", 1, 5), Point("null", 4, 5), Point("null", 1, 50)]


def test_each_feeder_has_the_actors_to_itself() -> None:
    """Catches a bench of feeders that share the same few actors, and so grow no faster than these."""
    settings = PipelineBenchSettings(
        inputs=("in",), label_sets=default_label_sets(), actors=(2,), feeders=(4, 1), documents=10
    )
    assert list(settings.points()) == [Point("null", 2, None, 1), Point("null", 8, None, 4)]


@pytest.mark.parametrize(
    "options",
    [
        ("--annotator", "gpt"),
        ("--actors", "0"),
        ("--feeders", "0"),
        ("--files", "5"),
        ("--documents", "0"),
        ("--document-sentences", "5"),
        ("--seconds-per-batch", "-1"),
        ("--chart", "bench.png"),
        ("--label-set", "nil"),
    ],
)
def test_mistakes_are_found_before_anything_starts(
    bioner: Command, samples: list[Path], options: tuple[str, str]
) -> None:
    """Catches a minute of benching that ends with a usage error."""
    done = bioner("bench", "pipeline", *samples, *options)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("option", ["--actors", "--feeders", "--documents", "--files", "--document-sentences"])
def test_a_number_below_1_is_told_by_its_option(bioner: Command, samples: list[Path], option: str) -> None:
    """Catches a message that names five options and leaves it to the reader which one is meant."""
    done = bioner("bench", "pipeline", *samples, "--documents", 5, option, 0)
    assert (done.code, done.err.splitlines()[-1]) == (2, f"error: {option}: 0; give 1 or more")


def test_a_simulated_annotator_is_for_benches_only(bioner: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches invented mentions in somebody's store."""
    done = bioner("annotate", samples[0], "--store", tmp_path / "store", "--annotator", "simulated")
    assert done.code == 2
    assert "choose model or null" in done.err


def test_the_start_of_this_process_lies_in_the_past() -> None:
    """Catches a time to the first document that forgets the imports, or counts from the machine's start."""
    assert 0 < time.monotonic() - process_started() < 24 * 3600


@pytest.mark.slow
def test_four_simulated_actors_share_the_work(bioner_process: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches figures that are missing, actors that get nothing, and a chart that is not drawn."""
    chart = tmp_path / "bench.svg"
    words = ("--annotator", "simulated", "--actors", 1, "--actors", 4, "--documents", 40, "--seconds-per-batch", 0.5)
    done = bioner_process("bench", "pipeline", *samples, *words, "--chart", chart, "--json")
    assert done.code == 0, done.err
    one, four = json.loads(done.out)["points"]
    assert (one["annotated"], four["annotated"]) == (40, 160)
    assert four["linear_share"] > 0.25, "four actors are no faster than one"
    assert one["linear_share"] is None
    for found in (one, four):
        assert 0 < found["actor_busy_share"] <= 1
        assert 0 < found["first_document_seconds"] < found["first_shard_seconds"]
        assert min(found["feeder_cpu_seconds"], found["feeder_peak_memory"], found["actor_peak_memory"]) > 0
        assert found["mentions"] > 0
    assert chart.read_text().startswith("<svg")


@pytest.mark.slow
def test_two_feeders_do_the_files_of_a_backfill(bioner_process: Command, samples: list[Path]) -> None:
    """Catches files that are left out or done twice by several feeders, and figures that are missing."""
    words = ("--annotator", "simulated", "--feeders", 1, "--feeders", 2, "--documents", 30, "--files", 4)
    done = bioner_process("bench", "pipeline", *samples, *words, "--seconds-per-batch", 0.5, "--json")
    assert done.code == 0, done.err
    one, two = json.loads(done.out)["points"]
    assert [(found["feeders"], found["actors"]) for found in (one, two)] == [(1, 1), (2, 2)]
    assert [(found["annotated"], found["files_applied"]) for found in (one, two)] == [(30, 4), (60, 4)]
    for found in (one, two):
        assert found["failures"] == []
        assert 0 < found["actor_busy_share"] <= 1
        assert min(found["seconds"], found["feeder_cpu_seconds"], found["feeder_peak_memory"]) > 0
        assert abs(sum(file["seconds"] for file in found["applied"]) - found["seconds"]) < 0.1
