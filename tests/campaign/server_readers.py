"""The server as a reader: bodies of good requests, and whole requests as bytes."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from terrainpaint.core.files import input_error, read_regular
from terrainpaint.errors import OptionError
from tests.campaign.program_readers import map_files
from tests.campaign.reader import Reader
from tests.core.projects import VIEW, plain_project

_TOKEN = "a-token-of-the-campaign"
_SILENT_S = 100.0
_MOST_BYTES = 1 << 22


@cache
def _place() -> tuple[str, int]:
    """The address of a server that runs until the process ends."""
    from terrainpaint.serve.http_server import TerrainServer
    from terrainpaint.serve.work import Limits

    server = TerrainServer("127.0.0.1", 0, _TOKEN, Limits(body_bytes=1 << 20, side_px=128), lambda line: None)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return "127.0.0.1", server.server_port


def _read_request(path: Path) -> object:
    return _answered(_content(path))


def _read_body(path: Path) -> object:
    body = _content(path)
    return _answered(_request("POST", "/v1/terrain?formats=height16&nearest_colour=true", len(body)) + body)


def _content(path: Path) -> bytes:
    """What a client sends. Raises InputFileError for what is no file, which never gets to the server."""
    try:
        return read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise input_error(path, error) from error


def _request(method: str, address: str, length: int | None = None) -> bytes:
    lines = [f"{method} {address} HTTP/1.1", "Host: here", f"Authorization: Bearer {_TOKEN}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def _answered(data: bytes) -> bytes:
    """Send a request and read the answer. Raises OptionError for what the server refuses in a sentence."""
    with socket.create_connection(_place(), timeout=_SILENT_S) as connection:
        with suppress(OSError):  # it answers a wrong head before it has read the rest
            connection.sendall(data)
            if _lacks_something(data):
                connection.shutdown(socket.SHUT_WR)
        answer = _received(connection)
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = head[9:12] if head.startswith(b"HTTP/1.1 ") else b""
    if status == b"500":
        raise AssertionError(f"a fault of the server: {answer[:500]!r}")
    if status.startswith(b"2") or not status:
        return rest
    raise OptionError(json.loads(rest)["error"] if rest else "no sentence, as after HEAD")


def _lacks_something(data: bytes) -> bool:
    """Whether the server would wait for the rest of a request."""
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?i)content-length: *(\d{1,15})", head)
    return not end or any(int(length) > len(body) for length in lengths)


def _received(connection: socket.socket) -> bytes:
    parts = []
    with suppress(ConnectionResetError):  # it closed the connection while there was more to read
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def _body_files(folder: Path) -> list[Path]:
    from terrainpaint.core.project_file import save_project

    save_project(folder / "a.terrainpaint", plain_project(), VIEW, None)
    return [*map_files(folder), folder / "a.terrainpaint"]


def _request_files(folder: Path) -> list[Path]:
    body = map_files(folder)[0].read_bytes()
    every = (
        "formats=obj,r16&seed=3&size=32x32&pixel_size_m=900.5&relief=2&mesh_size=9&crop=0,0,8,8&name=a"
        "&level_water=true&nearest_colour=false&under=water&exaggeration=1.5&max_error_m=5&crs=EPSG:32632&origin=500000,5000000"
    )
    requests = {
        "terrain": _request("POST", f"/v1/terrain?{every}", len(body)) + body,
        "tiles": _request("POST", "/v1/terrain?preset=godot-hterrain&tiles=2x1&lods=2&flip_y=true", len(body)) + body,
        "dream": _request("GET", "/v1/dream?seed=7&size=64x96&sea=0.6&mountains=0.4&dryness=0.2"),
        "formats": _request("GET", "/v1/formats"),
        "document": _request("HEAD", "/openapi.json"),
    }
    for name, request in requests.items():
        (folder / name).write_bytes(request)
    return [folder / name for name in requests]


SERVER_READERS: Mapping[str, Reader] = {
    "body": Reader(_read_body, _body_files),
    "request": Reader(_read_request, _request_files),
}
