"""The HTTP server, with real sockets."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

import terrainpaint as tp
from terrainpaint.api.dreamed_maps import DreamOptions
from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest
from terrainpaint.cli import main
from terrainpaint.core.map_files import map_png, write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OptionError
from terrainpaint.export import FORMATS
from terrainpaint.export.presets import shipped_presets
from terrainpaint.serve.http_server import TerrainServer
from terrainpaint.serve.openapi import openapi_document
from terrainpaint.serve.parameters import dream_parameters, parameters, served_request
from terrainpaint.serve.work import Limits

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


@pytest.fixture(scope="module")
def server() -> Iterator[TerrainServer]:
    with running(Limits(body_bytes=1 << 20, side_px=256, waiting=1)) as served:
        yield served


class running:
    """A server in a thread of its own."""

    def __init__(self, limits: Limits) -> None:
        self._server = TerrainServer("127.0.0.1", 0, TOKEN, limits, lambda line: None)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> TerrainServer:
        self._thread.start()
        return self._server

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close()


def ask(server: TerrainServer, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=600)
    try:
        given = {"Authorization": f"Bearer {TOKEN}", **headers}
        connection.request(method, path, body, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
    finally:
        connection.close()


def raw(place: tuple[str, int], data: bytes) -> bytes:
    """What the server at an address answers to bytes, until it closes the connection."""
    with socket.create_connection(place, timeout=600) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
        return answer


def classes() -> np.ndarray:
    rows, cols = np.mgrid[0:40, 0:56]
    return ((rows // 9 + cols // 7) % 7).astype(np.uint8)


MAP = map_png(SegmentationMap(classes()))


def test_a_map_becomes_a_file_with_the_same_bytes_as_in_python(server: TerrainServer, tmp_path: Path) -> None:
    answer = ask(server, "POST", "/v1/terrain?seed=7&formats=glb&mesh_size=32&exaggeration=2", MAP)
    assert answer.status == 200 and answer.headers["content-type"] == "model/gltf-binary"
    assert answer.headers["content-disposition"] == 'attachment; filename="map.glb"'
    terrain = tp.generate(tp.from_classes(classes()), seed=7)
    (path,) = terrain.save(tmp_path / "map.glb", mesh_size=32, exaggeration=2)
    assert answer.body == path.read_bytes()
    assert isinstance(trimesh.load(io.BytesIO(answer.body), file_type="glb"), trimesh.Scene)


def test_several_files_come_as_a_zip(server: TerrainServer) -> None:
    answer = ask(server, "POST", "/v1/terrain?preset=unity&name=My+land&style=satellite", MAP)
    assert answer.status == 200 and answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert {"My land_README.txt", "My land_height.r16", "My land_splat0.png"} <= set(archive.namelist())
        facts = json.loads(archive.read("My land_height.r16.json"))
        assert facts["style"] == "satellite" and facts["width_px"] == 65


def test_a_part_of_the_map_in_tiles(server: TerrainServer) -> None:
    answer = ask(server, "POST", "/v1/terrain?formats=albedo&crop=8,4,40,32&tiles=2x1", MAP)
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        pictures = [Image.open(archive.open(name)) for name in sorted(archive.namelist()) if name.endswith(".png")]
        assert [picture.size for picture in pictures] == [(21, 32)] * 2  # equal, with a column that both have


def test_a_project_brings_its_settings(server: TerrainServer, tmp_path: Path) -> None:
    path = tmp_path / "isle.terrainpaint"
    project = Project.painted(classes(), Settings(500.0, "satellite", recipe=Recipe(11)))
    save_project(path, project, ViewSettings(), None)
    answer = ask(server, "POST", "/v1/terrain?formats=r32", path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        facts = json.loads(archive.read("map_height.r32.json"))
    assert (facts["seed"], facts["style"], facts["pixel_size_m"]) == (11, "satellite", 500)


def test_notes_are_in_a_header(server: TerrainServer) -> None:
    rgba = np.full((40, 40, 4), (127, 173, 123, 255), np.uint8)
    rgba[:10, :, 3] = 0
    data = io.BytesIO()
    Image.fromarray(rgba).save(data, "PNG")
    answer = ask(server, "POST", "/v1/terrain?formats=albedo", data.getvalue())
    assert answer.status == 200 and "see-through" in json.loads(answer.headers["terrainpaint-notes"])[0]
    assert "/tmp" not in answer.headers["terrainpaint-notes"]


def test_listings(server: TerrainServer) -> None:
    assert [entry["name"] for entry in ask(server, "GET", "/v1/formats").json] == list(FORMATS)
    assert [entry["name"] for entry in ask(server, "GET", "/v1/presets").json] == list(shipped_presets())
    assert {"name": "atlas", "kind": "style"} in ask(server, "GET", "/v1/styles").json
    head = ask(server, "HEAD", "/v1/styles")
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 0


def test_a_dreamed_map_is_that_of_python(server: TerrainServer, tmp_path: Path) -> None:
    query = "/v1/dream?seed=7&size=96x128&sea=0.6&mountains=0.4&dryness=0.2"
    answer = ask(server, "GET", query)
    assert answer.status == 200 and answer.headers["content-type"] == "image/png"
    (tmp_path / "map.png").write_bytes(answer.body)
    dreamed = tp.dream(seed=7, size=(96, 128), sea=0.6, mountains=0.4, dryness=0.2)
    np.testing.assert_array_equal(tp.read_map(tmp_path / "map.png").classes, dreamed.classes)
    assert ask(server, "POST", "/v1/terrain?formats=albedo", answer.body).status == 200
    head = ask(server, "HEAD", query)
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize(
    ("method", "query", "status", "said"),
    [
        ("GET", "seed=-1", 400, "seed"),
        ("GET", "seed=2147483648", 400, "2147483647"),
        ("GET", "sea=1.5", 400, "from 0 to 1"),
        ("GET", "size=8x8", 400, "8x8"),
        ("GET", "size=64x512", 413, "at most 256"),
        ("GET", "weights=/etc/passwd", 400, '"weights"'),
        ("GET", "&".join(f"a{number}=1" for number in range(200)), 400, "too many"),
        ("POST", "seed=1", 405, "Use GET"),
    ],
)
def test_a_dream_that_is_refused(server: TerrainServer, method: str, query: str, status: int, said: str) -> None:
    answer = ask(server, method, f"/v1/dream?{query}", MAP if method == "POST" else None)
    assert answer.status == status and said in answer.error


def test_a_dream_that_takes_too_long() -> None:
    with running(Limits(work_s=0.0)) as served:
        answer = ask(served, "GET", "/v1/dream?size=64x64")
        assert answer.status == 503 and "smaller one" in answer.error


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/formats"), ("POST", "/v1/terrain"), ("GET", "/nothing")])
def test_without_the_token_nothing_is_answered(server: TerrainServer, given: str, method: str, path: str) -> None:
    answer = ask(server, method, path, MAP if method == "POST" else None, Authorization=given)
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer" and "token" in answer.error


def test_the_document_is_open_and_valid_openapi(server: TerrainServer) -> None:
    answer = ask(server, "GET", "/openapi.json", Authorization="")
    assert answer.status == 200 and answer.json == json.loads(json.dumps(openapi_document()))
    validator = pytest.importorskip("openapi_spec_validator", reason="the package openapi-spec-validator is missing")
    validator.validate(answer.json)
    for path, table in (("/v1/terrain", parameters()), ("/v1/dream", dream_parameters())):
        (operation,) = answer.json["paths"][path].values()
        assert [parameter["name"] for parameter in operation["parameters"]] == list(table)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("seed=-1", "seed"),
        ("seed=1.5", "seed"),
        ("seed=99999999999999999999", "seed"),
        ("seed=1&seed=2", "twice"),
        ("colour=red", '"colour"'),
        ("style=/etc/passwd", "style"),
        ("look=/etc/passwd", "look"),
        ("preset=/tmp/my.toml", "preset"),
        ("preset=unreal&formats=obj", "preset"),
        ("formats=fbx", "fbx"),
        ("formats=", "formats"),
        ("crs=/etc/passwd", "crs"),
        ("crs=EPSG:1&origin=0,0", "EPSG:1"),
        ("name=../x", "name"),
        ("name=..", "name"),
        ("mesh_size=1", "mesh of 1"),
        ("exaggeration=nan", "exaggeration"),
        ("relief=inf", "relief"),
        ("size=8x80", "8x80"),
        ("under=lava", "under"),
        ("level_water=yes", "level_water"),
        ("crop=1,2,3", "crop"),
        ("crop=0,0,400,400", "400"),
        ("tiles=many", "tiles"),
        ("tiles=9999x9999", "9999"),
        ("lods=2", "tiles"),
        ("sede=3", '"sede"; choose from seed'),
        ("%1b%5b31m" + "A" * 5000 + "=3", "/openapi.json"),
        ("seed=%1b%5b31m", "seed"),
        ("border_px=100&formats=weights", "border"),
        ("&".join(f"a{number}=1" for number in range(200)), "too many"),
    ],
)
def test_a_wrong_parameter_is_a_sentence(server: TerrainServer, query: str, said: str) -> None:
    answer = ask(server, "POST", f"/v1/terrain?{query}", MAP)
    assert answer.status == 400 and said in answer.error
    assert answer.error.endswith(".") and answer.error.isprintable() and len(answer.error) < 480
    assert "/tmp/terrainpaint" not in answer.error


def test_bodies_that_are_no_maps(server: TerrainServer) -> None:
    photo, small = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8)).save(photo, "PNG")
    Image.fromarray(np.full((8, 8, 3), (127, 173, 123), np.uint8)).save(small, "PNG")
    for body in (b"hello", b"\0" * 5000, MAP[:200], photo.getvalue(), small.getvalue(), b"PK\3\4" + b"x" * 99, b""):
        answer = ask(server, "POST", "/v1/terrain", body)
        assert answer.status == 422 and answer.error.endswith("."), answer
        assert "terrainpaint-" not in answer.error


def test_what_is_too_large(server: TerrainServer) -> None:
    assert ask(server, "POST", "/v1/terrain", bytes(2 << 20)).status == 413
    large = map_png(SegmentationMap(np.zeros((32, 257), np.uint8)))
    assert "257 x 32" in ask(server, "POST", "/v1/terrain", large).error
    bomb = io.BytesIO()
    Image.new("P", (60_000, 60_000)).save(bomb, "PNG", compress_level=9)
    assert len(bomb.getvalue()) > 1 << 20 or ask(server, "POST", "/v1/terrain", bomb.getvalue()).status == 413
    assert ask(server, "POST", "/v1/terrain?size=300x300", MAP).status == 413
    assert "GB" in ask(server, "POST", "/v1/terrain?mesh_size=16384", MAP).error


def test_requests_that_are_odd(server: TerrainServer) -> None:
    assert ask(server, "GET", "/").status == 404
    wrong = ask(server, "GET", "/v1/terrain")
    assert wrong.status == 405 and wrong.headers["allow"] == "POST"
    assert ask(server, "POST", "/v1/formats", MAP).status == 405
    assert ask(server, "PUT", "/v1/terrain", MAP).status == 501
    token, place = f"Authorization: Bearer {TOKEN}\r\n".encode(), ("127.0.0.1", server.server_port)
    assert b" 411 " in raw(place, b"POST /v1/terrain HTTP/1.1\r\n" + token + b"\r\n")
    assert b" 411 " in raw(place, b"POST /v1/terrain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + token + b"\r\n")
    assert b" 411 " in raw(place, b"POST /v1/terrain HTTP/1.1\r\nContent-Length: -5\r\n" + token + b"\r\n")
    assert b"Bad request" in raw(place, b"\x16\x03\x01 what is this\r\n\r\n")
    assert b" 431 " in raw(place, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n")
    continued = raw(
        place,
        b"POST /v1/terrain?formats=albedo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n" % len(MAP)
        + token + b"\r\n" + MAP,
    )  # fmt: skip
    assert continued.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_client_that_goes_away_does_not_stop_the_others(server: TerrainServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.sendall(b"POST /v1/terrain HTTP/1.1\r\nContent-Length: 100\r\n")
        connection.sendall(f"Authorization: Bearer {TOKEN}\r\n\r\nhalf".encode())
    assert ask(server, "POST", "/v1/terrain?formats=albedo", MAP).status == 200


def test_one_at_a_time_and_a_short_queue() -> None:
    """The one that works is cancelled when the server stops, and the ones that wait are answered."""
    with running(Limits(waiting=1, side_px=60_000)) as served:
        answers: list[Answer] = []

        def post() -> None:
            answers.append(ask(served, "POST", "/v1/terrain?size=4096x4096&formats=albedo", MAP))

        threads = [threading.Thread(target=post) for _ in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 600
        while not answers and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [answer.status for answer in answers] == [503] and answers[0].headers["retry-after"] == "10"
        served.work.stop(60)
        for thread in threads:
            thread.join(600)
        assert [answer.status for answer in answers] == [503] * 3 and "stopping" in answers[-1].error


def test_a_terrain_that_takes_too_long() -> None:
    with running(Limits(work_s=0.0)) as served:
        answer = ask(served, "POST", "/v1/terrain", MAP)
        assert answer.status == 503 and "smaller map" in answer.error


def test_a_port_that_is_taken(server: TerrainServer, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError, match=rf"Port {server.server_port} .* taken"):
        TerrainServer("127.0.0.1", server.server_port, TOKEN, Limits(), lambda line: None)
    with pytest.raises(OptionError):
        TerrainServer("no.such.host.invalid", 0, TOKEN, Limits(), lambda line: None)
    assert main(["serve", "--port", str(server.server_port)]) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and "--port" in err


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERRAINPAINT_TOKEN", "short")
    assert main(["serve", "--port", "0"]) == 1
    assert "TERRAINPAINT_TOKEN" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_address_and_token_and_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TERRAINPAINT_TOKEN"}
    running = subprocess.Popen(
        [sys.executable, "-m", "terrainpaint", "serve", "--port", "0"], cwd=ROOT, text=True, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        assert running.stdout is not None
        address, token = (running.stdout.readline().split()[-1] for _ in range(2))
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address) and len(token) > 40
        place = ("127.0.0.1", int(address.rsplit(":", 1)[1]))
        request = f"GET /v1/styles HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"
        assert raw(place, request.encode()).startswith(b"HTTP/1.1 200")
        idle = socket.create_connection(place)
        running.send_signal(number)
        out, err = running.communicate(timeout=600)
        idle.close()
    finally:
        running.kill()
    assert running.returncode == 128 + number
    assert out == "" and "Traceback" not in err and "GET /v1/styles 200" in err


def test_every_option_of_the_command_line_is_a_parameter() -> None:
    of_the_owner = {
        "weights",
        "detail_weights",
        "lines",
        "height_guide",
        "device",
        "files",
    }  # files and hardware of the computer are not the client's
    names = {field.name for kind in (MapReading, TerrainRequest, FilesRequest) for field in fields(kind)}
    assert names - of_the_owner <= set(parameters())
    assert not of_the_owner & set(parameters())
    assert {field.name for field in fields(DreamOptions)} - of_the_owner == set(dream_parameters())


def test_a_request_without_parameters_is_the_default() -> None:
    request = served_request([])
    assert (request.name, request.terrain.seed, request.files.formats) == ("map", None, None)
    assert served_request([("under", "desert"), ("glb_texture", "jpeg")]).reading.under == 4
    assert dict(served_request([("raw_signed", "true"), ("origin", "1,2.5")]).files.files) == {
        "raw_signed": True, "origin": [1.0, 2.5],
    }  # fmt: skip


def test_the_map_file_of_a_server_can_have_any_name(tmp_path: Path) -> None:
    """The body is stored without a suffix."""
    write_map(tmp_path / "map.png", SegmentationMap(classes()))
    (tmp_path / "map").write_bytes((tmp_path / "map.png").read_bytes())
    np.testing.assert_array_equal(tp.read_map(tmp_path / "map").classes, classes())


def test_a_dry_run_tells_what_a_request_takes(server: TerrainServer) -> None:
    query = "/v1/terrain?preset=unreal&name=land"
    answer = ask(server, "POST", f"{query}&dry_run=true", MAP)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    told = answer.json
    files = {Path(name).name for name in zipfile.ZipFile(io.BytesIO(ask(server, "POST", query, MAP).body)).namelist()}
    assert set(told["files"]) == files and "land_height16.png" in files
    assert told["disk_bytes"] > 1000 and told["memory_bytes"] > 10**6
    assert told["seconds"] == pytest.approx(told["generating_s"] + told["writing_s"], abs=0.02)
    assert ask(server, "POST", f"{query}&dry_run=true&crop=0,0,999,999", MAP).status == 400
    assert ask(server, "POST", f"{query}&dry_run=maybe", MAP).status == 400
