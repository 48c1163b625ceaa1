"""The HTTP server: addresses, the token, limits of what comes in, and answers."""

from __future__ import annotations

import errno
import hmac
import json
import mimetypes
import select
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from terrainpaint import __version__
from terrainpaint.api.terrains import looks, styles
from terrainpaint.core.quoting import shown
from terrainpaint.errors import Cancelled, DeviceError, InputFileError, OptionError, TerrainPaintError
from terrainpaint.export import FORMATS as FORMAT_TABLE
from terrainpaint.export.presets import read_preset, shipped_presets
from terrainpaint.serve.openapi import DOCUMENT, DREAM, FORMATS, PRESETS, STYLES, TERRAIN, openapi_document
from terrainpaint.serve.parameters import dream_options, served_request
from terrainpaint.serve.work import BusyError, Limits, TooLargeError, Work

_READ_S = 30.0
"""How long a client may be silent while it sends."""
_BODY_S = 300.0
_MOST_CONNECTIONS = 32
_MOST_PARAMETERS = 100
_MOST_NOTES = 4000
_STOP_S = 15.0
_DRAINED_S = 1.0
_STATUS: Mapping[type[TerrainPaintError], HTTPStatus] = {
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    DeviceError: HTTPStatus.SERVICE_UNAVAILABLE,
    OptionError: HTTPStatus.BAD_REQUEST,
    InputFileError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

Log = Callable[[str], None]


class _RefusedError(Exception):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, dict(headers or {})


class TerrainServer(ThreadingHTTPServer):
    """A server that is bound to `host` and `port`, 0 for a free one. `serve_forever` runs it, `close` ends it.

    Raises OptionError when it cannot be bound.
    """

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # there, it would let two servers share a port
    request_queue_size = 64

    def __init__(self, host: str, port: int, token: str, limits: Limits, log: Log) -> None:
        self.token, self.work, self.log = token, Work(limits), log
        self._connections = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise OptionError(_why_not_bound(host, port, error)) from error

    @property
    def url(self) -> str:
        """The address, with the port that was bound."""
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if self.address_family is socket.AF_INET6 else str(host)
        return f"http://{shown}:{port}"

    def close(self) -> None:
        """Cancel the work and close all. `serve_forever` must have returned."""
        self.work.stop(_STOP_S)
        self.server_close()

    def server_bind(self) -> None:
        """Bind without looking up the name of the host, which can take long."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; more connections than allowed are closed."""
        if not self._connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The thread of a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no error; all else is a fault of the program."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: TerrainServer
    server_version = f"TerrainPaint/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _READ_S

    def do_GET(self) -> None:
        """Dreamed maps, listings and the document."""
        self._answer("GET")

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self._answer("GET")

    def do_POST(self) -> None:
        """A map → files."""
        self._answer("POST")

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are logged by `_answer`."""

    def _answer(self, method: str) -> None:
        began = time.monotonic()
        self.close_connection = True  # the rest of a refused body would be taken for the next request
        path = urlsplit(self.path).path
        try:
            status = self._run(method, path)
        except _RefusedError as refused:
            status = refused.status
            self._send_json(status, {"error": str(refused)}, refused.headers)
            self._drain()
        except Cancelled:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            self._send_json(status, {"error": "The server is stopping."})
        except TimeoutError:
            status = HTTPStatus.REQUEST_TIMEOUT
            self._send_json(status, {"error": "The body did not arrive in time; send it again."})
        except OSError:
            raise
        except Exception:
            traceback.print_exc()
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self._send_json(status, {"error": "This is a fault of TerrainPaint; the server shows more."})
        finally:
            if "status" in locals():
                self.server.log(f"{method} {shown(path, 200)} {int(status)} {time.monotonic() - began:.1f} s")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that is no HTTP or has an unknown method."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send_json(status, {"error": f"{shown(message or status.phrase, 120)}; {DOCUMENT} says what is possible."})
        self.server.log(f"{shown(getattr(self, 'command', None) or '?')} {code}")

    def _drain(self) -> None:
        """Read what the client still sends for a moment, or it could lose the answer."""
        deadline = time.monotonic() + _DRAINED_S
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAINED_S)
            while time.monotonic() < deadline and self.connection.recv(1 << 16):
                pass

    def _run(self, method: str, path: str) -> HTTPStatus:
        allowed = {TERRAIN: "POST", **dict.fromkeys((DREAM, *_LISTINGS, DOCUMENT), "GET")}.get(path)
        if path != DOCUMENT:
            self._check_token()
        if allowed is None:
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"There is no {shown(path, 80)}; {DOCUMENT} has the addresses.")
        if allowed != method:
            raise _RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {allowed} for {path}.", {"Allow": allowed})
        if path == TERRAIN:
            return self._terrain()
        if path == DREAM:
            return self._dream()
        self._send_json(HTTPStatus.OK, openapi_document() if path == DOCUMENT else _LISTINGS[path]())
        return HTTPStatus.OK

    def _check_token(self) -> None:
        """Compares in constant time, so that the time tells nothing about the token."""
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        token = given.strip().encode("utf-8", "replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(token, self.server.token.encode()):
            raise _RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "The token is missing or wrong; send the header Authorization: Bearer TOKEN with the one that the "
                "server printed.",
                {"WWW-Authenticate": "Bearer"},
            )

    def _terrain(self) -> HTTPStatus:
        length = self._body_length()
        with tempfile.TemporaryDirectory(prefix="terrainpaint-") as folder:
            notes: list[str] = []
            with _refusals(folder):
                request = served_request(self._query())
                body = Path(folder) / "map"
                self._receive(body, length)
                work, out = self.server.work, Path(folder) / "out"
                answer = work.estimate if request.is_dry_run else work.run
                found = answer(body, request, out, self._is_gone, notes.append)
            if not isinstance(found, Path):
                self._send_json(HTTPStatus.OK, found)
                return HTTPStatus.OK
            self._send_file(found, [_without(folder, note) for note in notes])
        return HTTPStatus.OK

    def _dream(self) -> HTTPStatus:
        with _refusals():
            data = self.server.work.dream(dream_options(self._query()), self._is_gone)
        self._send(HTTPStatus.OK, "image/png", data)
        return HTTPStatus.OK

    def _query(self) -> list[tuple[str, str]]:
        try:
            return parse_qsl(urlsplit(self.path).query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        except ValueError as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "There are too many parameters.") from error

    def _body_length(self) -> int:
        text = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (text.isascii() and text.isdigit()):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "Send the length of the map in the header Content-Length.")
        most = self.server.work.limits.body_bytes
        if len(text) > 15 or int(text) > most:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is too large; at most {most / 2**20:.0f} MB."
            )
        if not int(text):
            raise _RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is empty; send the map in it.")
        return int(text)

    def _receive(self, path: Path, length: int) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
        deadline = time.monotonic() + _BODY_S
        with path.open("wb") as file:
            while length:
                part = self.rfile.read1(min(length, 1 << 16))
                if not part or time.monotonic() > deadline:
                    raise TimeoutError
                file.write(part)
                length -= len(part)

    def handle_expect_100(self) -> bool:
        """The body is asked for when the request is known to be good."""
        return True

    def _is_gone(self) -> bool:
        """Whether the client has closed the connection: nothing else can be read while it waits."""
        try:
            ready, _, _ = select.select([self.connection], [], [], 0)
            return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def _send_file(self, path: Path, notes: list[str]) -> None:
        kind = "application/zip" if path.suffix == ".zip" else mimetypes.guess_type(path.name)[0]
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(path.stat().st_size))
        self.send_header("Content-Disposition", f'attachment; filename="{path.name}"')
        if notes:
            self.send_header("TerrainPaint-Notes", json.dumps(notes)[:_MOST_NOTES])
        self._end_headers()
        with path.open("rb") as file:
            while block := file.read(1 << 18):
                self.wfile.write(block)

    def _send_json(self, status: HTTPStatus, value: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value, indent=1).encode(), headers)

    def _send(self, status: HTTPStatus, kind: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self._end_headers()
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(data)

    def _end_headers(self) -> None:
        self.send_header("Connection", "close")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()


@contextmanager
def _refusals(folder: str = "") -> Iterator[None]:
    """Answer the errors of the block; `folder` is that of temporary files, which sentences leave out."""
    try:
        yield
    except TerrainPaintError as error:
        status = next(
            (status for kind, status in _STATUS.items() if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
        )
        retry = {"Retry-After": "10"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        raise _RefusedError(status, _without(folder, str(error)) if folder else str(error), retry) from error


def _formats() -> list[dict[str, str]]:
    return [
        {"name": form.name, "group": form.group, "description": form.description, "suffix": form.suffix}
        for form in FORMAT_TABLE.values()
    ]


def _presets() -> list[dict[str, object]]:
    found = {name: read_preset(path) for name, path in shipped_presets().items()}
    return [{"name": name, "title": preset.title, "formats": list(preset.formats)} for name, preset in found.items()]


def _styles() -> list[dict[str, str]]:
    return [
        *({"name": name, "kind": "style"} for name in styles()),
        *({"name": name, "kind": "look"} for name in looks()),
    ]


_LISTINGS: Mapping[str, Callable[[], object]] = {FORMATS: _formats, PRESETS: _presets, STYLES: _styles}


def _without(folder: str, sentence: str) -> str:
    """A sentence without the place of the temporary files, which is of no use to the client."""
    return sentence.replace(f"{folder}/map", "The body").replace(f"{folder}/", "").replace(folder, "")


def _why_not_bound(host: str, port: int, error: OSError | OverflowError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken; choose another with --port, or 0 for a free one."
    if number in (errno.EACCES, errno.EPERM):
        return f"Port {port} of {host} needs rights that you do not have; choose one from 1024 on."
    return (
        f"{host} port {port} cannot be used: {error.strerror if isinstance(error, OSError) else error}; choose another."
    )
