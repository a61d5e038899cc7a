"""Where a job's metrics can be read: a page for Prometheus while it runs, and a file for node_exporter when it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, ConfigurationError, StoreError
from bioner_core.store.atomic import write_text
from jobs.terminal.console import require_folder_of, say, say_error
from jobs.terminal.process import interrupted_exit_code

if TYPE_CHECKING:
    from pipelines.watch.metrics_page import JobPage

_Port = Annotated[
    int | None, typer.Option(help="Port of a page of metrics for Prometheus while the job runs; 0 takes a free one.")
]
_Host = Annotated[
    str, typer.Option(help="Address that the page of metrics is on. Default: only this machine can reach it.")
]
_File = Annotated[
    Path | None,
    typer.Option(help="File (*.prom) to write the metrics to at the end, for node_exporter's textfile collector."),
]

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsOutlet:
    """The options that say where: no page without a port, no file without its name.

    Raises:
        ConfigurationError: the port is none.
    """

    metrics_port: _Port = None
    metrics_host: _Host = LOOPBACK
    metrics_file: _File = None

    def __post_init__(self) -> None:
        if self.metrics_port is not None and not 0 <= self.metrics_port <= 65_535:
            raise ConfigurationError(f"--metrics-port: is {self.metrics_port}; use 0 to 65535")


@contextmanager
def metrics_shown(outlet: MetricsOutlet, page: "JobPage", *, job: str) -> Iterator[None]:
    """Show the page for the block, and write the file when it is left, by whatever way.

    The block says `page.end(exit_code)`; a block that raises has ended with what the process will end with. Where it
    raises, its own error counts: a file that cannot be written then is only told.

    Raises:
        ConfigurationError: the port cannot be had, or the folder of the file is not there or cannot be written.
        StoreError: the file cannot be written.
    """
    _check_file(outlet.metrics_file)
    page.begin(job)
    try:
        with _served(outlet, page):
            yield
    except BaseException as error:
        page.end(_exit_code(error))
        try:
            _write(outlet, page)
        except StoreError as unwritten:
            say_error(f"--metrics-file: {unwritten}")
        raise
    page.end(EXIT_FAILED)
    _write(outlet, page)


def _check_file(file: Path | None) -> None:
    """A night's work must not end with a file that could never have been written."""
    if file is None:
        return
    require_folder_of(file, option="--metrics-file")
    if not os.access(file.absolute().parent, os.W_OK):
        raise ConfigurationError(
            f"--metrics-file: {str(file.parent)!r} cannot be written; change its permissions, or name another folder"
        )


def _exit_code(error: BaseException) -> int:
    """What the process will end with."""
    stopped = interrupted_exit_code()
    if stopped is not None or isinstance(error, KeyboardInterrupt):
        return stopped or EXIT_INTERRUPTED
    return EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILED


def _write(outlet: MetricsOutlet, page: "JobPage") -> None:
    if outlet.metrics_file is not None:
        write_text(outlet.metrics_file, page.prometheus_text())


@contextmanager
def _served(outlet: MetricsOutlet, page: "JobPage") -> Iterator[None]:
    if outlet.metrics_port is None:
        yield
        return
    import prometheus_client

    try:
        server, thread = prometheus_client.start_http_server(
            outlet.metrics_port, addr=outlet.metrics_host, registry=page.registry
        )
    except OSError as error:
        raise ConfigurationError(
            f"--metrics-port: {outlet.metrics_host}:{outlet.metrics_port} cannot be had ({error}); name another one"
        ) from error
    say(f"metrics: http://{outlet.metrics_host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
