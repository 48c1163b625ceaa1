"""Rasters that are damaged, that name other files, that are none, or that are packed into archives."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import rasterio
import rasterio.shutil
from PIL import Image

from terrainpaint.core import main_memory
from terrainpaint.core.importing import (
    kind_of,
    packed_rasters,
    read_colours,
    read_height_map,
)
from terrainpaint.errors import InputFileError
from tests.core.rasters import UTM, hgt, land, saved

VRT = """<VRTDataset rasterXSize="{cols}" rasterYSize="{rows}"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""


def test_zip_files_of_other_content(tmp_path: Path) -> None:
    path, _ = hgt(tmp_path)
    for count, message in ((0, "has no raster in it"), (2, "has 2 rasters in it")):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("readme.txt", "text")
            for number in range(count):
                archive.write(path, f"N46E00{number}.hgt")
        with pytest.raises(InputFileError, match=message):
            read_height_map(tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_height_map(tmp_path / "cut.zip")


def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """GDAL can take it for a whole one, with whatever was in memory in place of the rows that are missing."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for read in (read_height_map, read_colours):
        with pytest.raises(InputFileError, match="damaged or cut short"):
            read(tmp_path / "cut.png")


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_rasters, "_MAX_UNPACKED", 1_000_000)
    path, _ = hgt(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    with gzip.open(tmp_path / "N46E007.hgt.gz", "wb") as file:
        file.write(path.read_bytes())
    for packed in ("a.zip", "N46E007.hgt.gz"):
        with pytest.raises(InputFileError, match="when unpacked"):
            read_height_map(tmp_path / packed)
    monkeypatch.undo()
    monkeypatch.setattr(main_memory, "free_memory", lambda: 1 << 20)
    for packed in ("a.zip", "N46E007.hgt.gz"):
        with pytest.raises(InputFileError, match="of memory and"):
            read_height_map(tmp_path / packed)


def test_a_zip_file_with_a_huge_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, 0xFFFF_FFF0, 0, 0)
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(0xFFFF_FFF0)
        file.seek(0, os.SEEK_END)
        file.write(end)
    for read in (read_height_map, kind_of):
        with pytest.raises(InputFileError, match="damaged"):
            read(path)


def test_no_file_makes_gdal_open_another(tmp_path: Path) -> None:
    secret = saved(tmp_path / "secret.tif", np.full((48, 64), 7777, np.float32))
    other = tmp_path / "other.vrt"
    other.write_text(VRT.format(cols=64, rows=48, source=secret))
    with pytest.raises(InputFileError, match="not a raster"):
        read_height_map(other)
    for suffix in (".tif", ".png", ".hgt", ".asc"):
        renamed = tmp_path / f"N46E007{suffix}"
        renamed.write_bytes(other.read_bytes())
        with pytest.raises(InputFileError, match=r"not a raster|damaged"):
            read_height_map(renamed)
    path = saved(tmp_path / "a.tif", np.kron(land(), np.ones((4, 4), np.float32)), **UTM)
    for beside in (".ovr", ".msk", ".aux.xml"):
        (tmp_path / f"a.tif{beside}").write_bytes(other.read_bytes())
    (tmp_path / "a.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{other}</MDI></Metadata></PAMDataset>'
    )
    for longest_px in (None, 64):
        assert read_height_map(path, longest_px).height.max() < 1000
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(other))
    (tmp_path / "a.tif.aux.xml").unlink(missing_ok=True)
    with pytest.raises(InputFileError, match="refers to another file"):
        read_height_map(path, 64)


def test_headers_of_strangers(tmp_path: Path) -> None:
    """The header of a BIL file says where its numbers are; it must not reach beyond the file or name another."""
    path = saved(tmp_path / "a.bil", land(), "EHdr", **UTM)
    saved(tmp_path / "secret.tif", np.full((48, 64), 7777, np.float32))
    header = path.with_suffix(".hdr").read_text()
    (tmp_path / "a.prj").write_bytes(b"\xff\0" * 50)
    (tmp_path / "a.clr").write_text("not numbers")
    (tmp_path / "a.stx").write_text("1 0 99999")
    (tmp_path / "a.bil.ovr").write_text(VRT.format(cols=32, rows=24, source=tmp_path / "secret.tif"))
    np.testing.assert_array_equal(read_height_map(path).height, land())
    for line in ("NROWS 2000000000", "NCOLS 99999999", "NBANDS 100000", "SKIPBYTES 999999999999",
                 "NROWS -4"):  # fmt: skip
        key = line.split()[0]
        kept = [text for text in header.splitlines() if not text.upper().startswith(key)]
        path.with_suffix(".hdr").write_text("\n".join([*kept, line]) + "\n")
        with pytest.raises(InputFileError):
            read_height_map(path)


@pytest.mark.parametrize("text", ["http://127.0.0.1:9/a", "+init=/etc/hosts:x", "/etc/hosts", "EPSG:4326", "\0", ""])
def test_a_projection_that_is_no_well_known_text_is_ignored(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path / "a.bil", land(), "EHdr", **UTM)
    path.with_suffix(".prj").write_text(text)
    assert read_height_map(path).pixel_size_m == 30


def test_erdas_imagine_and_the_files_that_it_names(tmp_path: Path) -> None:
    assert read_height_map(saved(tmp_path / "a.img", land(), "HFA", compressed="yes", **UTM)).pixel_size_m == 30
    path = saved(tmp_path / "b.img", land(), "HFA", use_spill="yes", **UTM)
    np.testing.assert_array_equal(read_height_map(path).height, land())
    # The same file with the name of another one in its place.
    (tmp_path / "b.ige").rename(tmp_path / "c.ige")
    path.write_bytes(path.read_bytes().replace(b"b.ige", b"c.ige"))
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_height_map(path)


@pytest.mark.parametrize("stem", ["a#b?c", "a:b", "100% ü", "a!b", "zip+a", "a,b;c", "(a) [b] {c}", "-a", "~"])
def test_names_with_other_characters(tmp_path: Path, stem: str) -> None:
    for suffix, driver in ((".tif", "GTiff"), (".bil", "EHdr"), (".asc", "AAIGrid")):
        plain = saved(tmp_path / f"plain{suffix}", land(), driver, **UTM)
        for file in tmp_path.glob(f"{plain.stem}.*"):
            file.rename(tmp_path / f"{stem}{file.suffix}")
        np.testing.assert_array_equal(read_height_map(tmp_path / f"{stem}{suffix}").height, land())


@pytest.mark.parametrize("name", ["/vsicurl/http://127.0.0.1:9/a.tif", "/vsizip//tmp/a.zip/a.tif", "http://127.0.0.1:9/a.tif",
                                  "NETCDF:a.nc", "a\0b.tif"])  # fmt: skip
def test_names_that_are_no_files(name: str) -> None:
    with pytest.raises(InputFileError, match=r"no such file|not the name of a file"):
        read_height_map(Path(name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    for path in (tmp_path / "a.tif", Path("/dev/zero")):
        with pytest.raises(InputFileError, match="is a pipe or a device"):
            read_height_map(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("name", "driver"),
    [("a.tif", "GTiff"), ("a.asc", "AAIGrid"), ("a.bt", "BT"), ("a.img", "HFA"), ("a.grd", "GSBG"), ("a.bil", "EHdr")],
)
def test_what_is_no_file_next_to_a_raster_is_not_opened(tmp_path: Path, name: str, driver: str) -> None:
    """Pipes, and projections that are huge."""
    saved(tmp_path / "land.tif", land(), **UTM)
    rasterio.shutil.copy(tmp_path / "land.tif", tmp_path / name, driver=driver)
    plain = read_height_map(tmp_path / name).height
    for suffix in (".prj", ".PRJ", ".tfw", ".wld", ".ovr", ".ige", ".json", ".clr", ".stx"):
        (tmp_path / name).with_suffix(suffix).unlink(missing_ok=True)
        os.mkfifo((tmp_path / name).with_suffix(suffix))
    np.testing.assert_array_equal(read_height_map(tmp_path / name).height, plain)
    (tmp_path / "a.prj").unlink()
    with (tmp_path / "a.prj").open("wb") as file:
        file.truncate(20 << 30)
    np.testing.assert_array_equal(read_height_map(tmp_path / name).height, plain)


def test_damaged_files_and_silence(tmp_path: Path) -> None:
    """Also what libraries print from C reaches neither standard output nor standard error."""
    saved(tmp_path / "a.tif", land(), compress="zstd", **UTM)
    saved(tmp_path / "b.png", land().astype(np.uint16), "PNG")
    saved(tmp_path / "c.jpg", (land() / 4).astype(np.uint8), "JPEG")
    OpenEXR.File({}, {"Y": land()}).write(str(tmp_path / "d.exr"))
    hgt(tmp_path, "N46E007.hgt")
    saved(tmp_path / "f.bil", land(), "EHdr", **UTM)
    saved(tmp_path / "g.asc", land(), "AAIGrid", **UTM)
    names = [path.name for path in tmp_path.iterdir() if path.suffix not in (".hdr", ".prj", ".xml", ".stx")]
    for name in names:
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    code = (
        "import sys\nfrom pathlib import Path\nfrom terrainpaint.core.importing import read_height_map\n"
        "from terrainpaint.errors import InputFileError\nmessages = []\n"
        "for name in sys.argv[1:]:\n    try:\n        read_height_map(Path(name))\n"
        "    except InputFileError as error:\n        messages.append(str(error))\n"
        "assert len(messages) == len(sys.argv) - 1, messages\n"
        "assert all('damaged or cut short' in text for text in messages), messages"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_can_read_at_the_same_time(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{number}.tif", land() + number, **UTM) for number in range(4)]
    lowest: dict[int, float] = {}

    def read(number: int) -> None:
        lowest[number] = float(read_height_map(paths[number]).height.min())

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lowest == {number: float(land().min()) + number for number in range(4)}
