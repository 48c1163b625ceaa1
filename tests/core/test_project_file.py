"""Project files: they load as saved, OpenRaster programs can open them, and no file does harm."""

from __future__ import annotations

import dataclasses
import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from terrainpaint.core import archive as archive_module
from terrainpaint.core import main_memory
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.dream_controls import MAX_SEED, DreamControls
from terrainpaint.core.dreamed import Dreamed, DreamWay
from terrainpaint.core.hydrology import FlowingWater
from terrainpaint.core.journal import Journal
from terrainpaint.core.journal_records import State, read_records
from terrainpaint.core.parent_land import kept_land
from terrainpaint.core.placement import Placement
from terrainpaint.core.project import EMPTY, Layer, Project, Settings, Underlay, ViewSettings, ZoomedFrom, flattened
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OutputError, ProjectError
from tests.core.projects import VIEW, assert_same, full_project, plain_project
from tests.core.test_map_files import chunk

Members = dict[str, bytes]


def saved(path: Path, project: Project | None = None) -> Path:
    save_project(path, project or full_project(), VIEW, None)
    return path


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, members: Members, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("project", [full_project(), plain_project(), full_project((300, 37))])
def test_a_project_loads_as_saved(tmp_path: Path, project: Project) -> None:
    loaded, view = load_project(saved(tmp_path / "a.terrainpaint", project))
    assert_same(loaded, project)
    assert view == VIEW
    # Cells are painted in place.
    assert all(layer.cells.flags.writeable for layer in loaded.layers) and loaded.rerolls.flags.writeable


def test_saving_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = saved(tmp_path / "a.terrainpaint").read_bytes()
    loaded, view = load_project(tmp_path / "a.terrainpaint")
    save_project(tmp_path / "b.terrainpaint", loaded, view, None)
    assert (tmp_path / "b.terrainpaint").read_bytes() == first


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.terrainpaint")
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OutputError, match="disk is full"):
        save_project(path, plain_project(), VIEW, None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_too_many_layers_are_not_saved(tmp_path: Path) -> None:
    cells = np.zeros((32, 32), np.uint8)
    layers = tuple(Layer(key, "a", cells) for key in range(1, 1002))
    project = Project(layers, 1, Settings(2000.0, "atlas"), cells)
    with pytest.raises(OutputError, match="merge some"):
        save_project(tmp_path / "a.terrainpaint", project, VIEW, None)


# OpenRaster, by https://www.openraster.org/baseline/file-layout-spec.html and layer-stack-spec.html


def test_it_is_openraster(tmp_path: Path) -> None:
    project = full_project((300, 500))
    path = saved(tmp_path / "a.terrainpaint", project)
    data = path.read_bytes()
    signature, flags, method, name_length, extra_length = struct.unpack("<4s2xHH16xHH", data[:30])
    assert (signature, method, extra_length) == (b"PK\x03\x04", zipfile.ZIP_STORED, 0) and not flags & 0x9
    assert data[30 : 30 + name_length] == b"mimetype"
    assert data[38:54] == b"image/openraster"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert infos[0].filename == "mimetype" and archive.read("mimetype") == b"image/openraster"
        assert all(info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos)
        names = [info.filename for info in infos]
        assert len(set(names)) == len(names)
    members = members_of(path)
    image = ElementTree.fromstring(members["stack.xml"].decode("utf-8"))
    assert image.tag == "image" and (image.get("w"), image.get("h"), image.get("version")) == ("500", "300", "0.0.3")
    assert [element.tag for element in image] == ["stack"]
    layers = list(image[0])
    assert [layer.tag for layer in layers] == ["layer"] * 4
    for layer in layers:
        source = layer.get("src") or ""
        assert source.startswith("data/") and source.endswith(".png") and source in members
        assert layer.get("visibility") in ("visible", "hidden") and layer.get("composite-op") == "svg:src-over"
        assert (layer.get("x"), layer.get("y"), layer.get("opacity")) == ("0", "0", "1.0")
    # Every picture of the folder is in the stack.
    assert {layer.get("src") for layer in layers} == {name for name in members if name.startswith("data/")}
    assert [layer.get("visibility") for layer in layers] == ["visible", "hidden", "visible", "visible"]
    assert [layer.get("selected") for layer in layers] == [None, "true", None, None]
    assert layers[2].get("name") == "Küste <&\"'>\n\ufffd"
    for name, size in (("mergedimage.png", (500, 300)), ("Thumbnails/thumbnail.png", (256, 154))):
        with Image.open(io.BytesIO(members[name])) as picture:
            assert picture.format == "PNG" and picture.size == size and not picture.info.get("interlace")
            assert members[name][24] == 8  # bits a channel


def test_the_merged_picture_matches_the_layers(tmp_path: Path) -> None:
    project = full_project()
    members = members_of(saved(tmp_path / "a.terrainpaint", project))
    ids = flattened(project.layers, project.settings.base_class, Rect.of_shape(project.shape))
    canvas = Image.new("RGBA", (project.shape[1], project.shape[0]))
    for layer in reversed(list(ElementTree.fromstring(members["stack.xml"].decode("utf-8"))[0])):
        if layer.get("visibility") == "visible":
            canvas.alpha_composite(Image.open(io.BytesIO(members[str(layer.get("src"))])).convert("RGBA"))
    merged = Image.open(io.BytesIO(members["mergedimage.png"])).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(canvas), np.asarray(merged))
    np.testing.assert_array_equal(np.asarray(merged)[:, :, :3], PALETTE[ids])


