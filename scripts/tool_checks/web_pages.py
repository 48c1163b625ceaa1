"""What web maps and globes find in the tiles of a land: MapLibre and CesiumJS in Chromium, from npm."""

from __future__ import annotations

import base64
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripts.tool_checks.land import Land
from scripts.tool_checks.missing import Missing, found_program

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WAIT_S = 240
_MOST_ERROR_M = 30.0
"""Of a place in tiles, whose pixels lie between those of the map."""
_MOST_SHADES = 12


def maplibre_reads(land: Land, tools: Path) -> str:
    """The PMTiles of heights and texture."""
    _install(tools, "maplibre-gl", "pmtiles")
    found = _shown(land, tools, "maplibre.html")
    said = _check_heights(land, found["heights"])
    for place, colour in zip(land.places, found["colours"], strict=True):
        error = max(abs(a - b) for a, b in zip(colour, place.colour, strict=True))
        assert error <= _MOST_SHADES, f"{place.name} has the colour {colour} and not {place.colour}"
    return f"{found['version']}: PMTiles: {said}, and their colours"


def cesium_reads(land: Land, tools: Path) -> str:
    """The quantized mesh, unpacked."""
    _install(tools, "cesium")
    with zipfile.ZipFile(land.file("_quantized_mesh.zip")) as archive:
        archive.extractall(land.folder / "quantized")
    found = _shown(land, tools, "cesium.html")
    return f"{found['version']}: quantized mesh: {_check_heights(land, found['heights'])}"


def _check_heights(land: Land, heights_m: list[float]) -> str:
    for place, height_m in zip(land.places, heights_m, strict=True):
        assert height_m is not None and abs(height_m - place.height_m) <= _MOST_ERROR_M, (
            f"{place.name} has {height_m} m and not {place.height_m:.1f} m"
        )
    return "places near the corners at " + ", ".join(f"{height_m:.0f}" for height_m in heights_m) + " m"


def _install(tools: Path, *packages: str) -> None:
    if all((tools / "node_modules" / package).is_dir() for package in packages):
        return
    npm = found_program("npm", "apt install nodejs npm")
    command = [npm, "install", "--silent", "--prefix", str(tools), *packages]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise Missing(f"npm install --prefix {tools} {' '.join(packages)}")


def _shown(land: Land, tools: Path, page: str) -> dict[str, Any]:
    """What a page tells, its picture saved beside the land as NAME.png. Raises Missing, AssertionError."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise Missing("apt install chromium")
    results: queue.Queue[bytes] = queue.Queue()
    with _served(land, tools, page, results) as address, tempfile.TemporaryDirectory() as profile:
        flags = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        command = [browser, *flags, f"--user-data-dir={profile}", "--window-size=900,600", address]
        window = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            found: dict[str, Any] = json.loads(results.get(timeout=_WAIT_S))
        except queue.Empty:
            raise AssertionError(f"{page} said nothing for {_WAIT_S} s") from None
        finally:
            window.kill()
            window.wait()
    assert "error" not in found, found["error"]
    picture = base64.b64decode(found.pop("picture").partition(",")[2])
    (land.folder / page).with_suffix(".png").write_bytes(picture)
    return found


@contextmanager
def _served(land: Land, tools: Path, page: str, results: queue.Queue[bytes]) -> Iterator[str]:
    """The address of a page, beside the files of the land and the packages of npm."""
    places = [{"at": [place.longitude, place.latitude]} for place in land.places]
    content = {"/": Path(__file__).with_name(page).read_bytes(), "/places.json": json.dumps(places).encode()}
    handler = partial(_Handler, content=content, folders=(tools, land.folder), results=results)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """Files of two folders, with ranges, which PMTiles needs; and the results of a page."""

    def __init__(
        self,
        *arguments: Any,
        content: dict[str, bytes],
        folders: tuple[Path, Path],
        results: queue.Queue[bytes],
    ) -> None:
        self._content, self._folders, self._results = content, folders, results
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        kind = self.guess_type(path)
        if path in self._content:
            self._answer(self._content[path], "text/html" if path == "/" else kind)
            return
        folder = self._folders[0] if path.startswith("/node_modules/") else self._folders[1]
        file = folder / path.removeprefix("/")
        if ".." in path or not file.is_file():
            self.send_error(404)
            return
        self._answer(file.read_bytes(), "text/javascript" if file.suffix == ".mjs" else kind)

    def do_POST(self) -> None:
        self._results.put(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"", "text/plain")

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing is logged."""

    def _answer(self, body: bytes, kind: str) -> None:
        asked, whole = self.headers.get("Range"), len(body)
        self.send_response(206 if asked else 200)
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else whole, whole)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{whole}")
            body = body[start:stop]
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
