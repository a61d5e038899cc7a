"""The figures of a bench of the pipeline, their chart, and the simulated annotator."""

import time
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest

from bioner_core.benchmark.charts import pipeline_chart
from bioner_core.benchmark.pipeline_report import PipelineBench, PipelineFigures
from bioner_core.benchmark.simulated_annotator import SimulatedAnnotator
from bioner_core.errors import ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest


def point(**values: Any) -> PipelineFigures:
    """A run, with ordinary values where none are given."""
    ordinary = {
        "annotator": "simulated",
        "actors": 1,
        "document_sentences": None,
        "documents": 100,
        "sentences": 1000,
        "seconds": 50.0,
        "actor_busy_share": 0.98,
        "first_document_seconds": 12.0,
        "first_shard_seconds": 60.0,
        "feeder_cpu_seconds": 5.0,
        "feeder_peak_memory": 200_000_000,
        "actor_peak_memory": 90_000_000,
        "summary": {"annotated": 100, "padding": 0.1},
    }
    return PipelineFigures(**(ordinary | values))


def bench(*points: PipelineFigures) -> PipelineBench:
    """A bench of these runs."""
    return PipelineBench(points, 2.0, {"processors": 2})


def test_growth_is_told_against_the_fewest_actors_of_the_same_kind() -> None:
    """Catches a share of linear growth against another annotator, other documents, or the run before."""
    one, four = point(), point(actors=4, documents=380)
    longer, null = point(actors=4, document_sentences=9, documents=1), point(annotator="null", documents=9000)
    found = bench(four, one, longer, null)
    assert found.linear_share(four) == pytest.approx(0.95)
    assert [found.linear_share(other) for other in (one, longer, null)] == [None, None, None]


def test_the_last_run_stands_at_the_top_level() -> None:
    """Catches a script that reads the first run for the last, or loses what the summary tells."""
    found = bench(point(), point(actors=4, documents=380)).to_json()
    assert (found["actors"], found["documents_per_second"], found["linear_share"]) == (4, 7.6, 0.95)
    assert (found["feeder_cpu_share"], found["padding"], found["seconds_per_batch"]) == (0.1, 0.1, 2.0)
    assert [one["actors"] for one in found["points"]] == [1, 4]
    assert "summary" not in found


def test_the_chart_is_one_image_with_every_run() -> None:
    """Catches an image that no viewer opens, or charts drawn over each other."""
    missing = point(actor_busy_share=None, actor_peak_memory=None, annotator="<null>", document_sentences=5)
    root = ET.fromstring(pipeline_chart(bench(point(), missing)))  # noqa: S314  made here
    charts = [one for one in root if one.tag.endswith("svg")]
    edges = [(int(one.attrib["y"]), int(one.attrib["y"]) + int(one.attrib["height"])) for one in charts]
    assert len(edges) == 3
    assert all(first_end < second_start for (_, first_end), (second_start, _) in pairwise(edges))
    assert edges[-1][1] <= int(root.attrib["viewBox"].split()[3])
    words = "".join(root.itertext())
    assert words.count("<null> x 1, 5 sent.") >= 3


def test_a_simulated_batch_takes_its_time_and_names_words() -> None:
    """Catches a service time that is not kept, and answers that give the feeder nothing to store."""
    text = "one two three four five six seven"
    started = time.monotonic()
    found = SimulatedAnnotator(0.05, 0.001).annotate([AnnotationRequest(text, "x")] * 2)
    assert time.monotonic() - started >= 0.05
    assert len(found) == 2
    assert isinstance(found[0], tuple)
    assert [text[one.start : one.end] for one in found[0]] == ["one", "six"]


def test_a_negative_service_time_is_refused() -> None:
    """Catches a bench that would run for nothing."""
    with pytest.raises(ConfigurationError, match="0 or more"):
        SimulatedAnnotator(-1.0)