def test_the_thumbnail_is_the_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.terrainpaint"
    preview = np.full((140, 180, 3), (200, 30, 10), np.uint8)
    save_project(path, full_project(), VIEW, preview)
    picture = np.asarray(Image.open(io.BytesIO(members_of(path)["Thumbnails/thumbnail.png"])))
    assert picture.shape == (70, 90, 3) and (picture == (200, 30, 10)).all()


# Damaged and malicious files


def refused(path: Path) -> str:
    with pytest.raises(ProjectError) as caught:
        load_project(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ") and message.endswith(".") and "\n" not in message and len(message) < 400
    return message


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK\x05\x06" + bytes(17), bytes(70_000)]
)
def test_no_zip(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.terrainpaint"
    path.write_bytes(data)
    assert "is not a TerrainPaint project" in refused(path)


def test_no_file(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "none.terrainpaint")
    assert "it is a folder" in refused(tmp_path)


def test_zip_files_of_other_formats(tmp_path: Path) -> None:
    assert "is not a TerrainPaint project" in refused(zipped(tmp_path / "a.zip", {"word/document.xml": b"<a/>"}))
    ora = {"mimetype": b"image/openraster", "stack.xml": b"<image/>"}
    assert "kept only its layers" in refused(zipped(tmp_path / "b.zip", ora))


def test_empty_zip(tmp_path: Path) -> None:
    assert "is not a TerrainPaint project" in refused(zipped(tmp_path / "a.zip", {}))


def test_every_truncated_file_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.terrainpaint").read_bytes()
    path = tmp_path / "cut.terrainpaint"
    for length in [*range(0, len(whole), 97), *range(len(whole) - 60, len(whole))]:
        path.write_bytes(whole[:length])
        refused(path)


WHOLE: list[bytes] = []


@given(st.data())
@settings(max_examples=300)
def test_flipped_bytes_load_the_same_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    if not WHOLE:
        WHOLE.append(saved(folder / "whole.terrainpaint").read_bytes())
    broken = bytearray(WHOLE[0])
    for _ in range(data.draw(st.integers(1, 4))):
        # The directory at the end is the most vulnerable part.
        place = data.draw(st.one_of(st.integers(0, len(broken) - 1), st.integers(len(broken) - 900, len(broken) - 1)))
        broken[place] ^= data.draw(st.integers(1, 255))
    path = folder / "flipped.terrainpaint"
    path.write_bytes(bytes(broken[: data.draw(st.integers(len(broken) - 40, len(broken)))]))
    try:
        loaded, view = load_project(path)
    except ProjectError as error:
        assert str(error).startswith(f"{path} ")
    else:
        assert_same(loaded, full_project())
        assert view == VIEW


def changed(tmp_path: Path, change: Callable[[Members], object]) -> Path:
    """A valid file with changed members."""
    members = members_of(saved(tmp_path / "whole.terrainpaint"))
    change(members)
    return zipped(tmp_path / "a.terrainpaint", members)


def described(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A valid file with a changed description."""

    def rewrite(members: Members) -> None:
        content = json.loads(members["terrain/project.json"])
        change(content)
        members["terrain/project.json"] = json.dumps(content).encode()

    return changed(tmp_path, rewrite)


@pytest.mark.parametrize("text", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}', b'{"format": 1e999}', b"1" * 5000,
    '{"format": 1}'.encode("utf-16"), b'{"format": 0}',
])  # fmt: skip
def test_broken_descriptions(tmp_path: Path, text: bytes) -> None:
    refused(changed(tmp_path, lambda members: members.update({"terrain/project.json": text})))


VALUES: list[Any] = [None, True, -1, 0, 2**70, 1e300, -0.5, "x", "", [], {}, [1], [{}], {"a": 1}]
PLACES = [
    (name,) for name in ("format", "height", "width", "settings", "layers", "active", "rerolls", "underlay", "view")
] + [
    *(("settings", name) for name in ("pixel_size_m", "style_name", "base_class", "relief", "seed", "other_seed",
                                      "blend", "style", "variety")),
    *(("view", name) for name in ("sun_azimuth_deg", "sun_elevation_deg", "exaggeration", "water_level_m",
                                  "automatic_exaggeration", "sea_floor")),
    *(("layers", 0, name) for name in ("key", "name", "visible", "locked")),
    *(("layers", 2, "dreamed", name) for name in ("seed", "way", "end_seed", "part")),
    ("layers", 2, "dreamed", "controls"), ("layers", 2, "dreamed", "controls", "sea"),
    ("underlay", "opacity"), ("underlay", "visible"),
    ("lines",), *(("lines", name) for name in ("visible", "locked", "drawn")),
    *(("lines", "drawn", 0, name) for name in ("kind", "width_px", "points")),
    *(("underlay", "placement", name) for name in ("row", "col", "height", "width", "turn_deg")),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_wrong_types_and_absurd_numbers(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    whole = saved(tmp_path / "whole.terrainpaint")
    members = members_of(whole)
    path = tmp_path / "a.terrainpaint"
    refusals = 0
    for value in [*VALUES, "missing", float("nan"), float("inf")]:
        content = json.loads(members["terrain/project.json"])
        inner: Any = content
        for step in place[:-1]:
            inner = inner[step]
        if value == "missing":
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
        zipped(path, members | {"terrain/project.json": json.dumps(content).encode()})
        try:
            project, view = load_project(path)
        except ProjectError as error:
            refusals += 1
            assert str(error).startswith(f"{path} ") and len(str(error)) < 400
        else:
            # A value that is accepted gives a project that can be saved and loaded again.
            save_project(tmp_path / "again.terrainpaint", project, view, None)
            assert_same(load_project(tmp_path / "again.terrainpaint")[0], project)
    assert refusals >= 10


def test_flowing_water_is_remembered_and_files_of_before_have_none(tmp_path: Path) -> None:
    plain = saved(tmp_path / "plain.terrainpaint")
    assert "flowing_water" not in json.loads(members_of(plain)["terrain/project.json"])["settings"]
    project, view = load_project(plain)
    assert project.settings.flowing_water == FlowingWater()
    for chosen in (FlowingWater(carve_rivers=True), FlowingWater(breach=True), FlowingWater(True, True)):
        settings = dataclasses.replace(project.settings, flowing_water=chosen)
        save_project(tmp_path / "flow.terrainpaint", dataclasses.replace(project, settings=settings), view, None)
        assert load_project(tmp_path / "flow.terrainpaint")[0].settings.flowing_water == chosen
    for wrong in (5, None, {}, {"carve_rivers": 1, "breach": True}):
        refused(described(tmp_path, lambda content, wrong=wrong: content["settings"].update(flowing_water=wrong)))


def test_what_a_layer_was_dreamed_of_is_remembered_and_files_of_before_have_nothing(tmp_path: Path) -> None:
    project = plain_project()
    plain = saved(tmp_path / "plain.terrainpaint", project)
    assert "dreamed" not in json.loads(members_of(plain)["terrain/project.json"])["layers"][0]
    assert load_project(plain)[0].layers[0].dreamed is None
    for dreamed in (
        Dreamed(7),
        Dreamed(0, DreamControls(0.25, 0.5, 1.0), way=DreamWay.LIKE_MAP),
        Dreamed(MAX_SEED, DreamControls(dryness=0.0), 3, 0.75, DreamWay.REST_OF_MAP),
    ):
        layer = dataclasses.replace(project.layers[0], dreamed=dreamed)
        save_project(tmp_path / "dream.terrainpaint", dataclasses.replace(project, layers=(layer,)), VIEW, None)
        assert load_project(tmp_path / "dream.terrainpaint")[0].layers[0].dreamed == dreamed


def test_a_look_is_remembered_and_files_of_before_have_none(tmp_path: Path) -> None:
    plain = saved(tmp_path / "plain.terrainpaint")
    description = json.loads(members_of(plain)["terrain/project.json"])
    assert "look_name" not in description["settings"], "the file is that of the versions without looks"
    project, view = load_project(plain)
    assert project.settings.look_name is None
    with_look = dataclasses.replace(project, settings=dataclasses.replace(project.settings, look_name="satellite"))
    save_project(tmp_path / "look.terrainpaint", with_look, view, None)
    assert load_project(tmp_path / "look.terrainpaint")[0].settings == with_look.settings
    for wrong in (5, None, ["satellite"]):
        path = described(tmp_path, lambda content, wrong=wrong: content["settings"].update(look_name=wrong))
        assert "look_name" in refused(path)


def test_a_file_without_variety_gets_that_of_real_land(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content["settings"].pop("variety"))
    assert load_project(path)[0].settings.recipe.variety == 1


def test_a_file_without_a_placement_has_its_reference_picture_over_all_of_the_map(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content["underlay"].pop("placement"))
    underlay = load_project(path)[0].underlay
    assert underlay is not None and underlay.placement is None
    assert underlay.placed((40, 60)) == Placement(20, 30, 40, 60)


def test_a_file_from_before_relief_was_automatic_keeps_its_exaggeration(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content["view"].pop("automatic_exaggeration"))
    view = load_project(path)[1]
    assert not view.is_exaggeration_automatic
    assert view.exaggeration == 7.25


def test_a_later_format_names_its_program(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content.update(format=2, program="TerrainPaint 7.1"))
    assert "was saved by TerrainPaint 7.1, which is newer" in refused(path)
    path = described(tmp_path, lambda content: content.update(format=2, program="\x1b[31m" + "x" * 10_000))
    assert refused(path).isprintable() and len(refused(path)) < 320
    path = described(tmp_path, lambda content: content.update(format=2, program=["x"]))
    assert "a later TerrainPaint" in refused(path)


@pytest.mark.parametrize(
    "name", ["data/layer-4.png", "terrain/rerolls.png", "terrain/underlay.png", "terrain/height_guide.f32"]
)
def test_missing_members(tmp_path: Path, name: str) -> None:
    assert f"{name} is missing" in refused(changed(tmp_path, lambda members: members.pop(name)))


def png(picture: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def forged(width: int, height: int, kind: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    pixels = chunk(b"PLTE", PALETTE.tobytes()) + chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def palette_picture(value: int, colours: bytes = PALETTE.tobytes()) -> Image.Image:
    picture = Image.fromarray(np.full((70, 90), value, np.uint8))
    picture.putpalette(colours + bytes(768 - len(colours)))
    return picture


@pytest.mark.parametrize("data", [
    b"", b"no picture", forged(90, 70, 3), forged(2**31 - 1, 2**31 - 1, 3), forged(0, 0, 3), forged(91, 70, 3),
    png(Image.new("RGBA", (90, 70))), png(Image.new("L", (90, 70))), png(palette_picture(7)), png(palette_picture(254)),
    png(palette_picture(0, PALETTE[::-1].tobytes())), png(palette_picture(0, b"")),
    png(palette_picture(0))[:-20], png(Image.new("P", (89, 70))),
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 90, 70, 8, 3, 0, 0, 0)) + forged(9000, 9000, 3)[8:],
])  # fmt: skip
def test_wrong_pictures_of_layers(tmp_path: Path, data: bytes) -> None:
    message = refused(changed(tmp_path, lambda members: members.update({"data/layer-4.png": data})))
    assert "data/layer-4.png" in message


@pytest.mark.parametrize("name", ["terrain/underlay.png", "terrain/rerolls.png"])
@pytest.mark.parametrize(
    "data", [b"", forged(20_000, 20, 2), forged(0, 1, 2), forged(50, 50, 0), png(palette_picture(0))]
)
def test_wrong_other_pictures(tmp_path: Path, name: str, data: bytes) -> None:
    assert name in refused(changed(tmp_path, lambda members: members.update({name: data})))


@pytest.mark.parametrize("data", [b"", bytes(18 * 23 * 4 - 1), np.full(18 * 23, np.inf, np.float32).tobytes()])
def test_wrong_heights_of_the_guide(tmp_path: Path, data: bytes) -> None:
    name = "terrain/height_guide.f32"
    assert name in refused(changed(tmp_path, lambda members: members.update({name: data})))


def test_a_zip_bomb_is_not_extracted(tmp_path: Path) -> None:
    header = forged(90, 70, 3)
    bomb = header[:33] + bytes(200 << 20)
    path = changed(tmp_path, lambda members: members.update({"data/layer-4.png": bomb}))
    assert path.stat().st_size < 1 << 20
    assert "data/layer-4.png is too large" in refused(path)
    path = changed(tmp_path, lambda members: members.update({"terrain/project.json": b" " * (17 << 20)}))
    assert "terrain/project.json is too large" in refused(path)


def test_a_zip_bomb_with_a_wrong_size_is_not_extracted(tmp_path: Path) -> None:
    bomb = forged(90, 70, 3)[:33] + bytes(50 << 20)
    path = changed(tmp_path, lambda members: members.update({"data/layer-4.png": bomb}))
    data = path.read_bytes()
    assert data.count(struct.pack("<I", len(bomb))) == 2
    path.write_bytes(data.replace(struct.pack("<I", len(bomb)), struct.pack("<I", 900)))
    assert "data/layer-4.png is broken" in refused(path)


def test_more_layers_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The declared size alone is refused, before the pictures are read, which have another size.
    path = described(
        tmp_path, lambda content: content.update(height=16384, width=16384, layers=content["layers"] * 333)
    )
    monkeypatch.setattr(main_memory, "free_memory", lambda: 4 << 30)
    assert "needs 250.4 GB of memory and 4.0 GB are free" in refused(path)


def test_a_large_reference_picture_is_counted_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = dataclasses.replace(plain_project(), underlay=Underlay(np.full((1500, 2000, 3), 90, np.uint8)))
    path = saved(tmp_path / "a.terrainpaint", project)
    # Its three channels three times: as decoded, as copied and as shown; and the layers, re-rolls and map.
    rows, cols = project.shape
    needed = 9 * 1500 * 2000 + (len(project.layers) + 2) * rows * cols
    monkeypatch.setattr(main_memory, "free_memory", lambda: needed)
    assert_same(load_project(path)[0], project)
    monkeypatch.setattr(main_memory, "free_memory", lambda: needed - 1)
    assert "close other programs" in refused(path)
    # Without its layers the file is refused for the same reason: they were not looked for.
    members = {name: data for name, data in members_of(path).items() if not name.startswith("data/")}
    assert "close other programs" in refused(zipped(tmp_path / "hollow.terrainpaint", members))


def test_thousands_of_layers(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content.update(layers=content["layers"] * 2000))
    assert "layers must be a list of 1 to 1000 entries" in refused(path)


def test_two_layers_of_one_key(tmp_path: Path) -> None:
    refused(described(tmp_path, lambda content: content.update(layers=content["layers"][:1] * 2, active=4)))


def test_layers_of_another_size_than_the_map(tmp_path: Path) -> None:
    assert "90 x 70 pixels instead of 90 x 71" in refused(
        described(tmp_path, lambda content: content.update(height=71))
    )


def test_two_members_of_one_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.terrainpaint")
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("terrain/project.json", b"{}")
    assert "two files of one name" in refused(path)


def test_encrypted_members(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.terrainpaint")
    data = bytearray(path.read_bytes())
    name = b"terrain/project.json"
    local, central = data.index(name) - 30, data.rindex(name) - 46
    data[local + 6] |= 1
    data[central + 8] |= 1
    path.write_bytes(bytes(data))
    assert "is encrypted" in refused(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compression_methods_are_refused(tmp_path: Path, method: int) -> None:
    members = members_of(saved(tmp_path / "whole.terrainpaint"))
    assert "compression that OpenRaster does not allow" in refused(zipped(tmp_path / "a.terrainpaint", members, method))


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"{number}": b"" for number in range(10_001)}
    assert "10001 files" in refused(zipped(tmp_path / "a.terrainpaint", members))
    monkeypatch.setattr(archive_module, "MAX_READ_BYTES", 100_000)
    assert "is not a TerrainPaint project" in refused(tmp_path / "a.terrainpaint")


def test_member_names_outside_the_folder_are_ignored(tmp_path: Path) -> None:
    names = ["../evil.txt", "/etc/evil.txt", "C:\\evil.txt", "data/../../evil.png", "terrain/\x00.png", "data/"]
    path = changed(tmp_path, lambda members: members.update(dict.fromkeys(names, b"evil")))
    before = sorted(tmp_path.parent.rglob("*"))
    assert_same(load_project(path)[0], full_project())
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_an_unknown_member_and_field_are_ignored(tmp_path: Path) -> None:
    path = described(tmp_path, lambda content: content.update(future={"a": 1}))
    assert_same(load_project(path)[0], full_project())


def test_empty_layers_are_transparent(tmp_path: Path) -> None:
    project = Project.empty((40, 40), Settings(2000.0, "atlas"))
    path = tmp_path / "a.terrainpaint"
    save_project(path, project, ViewSettings(), None)
    picture = Image.open(io.BytesIO(members_of(path)["data/layer-1.png"])).convert("RGBA")
    assert picture.getextrema()[3] == (0, 0)
    assert (load_project(path)[0].layers[0].cells == EMPTY).all()


def test_how_borders_are_followed_is_remembered_and_exactly_is_not_written(tmp_path: Path) -> None:
    loose, exact = saved(tmp_path / "loose.terrainpaint"), saved(tmp_path / "exact.terrainpaint", plain_project())
    assert json.loads(members_of(loose)["terrain/project.json"])["settings"]["follow"] == 0.35
    assert "follow" not in json.loads(members_of(exact)["terrain/project.json"])["settings"]
    assert load_project(loose)[0].settings.recipe.follow == 0.35
    assert load_project(exact)[0].settings.recipe.follow == 1
    for wrong in (1.5, -0.1, "loosely"):
        path = described(tmp_path, lambda content, wrong=wrong: content["settings"].update(follow=wrong))
        with pytest.raises(ProjectError, match="follow"):
            load_project(path)


def test_true_scale_is_remembered_and_files_of_before_have_none(tmp_path: Path) -> None:
    plain = saved(tmp_path / "plain.terrainpaint")
    assert "true_scale" not in json.loads(members_of(plain)["terrain/project.json"])["settings"]
    project, view = load_project(plain)
    assert not project.settings.true_scale
    settings = dataclasses.replace(project.settings, true_scale=True)
    save_project(tmp_path / "true.terrainpaint", dataclasses.replace(project, settings=settings), view, None)
    assert load_project(tmp_path / "true.terrainpaint")[0].settings.true_scale
    for wrong in (1, None, "yes"):
        refused(described(tmp_path, lambda content, wrong=wrong: content["settings"].update(true_scale=wrong)))


def zoomed_project() -> Project:
    """A part of a map with the land that it had there."""
    rows, cols, rect = 60, 80, Rect(10, 12, 11, 9)
    ids, counts = np.arange(rows * cols).reshape(rows, cols) % 7, np.zeros((rows, cols), np.uint8)
    counts[12, 14] = 3
    height = np.linspace(-3, 1234.5, rows * cols, dtype=np.float32).reshape(rows, cols)
    albedo = np.arange(3 * rows * cols).reshape(rows, cols, 3).astype(np.uint8)
    recipe = Recipe(9, 4, 0.25, (0.5, -1.0), 1.5)
    land = kept_land(rect, ids.astype(np.uint8), counts, height, albedo, 2000.0, (recipe, "atlas", None))
    painted = Project.painted(np.zeros((44, 36), np.uint8), Settings(500.0, "atlas", true_scale=True))
    return dataclasses.replace(painted, zoomed_from=ZoomedFrom("all", rect, 4, 9), parent=land)


def test_the_land_of_a_zoomed_map_is_kept_and_checked(tmp_path: Path) -> None:
    project = zoomed_project()
    assert project.parent is not None
    path = saved(tmp_path / "part.terrainpaint", project)
    assert saved(tmp_path / "again.terrainpaint", project).read_bytes() == path.read_bytes()
    parent = load_project(path)[0].parent
    assert parent is not None and parent.frame == project.parent.frame
    for name in ("ids", "rerolls", "height", "albedo"):
        np.testing.assert_array_equal(getattr(parent, name), getattr(project.parent, name))
    # A map of another size is no refinement of that land.
    assert project.resized((88, 72)).parent is None and project.cropped(0, 0, (40, 36)).parent is None
    with pytest.raises(ValueError, match="land of the parent"):
        dataclasses.replace(Project.painted(np.zeros((40, 36), np.uint8), project.settings), parent=project.parent)
    members, member = members_of(path), "terrain/parent.zlib"
    for data in (b"", members[member][:-9], zlib.compress(b"abc"), zlib.compress(bytes(10_000_000)), b"x" * 900):
        assert "parent.zlib" in refused(zipped(tmp_path / "bad.terrainpaint", {**members, member: data}))
    wrong = zlib.decompress(members[member])
    for place, value in ((0, b"\x07"), (2 * parent.ids.size, b"\x00\x00\xc0\x7f")):
        broken = zlib.compress(wrong[:place] + value + wrong[place + len(value) :])
        assert "there are not" in refused(zipped(tmp_path / "bad.terrainpaint", {**members, member: broken}))
    del members[member]
    refused(zipped(tmp_path / "bad.terrainpaint", members))
    content = json.loads(members["terrain/project.json"])
    for change in ({"map_height": 20}, {"cell_m": 0}, {"land": None}, {"rerolls": 1}, {"seed": "a"}):
        data = json.dumps(content | {"parent": content["parent"] | change}).encode()
        refused(zipped(tmp_path / "bad.terrainpaint", {**members_of(path), "terrain/project.json": data}))


def test_the_land_of_a_zoomed_map_is_recovered(tmp_path: Path) -> None:
    project = zoomed_project()
    journal = Journal.create(tmp_path / "journals", "part", project, ViewSettings())
    journal.structure(dataclasses.replace(project, settings=dataclasses.replace(project.settings, relief=2.0)))
    records = io.BytesIO(journal.path.read_bytes())
    state = State()
    for kind, data in read_records(records, len(records.getvalue())):
        state.add(kind, data)
    recovered, parent = state.project(), project.parent
    journal.close_and_remove()
    assert parent is not None and recovered.parent is not None and recovered.settings.relief == 2
    assert recovered.parent.frame == parent.frame
    np.testing.assert_array_equal(recovered.parent.height, parent.height)
