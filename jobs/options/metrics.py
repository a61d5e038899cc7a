"""Where a job's metrics can be read: a page for Prometheus while it runs, and a file for node_exporter when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.store.atomic import write_text
from jobs.terminal.console import EXIT_FAILED, EXIT_INTERRUPTED, say

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
            raise ConfigurationError(f"metrics_port: is {self.metrics_port}; use 0 to 65535")


@contextmanager
def metrics_shown(outlet: MetricsOutlet, page: "JobPage", *, job: str) -> Iterator[None]:
    """Show the page for the block, and write the file when it is left, by whatever way.

    The block says `page.end(exit_code)`; a block that raises has failed.

    Raises:
        ConfigurationError: the port cannot be had.
        StoreError: the file cannot be written.
    """
    page.begin(job)
    try:
        with _served(outlet, page):
            yield
    except KeyboardInterrupt:
        page.end(EXIT_INTERRUPTED)
        raise
    finally:
        page.end(EXIT_FAILED)
        if outlet.metrics_file is not None:
            write_text(outlet.metrics_file, page.text())


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
            f"metrics_port: {outlet.metrics_host}:{outlet.metrics_port} cannot be had ({error}); name another one"
        ) from error
    say(f"metrics: http://{outlet.metrics_host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
