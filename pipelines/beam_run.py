"""Beam pipelines on whatever runner is named: made, run to their end, and stopped when the launcher is interrupted.

Beam warns on import about cloud libraries that are not installed and not wanted. Import it from here, where it is
quiet: `from pipelines.beam_run import beam`.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from bioner_core.errors import BionerError, ConfigurationError
from pipelines.job import FN_API_RUNNER, AnnotationJob


@contextmanager
def _without_warnings() -> Iterator[None]:
    before, placeholder = logging.root.manager.disable, logging.NullHandler()
    logging.root.addHandler(placeholder)  # else the first warning would give the root logger a handler for good
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(placeholder)


with _without_warnings():
    import apache_beam as beam
    from apache_beam.io import filesystems as _filesystems  # noqa: F401  warns too, and would do so later

logging.getLogger("apache_beam").setLevel(logging.ERROR)

__all__ = ["beam"]


_CONNECT_SECONDS = 20.0
"""Until a job service that does not answer is given up."""

_LONGEST_JOB_SECONDS = 365 * 24 * 3600
"""Beam stops watching a job after `--job_server_timeout`, 300 seconds unless it is set, and calls the job failed."""


class RunnerError(BionerError):
    """The Beam runner cannot be reached, or ended the job in another way than by finishing it."""


def new_pipeline(job: AnnotationJob) -> "beam.Pipeline":
    """An empty pipeline on the job's runner, with the job's options.

    Raises:
        ConfigurationError: Beam knows no such runner or option.
        RunnerError: nothing listens at `--job_endpoint`.
    """
    try:
        options = beam_options(job)
        _check_endpoint(options.view_as(_portable_options()).job_endpoint)
        return beam.Pipeline(runner=job.runner, options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"runner: {job.runner!r} is unusable with {list(job.pipeline_options)}: {error}"
        ) from error


def beam_options(job: AnnotationJob) -> Any:
    """The job's options as Beam's, with a watch that lasts as long as a backfill."""
    words = list(job.pipeline_options)
    if not any(word.startswith(("--job_server_timeout", "--job-server-timeout")) for word in words):
        words.append(f"--job_server_timeout={_LONGEST_JOB_SECONDS}")
    return beam.options.pipeline_options.PipelineOptions(words)


def works_in_this_process(job: AnnotationJob) -> bool:
    """Whether the runner's workers are threads of the launcher, so that they share its memory."""
    options = beam_options(job)
    if job.runner == FN_API_RUNNER:
        mode = options.view_as(beam.options.pipeline_options.DirectOptions).direct_running_mode
        return bool(mode != "multi_processing")
    return bool(options.view_as(_portable_options()).environment_type == "LOOPBACK")


def run_to_the_end(pipeline: "beam.Pipeline", *, runner: str) -> None:
    """Run a pipeline and wait for its end; an interrupt asks the runner to cancel the job.

    Raises:
        RunnerError: the runner was lost, says that the job failed, or ends with a `RuntimeError`: Beam's in-process one
            makes that of whatever stops it from outside, of a KeyboardInterrupt too. What a step raises in that one is
            passed on.
    """
    try:
        result = pipeline.run()
        try:
            result.wait_until_finish()
        except BaseException:
            _cancel(result)
            raise
    except (RuntimeError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        again = "run the same command again; if it ends so again, report the lines above as a defect of bioner"
        if runner != FN_API_RUNNER:
            again = "once the runner is well, run the same command again"
        raise RunnerError(
            f"runner: {runner} did not finish the job: {_first_words(error)}. What is committed stays; {again}"
        ) from error


def _cancel(result: Any) -> None:
    try:
        result.cancel()
    except (RuntimeError, NotImplementedError, grpc.RpcError):  # it is gone, ended before, or cannot
        return


def _check_endpoint(endpoint: str | None) -> None:
    if not endpoint or endpoint == "embed":
        return
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise RunnerError(
            f"--job_endpoint: nothing answers at {endpoint} ({error}); start the runner's job service, or correct the "
            "address"
        ) from error


def _portable_options() -> Any:
    return beam.options.pipeline_options.PortableOptions


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if line.startswith(("details", "status"))), lines[-1])
