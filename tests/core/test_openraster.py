"""OpenRaster files of other programs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.openraster import read_openraster
from terrainpaint.core.project import EMPTY, Project, Settings, flattened
from terrainpaint.core.project_file import load_project, save_project
from terrainpaint.core.rects import Rect
from terrainpaint.errors import Cancelled, ProjectError
from tests.core.projects import VIEW, assert_same, full_project
from tests.core.test_project_file import forged, members_of, zipped

SETTINGS = Settings(500.0, "atlas", base_class=3)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def colours(shape: tuple[int, int], class_id: int, alpha: int = 255) -> np.ndarray:
    return np.full((*shape, 4), (*PALETTE[class_id], alpha), np.uint8)


def ora(path: Path, stack: str, pictures: dict[str, bytes], image: str = 'w="60" h="50"') -> Path:
    xml = f"<?xml version='1.0' encoding='UTF-8'?><image version=\"0.0.3\" {image}>{stack}</image>"
    return zipped(path, {"mimetype": b"image/openraster", "stack.xml": xml.encode("utf-8"), **pictures})


def test_layers_groups_offsets_and_visibility(tmp_path: Path) -> None:
    stack = """<stack><layer name="top" src="data/a.png" x="10" y="20" visibility="visible"/>
      <stack name="group" visibility="hidden"><layer name="inner" src="data/b.png"/><stack><layer src="data/b.png"/>
      </stack></stack><layer name="Fluß &lt;1&gt;" src="data/c.png" x="-5" y="-7.0" edit-locked="true"
      selected="true" opacity="0.4"/><filter type="x"/></stack>"""
    pictures = {"data/a.png": png(colours((100, 100), 5)), "data/b.png": png(colours((50, 60), 1)),
                "data/c.png": png(colours((10, 10), 6))}  # fmt: skip
    project = read_openraster(ora(tmp_path / "a.ora", stack, pictures), SETTINGS)
    assert project.shape == (50, 60) and project.settings == SETTINGS
    names = [(layer.name, layer.visible, layer.locked) for layer in project.layers]
    assert names == [("Fluß <1>", True, True), ("Layer 2", False, False), ("inner", False, False), ("top", True, False)]
    assert project.active == project.layers[0].key
    low, top = project.layers[0].cells, project.layers[3].cells
    assert (low[:3, :5] == 6).all() and (low[3:] == EMPTY).all() and (low[:, 5:] == EMPTY).all()
    assert (top[20:, 10:] == 5).all() and (top[:20] == EMPTY).all() and (top[:, :10] == EMPTY).all()


@pytest.mark.parametrize(("x", "y"), [(60, 0), (0, 50), (-10, 0), (0, -10), (-9999, 9999)])
def test_a_layer_outside_the_canvas_is_empty(tmp_path: Path, x: int, y: int) -> None:
    stack = f'<stack><layer name="out" src="a.png" x="{x}" y="{y}"/><layer src="b.png"/></stack>'
    pictures = {"a.png": png(colours((10, 10), 6)), "b.png": png(colours((20, 20), 1))}
    low, out = read_openraster(ora(tmp_path / "a.ora", stack, pictures), SETTINGS).layers
    assert out.name == "out" and (out.cells == EMPTY).all() and (low.cells[:20, :20] == 1).all()


def test_pixels_become_the_nearest_class_or_nothing(tmp_path: Path) -> None:
    pixels = np.dstack([np.tile(PALETTE, (50, 9, 1))[:, :60] ^ 3, np.full((50, 60), 128, np.uint8)])
    pixels[:, 30:, 3] = 127
    path = ora(tmp_path / "a.ora", '<stack><layer src="a.png"/></stack>', {"a.png": png(pixels)})
    cells = read_openraster(path, SETTINGS).layers[0].cells
    np.testing.assert_array_equal(cells[:, :30], np.tile(np.arange(60) % 7, (50, 1))[:, :30])
    assert (cells[:, 30:] == EMPTY).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "I;16"])
def test_every_kind_of_png(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGB", (60, 50), (150, 150, 150))
    if mode == "1":
        picture = Image.new("1", (60, 50), 1)
    elif mode == "I;16":
        picture = Image.fromarray(np.full((50, 60), 150 * 257, np.uint16))
    else:
        picture = picture.quantize() if mode == "P" else picture.convert(mode)
    file = io.BytesIO()
    picture.save(file, "PNG")
    path = ora(tmp_path / "a.ora", '<stack><layer src="a.png"/></stack>', {"a.png": file.getvalue()})
    expected = 4 if mode == "1" else 5  # white is nearest to desert
    assert (read_openraster(path, SETTINGS).layers[0].cells == expected).all()


def test_sixteen_bit_colours(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    pixels = np.full((50, 60, 4), (*PALETTE[2][::-1].astype(int) * 257, 65535), np.uint16)
    _, data = cv2.imencode(".png", pixels)
    path = ora(tmp_path / "a.ora", '<stack><layer src="a.png"/></stack>', {"a.png": data.tobytes()})
    assert (read_openraster(path, SETTINGS).layers[0].cells == 2).all()


def through_another_program(path: Path) -> Path:
    """The file as Krita or GIMP would save it: members of OpenRaster only, RGBA layers cropped to painted pixels."""
    members = members_of(path)
    kept = {name: data for name, data in members.items() if not name.startswith("terrain/")}
    stack = kept["stack.xml"].decode("utf-8")
    for name in [name for name in kept if name.startswith("data/")]:
        pixels = np.asarray(Image.open(io.BytesIO(kept[name])).convert("RGBA"))
        rows, cols = np.nonzero(pixels[:, :, 3])
        kept[name] = png(pixels[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1])
        stack = stack.replace(f'src="{name}" x="0" y="0"', f'src="{name}" x="{cols.min()}" y="{rows.min()}"')
    kept["stack.xml"] = stack.encode("utf-8")
    return zipped(path.with_suffix(".ora"), kept)


def test_a_project_survives_another_program(tmp_path: Path) -> None:
    project = full_project()
    save_project(tmp_path / "a.terrainpaint", project, VIEW, None)
    imported = read_openraster(through_another_program(tmp_path / "a.terrainpaint"), SETTINGS)
    assert imported.settings == Settings(500.0, "atlas", base_class=project.settings.base_class)
    assert len(imported.layers) == 3
    for after, before in zip(imported.layers, project.layers, strict=True):
        np.testing.assert_array_equal(after.cells, before.cells)
        assert (after.visible, after.locked) == (before.visible, before.locked)
    assert imported.layer(imported.active).cells is imported.layers[1].cells
    whole = Rect.of_shape(project.shape)
    np.testing.assert_array_equal(
        flattened(imported.layers, imported.settings.base_class, whole),
        flattened(project.layers, project.settings.base_class, whole),
    )
    # And a second time.
    save_project(tmp_path / "b.terrainpaint", imported, VIEW, None)
    assert_same(read_openraster(through_another_program(tmp_path / "b.terrainpaint"), SETTINGS), imported)


def test_a_single_layer_stays_a_layer(tmp_path: Path) -> None:
    path = ora(tmp_path / "a.ora", '<stack><layer src="a.png"/></stack>', {"a.png": png(colours((50, 60), 2))})
    project = read_openraster(path, SETTINGS)
    assert len(project.layers) == 1 and (project.layers[0].cells == 2).all()
    assert isinstance(project, Project) and project.settings == SETTINGS


LAYER = '<stack><layer src="a.png"/></stack>'
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'


@pytest.mark.parametrize(("stack", "image", "message"), [
    ("<stack/>", 'w="60" h="50"', "has no layers"),
    ("<stack>", 'w="60" h="50"', "not XML"),
    (LAYER, "", "no valid number as h"),
    (LAYER, 'w="nan" h="50"', "no valid number as w"),
    (LAYER, 'w="60" h="1e999"', "no valid number as h"),
    (LAYER, 'w="60" h="31"', "60 x 31 pixels; a map has at least 32"),
    (LAYER, 'w="16385" h="50"', "a map has at most 16384"),
    (LAYER.replace("a.png", "b.png"), 'w="60" h="50"', "b.png is missing"),
    (LAYER.replace("a.png", "../a.png"), 'w="60" h="50"', "../a.png is missing"),
    (LAYER.replace("a.png", "/etc/passwd"), 'w="60" h="50"', "/etc/passwd is missing"),
    (LAYER.replace("a.png", "A" * 50_000), 'w="60" h="50"', "A… is missing"),
    ("<stack><layer/></stack>", 'w="60" h="50"', "is missing"),
    ('<stack><layer src="a.png" x="99999999"/></stack>', 'w="60" h="50"', "no valid number as x"),
    ("<stack>" + '<layer src="a.png"/>' * 1001 + "</stack>", 'w="60" h="50"', "more than 1000 layers"),
])  # fmt: skip
def test_broken_stacks(tmp_path: Path, stack: str, image: str, message: str) -> None:
    path = ora(tmp_path / "a.ora", stack, {"a.png": png(colours((50, 60), 1))}, image)
    with pytest.raises(ProjectError, match=message) as caught:
        read_openraster(path, SETTINGS)
    assert str(caught.value).startswith(f"{path} ") and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", forged(20_000, 10, 6), forged(0, 10, 6), png(colours((9, 9), 1))[:60]]
)
def test_broken_pictures(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ProjectError, match=r"its layer a\.png|a\.png is broken"):
        read_openraster(ora(tmp_path / "a.ora", LAYER, {"a.png": data}), SETTINGS)


def test_entities_are_refused(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16"):
        xml = f"<?xml version='1.0' encoding='{encoding}'?>{BOMB}<image w='60' h='50'>{LAYER}</image>"
        path = zipped(tmp_path / "a.ora", {"stack.xml": xml.encode(encoding), "a.png": png(colours((50, 60), 1))})
        with pytest.raises(ProjectError, match="has a document type"):
            read_openraster(path, SETTINGS)


@pytest.mark.parametrize("encoding", ["UTF-8-8-8", "hex", "utf-7", "rot13", "idna", "\u00e9"])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str) -> None:
    xml = f"<?xml version='1.0' encoding='{encoding}'?><image w='60' h='50'><stack>{LAYER}</stack></image>"
    path = zipped(tmp_path / "a.ora", {"stack.xml": xml.encode(), "a.png": png(colours((50, 60), 1))})
    with pytest.raises(ProjectError, match=r"stack\.xml"):
        read_openraster(path, SETTINGS)


def test_deep_groups(tmp_path: Path) -> None:
    depth = 20_000
    stack = "<stack>" * depth + '<layer src="a.png"/>' + "</stack>" * depth
    path = ora(tmp_path / "a.ora", stack, {"a.png": png(colours((50, 60), 1))})
    assert (read_openraster(path, SETTINGS).layers[0].cells == 1).all()


def test_files_of_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"stack\.xml is missing"):
        read_openraster(zipped(tmp_path / "a.zip", {"a": b""}), SETTINGS)
    (tmp_path / "b.ora").write_bytes(b"no zip")
    with pytest.raises(ProjectError, match="is not an OpenRaster file"):
        read_openraster(tmp_path / "b.ora", SETTINGS)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4))
@settings(max_examples=150)
def test_flipped_bytes(tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    pictures = {"a.png": png(colours((50, 60), 1)), "b.png": png(colours((9, 9), 2))}
    stack = '<stack><layer src="b.png" x="4"/><layer src="a.png" name="x"/></stack>'
    path = ora(folder / "flips.ora", stack, pictures)
    broken = bytearray(path.read_bytes())
    for place, change in flips:
        broken[place % len(broken)] ^= change
    path.write_bytes(bytes(broken))
    try:
        assert read_openraster(path, SETTINGS).shape == (50, 60)
    except ProjectError as error:
        assert str(error).startswith(f"{path} ")


def test_a_file_with_stored_members_is_read(tmp_path: Path) -> None:
    members = members_of(ora(tmp_path / "a.ora", LAYER, {"a.png": png(colours((50, 60), 1))}))
    path = zipped(tmp_path / "b.ora", members, zipfile.ZIP_STORED)
    assert (read_openraster(path, SETTINGS).layers[0].cells == 1).all()


def test_one_picture_that_is_named_by_a_thousand_layers(tmp_path: Path) -> None:
    """It takes little room in the file, and minutes and memory to decode each time."""
    data = png(np.zeros((2000, 2000, 4), np.uint8))
    stack = "".join('<layer name="a" src="data/a.png"/>' for _ in range(900))
    with pytest.raises(ProjectError, match="3600 million pixels together"):
        read_openraster(ora(tmp_path / "a.ora", f"<stack>{stack}</stack>", {"data/a.png": data}), SETTINGS)


def test_an_import_can_be_cancelled_between_layers(tmp_path: Path) -> None:
    save_project(tmp_path / "a.terrainpaint", full_project(), VIEW, None)
    for read in (lambda cancel: load_project(tmp_path / "a.terrainpaint", cancel=cancel),
                 lambda cancel: read_openraster(tmp_path / "a.terrainpaint", SETTINGS, cancel=cancel)):  # fmt: skip
        asked: list[int] = []
        with pytest.raises(Cancelled):
            read(lambda asked=asked: bool(asked.append(1)) or len(asked) == 2)
        assert len(asked) == 2
