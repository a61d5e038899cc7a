"""`bioner serve`: a store's snapshot as pages on this machine."""

import socket
from contextlib import closing, suppress
from typing import Annotated

import typer

from bioner_core.errors import ConfigurationError, StoreError, install_words
from bioner_core.store.snapshot.snapshot_manifest import current_id
from jobs.options.common import StoreOption, bytes_of
from jobs.terminal.console import say
from jobs.terminal.damage import require_store_to_show

HELP = """
Serve a store's snapshot as pages to a browser on this machine: search documents, look at mentions and concepts, ask
questions, see runs and drift. Read-only, on loopback; the address that is printed holds a token. Ctrl-C ends it.

\b
Example:
  bioner serve --store my-store
"""

_LEAST_MEMORY = 256 * 1024**2
_HOST = "127.0.0.1"

Port = Annotated[int, typer.Option(help="Port on loopback. 0 takes a free one.", min=0, max=65535)]
Timeout = Annotated[float, typer.Option(help="Seconds after which one page is given up.", min=1)]
Memory = Annotated[str, typer.Option(help="How much memory all questions together may use; the rest goes to disk.")]


def serve(store: StoreOption, port: Port = 0, timeout: Timeout = 30.0, memory: Memory = "2GB") -> int:
    """Serve until interrupted; returns the exit code."""
    require_store_to_show(store)
    memory_bytes = bytes_of(memory, option="--memory", least=_LEAST_MEMORY)
    if current_id(store) is None:
        raise StoreError(f"{store} has no snapshot to serve; `bioner compact --store {store}` makes one")
    try:
        import uvicorn

        from bioner_core.site.app import make_app
        from bioner_core.site.guard import loopback_access
        from bioner_core.site.pages import SiteSettings
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"`bioner serve` needs {error.name}: {install_words('serve')}") from error
    from pipelines.watch.run_history import run_history

    with closing(_listening(port)) as listening:
        access = loopback_access(listening.getsockname()[1])
        settings = SiteSettings(store, memory_bytes=memory_bytes, seconds=timeout)
        app = make_app(settings, access, history=run_history)
        # Requests are not logged: their addresses hold what was searched for, and the first one the token.
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        say(f"serving {store}; open http://{_HOST}:{access.port}/?token={access.token}")
        # Ctrl-C is how it ends; uvicorn raises it again once all answers are out.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    return 0


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"--port: {port} cannot be had ({error.strerror}); name another, or 0") from error
    listening.listen()
    return listening
