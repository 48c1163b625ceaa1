"""`terrainpaint serve`: the HTTP server, until Ctrl+C."""

from __future__ import annotations

import os
import secrets

from terrainpaint.cli.arguments import ServeArguments
from terrainpaint.cli.terminal import say
from terrainpaint.core.map_files import say_nothing
from terrainpaint.errors import OptionError

TOKEN_VARIABLE = "TERRAINPAINT_TOKEN"
_SHORTEST_TOKEN = 16
_LOCAL = ("127.0.0.1", "::1", "localhost")


def serve(arguments: ServeArguments) -> list[str]:
    """Print the address and the token, and answer requests until Ctrl+C. Raises OptionError."""
    from terrainpaint.serve.http_server import TerrainServer
    from terrainpaint.serve.work import Limits

    limits = Limits(arguments.body_mb << 20, arguments.side_px, arguments.waiting, arguments.work_s)
    token, is_own = _token()
    server = TerrainServer(arguments.host, arguments.port, token, limits, say_nothing if arguments.quiet else say)
    try:
        if arguments.host not in _LOCAL:
            say(f"Anybody who reaches {server.url} and has the token can use it, and nothing is encrypted.")
        print(f"Address: {server.url}", flush=True)
        print(f"Token: {f'that of {TOKEN_VARIABLE}' if is_own else token}", flush=True)
        server.serve_forever(poll_interval=0.2)
    finally:
        server.close()
    return []


def _token() -> tuple[str, bool]:
    """The token, and whether it is that of the environment. Raises OptionError when that is too short."""
    given = os.environ.get(TOKEN_VARIABLE, "")
    if not given:
        return secrets.token_urlsafe(32), False
    if len(given) < _SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise OptionError(
            f"The token in {TOKEN_VARIABLE} cannot be used; give at least {_SHORTEST_TOKEN} letters and digits."
        )
    return given, True
