"""Maps and projects, their terrain as arrays, and files: the same as the command line and the window write."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import terrainpaint as tp
from terrainpaint.api.export_plans import format_of
from terrainpaint.api.generators import Generators
from terrainpaint.api.requests import FilesRequest, TerrainRequest
from terrainpaint.api.writing_keywords import ExportKeywords, WritingKeywords
from terrainpaint.cli import main
from terrainpaint.core.guide_lines import GuideLine, GuideLines, LineKind
from terrainpaint.core.hydrology import FlowingWater, find_waters
from terrainpaint.core.line_files import read_lines_svg
from terrainpaint.core.map_files import write_map
from terrainpaint.core.progress import no_progress
from terrainpaint.core.project import Layer, Project, Settings, ViewSettings, empty_cells
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import Cancelled, MapError, OptionError, OutputError, ProjectError
from terrainpaint.export import FORMATS
from terrainpaint.export.file_options import FileOptions
from tests.generation.random_weights import write_random_guided_weights
from tests.models.small_looks import write_look
from tests.models.small_weights import write_weights

SHAPE = 40, 56


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path)
    return path


def classes() -> np.ndarray:
    rows, cols = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    return ((rows // 9 + cols // 7) % 7).astype(np.uint8)


def project(path: Path, **settings: object) -> Path:
    """Two visible layers and a hidden one; some places are re-rolled."""
    under, top, hidden = empty_cells(SHAPE), empty_cells(SHAPE), np.full(SHAPE, 6, np.uint8)
    under[:, 10:40], top[5:15, 20:50] = 2, 5
    rerolls = np.zeros(SHAPE, np.uint8)
    rerolls[20:30, 15:25] = 1
    layers = (Layer(1, "a", under), Layer(2, "b", top), Layer(3, "c", hidden, visible=False))
    chosen = Settings(**{"pixel_size_m": 500.0, "style_name": "atlas", **settings})  # type: ignore[arg-type]
    save_project(path, Project(layers, 1, chosen, rerolls), ViewSettings(), None)
    return path


def test_a_project_is_flattened_and_keeps_its_settings(tmp_path: Path) -> None:
    recipe = Recipe(11, 12, 0.25, (0.5, 0.0, -1.0, 0.0, 2.0), 0.5)
    path = project(tmp_path / "isle.terrainpaint", base_class=4, recipe=recipe, relief=2.0, look_name="old")
    painted = tp.open_project(path)
    assert painted.classes[0, 0] == 4 and painted.classes[0, 10] == 2 and painted.classes[5, 20] == 5
    assert (painted.name, painted.pixel_size_m, painted.style, painted.look) == ("isle", 500.0, "atlas", "old")
    assert painted.recipe == recipe and painted.relief == 2.0 and painted.rerolls is not None
    other = painted.requested(TerrainRequest(seed=5, size=(80, 112)))
    assert other.recipe == replace(recipe, seed=5, other_seed=None, blend=0.0)
    assert other.classes.shape == (80, 112) and other.rerolls is not None
    np.testing.assert_array_equal(other.rerolls[::2, ::2], painted.rerolls)
    assert painted.requested(TerrainRequest(style="satellite")).recipe.style is None


def test_a_project_has_its_ground_size_and_relief(weights: Path, tmp_path: Path) -> None:
    path = project(tmp_path / "isle.terrainpaint", relief=2.0, recipe=Recipe(3))
    painted = tp.open_project(path)
    terrain = tp.generate(painted, weights=weights)
    plain = tp.generate(painted, weights=weights, pixel_size_m=1500, relief=1)  # that of the weights
    assert terrain.pixel_size_m == 500 and terrain.seed == 3
    np.testing.assert_allclose(terrain.heights, plain.heights * (500 / 1500 * 2), rtol=1e-6)
    np.testing.assert_array_equal(terrain.albedo, plain.albedo)
    np.testing.assert_array_equal(terrain.shaded, plain.shaded)
    assert terrain.terrain.provenance.has_rerolls
    assert not np.array_equal(
        tp.generate(tp.from_classes(painted.classes), weights=weights, seed=3).albedo, plain.albedo
    )


def test_the_command_line_writes_the_same_bytes(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path / "isle.terrainpaint", relief=1.5, recipe=Recipe(3))
    formats = ["glb", "height16", "terrain"]
    mine = tp.generate(tp.open_project(path), weights=weights, level_water=True).export(tmp_path / "a", formats=formats)
    options = ["--weights", str(weights), "--level-water", "--formats", ",".join(formats)]
    assert main(["export", str(path), "-o", str(tmp_path / "b"), *options]) == 0
    assert capfd.readouterr().out.splitlines() == [str(tmp_path / "b" / one.name) for one in mine]
    assert all(one.read_bytes() == (tmp_path / "b" / one.name).read_bytes() for one in mine)
    assert main(["generate", str(path), "-o", str(tmp_path / "c" / "isle.glb"), *options[:3]]) == 0
    assert (tmp_path / "c" / "isle.glb").read_bytes() == (tmp_path / "b" / "isle.glb").read_bytes()
    assert main(["export", str(path), "-o", str(tmp_path / "b"), "--name", "x", "--preset", "print", *options[:2]]) == 0
    assert (tmp_path / "b" / "x.3mf").is_file() and (tmp_path / "b" / "x_README.txt").is_file()


def test_level_water_of_a_preset(weights: Path, tmp_path: Path) -> None:
    preset = tmp_path / "my.toml"
    preset.write_text('formats = ["r32"]\n[options]\nlevel_water = true\n')
    terrain = tp.generate(tp.from_classes(classes()), weights=weights)
    terrain.export(tmp_path, preset=str(preset))
    stored = np.fromfile(tmp_path / "map_height.r32", "<f4").reshape(SHAPE)
    np.testing.assert_array_equal(stored, terrain.with_level_water().heights)
    assert not np.array_equal(stored, terrain.heights)


def test_notes_are_warnings_or_go_to_the_function(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"

    Image.fromarray(np.dstack([np.full((*SHAPE, 3), (127, 173, 123), np.uint8), np.full(SHAPE, 0, np.uint8)])).save(
        path
    )
    rgba = np.dstack([np.full((*SHAPE, 3), (127, 173, 123), np.uint8), np.full(SHAPE, 255, np.uint8)])
    rgba[:4, :, 3] = 0
    Image.fromarray(rgba).save(path)
    with pytest.warns(UserWarning, match="see-through"):
        assert tp.read_map(path, under="desert").classes[0, 0] == 4
    said: list[str] = []
    tp.read_map(path, say=said.append)
    assert len(said) == 1
    rgba[...] = (128, 173, 123, 255)
    Image.fromarray(rgba).save(path)
    with pytest.raises(MapError, match="#80ad7b"):
        tp.read_map(path)
    with pytest.warns(UserWarning, match=r"100\.00%"):
        assert tp.read_map(path, nearest_colour=True).classes[0, 0] == 2


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("a.glb", "glb"), ("a.OBJ", "obj"), ("a_height16.png", "height16"), ("a_albedo.png", "albedo"),
        ("a_normal_dx.png", "normal-dx"), ("a.r16", "r16"), ("a.svg", "contours-svg"), ("a.3mf", "3mf"),
    ],
)  # fmt: skip
def test_the_suffix_tells_the_format(name: str, format_name: str) -> None:
    assert format_of(Path(name)) == format_name


def test_every_format_can_be_named_by_its_usual_end() -> None:
    assert all(format_of(Path("x" + form.suffix)) == form.name for form in FORMATS.values())


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr"])
def test_an_ambiguous_suffix_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="several formats"):
        format_of(Path(name))


def test_an_unknown_format_is_answered_with_similar_names_in_a_short_sentence(weights: Path, tmp_path: Path) -> None:
    terrain = tp.generate(tp.from_classes(classes()), weights=weights)
    for name, said in (("geotif", "did you mean geotiff"), ("x" * 1000, "terrainpaint formats")):
        with pytest.raises(OptionError, match=said) as raised:
            terrain.export(tmp_path, formats=[name])
        assert len(str(raised.value)) <= 320


def test_what_is_wrong_is_a_sentence(weights: Path, tmp_path: Path) -> None:
    painted = tp.from_classes(classes())
    terrain = tp.generate(painted, weights=weights)
    for wrong in (
        lambda: tp.generate(painted, seed=-1),
        lambda: tp.generate(painted, style="oils"),
        lambda: tp.generate(painted, look="oils"),
        lambda: tp.generate(painted, weights=weights, style="atlas"),
        lambda: tp.generate(painted, weights=weights, size=(8, 80)),
        lambda: tp.generate(painted, weights=weights, pixel_size_m=0),
        lambda: tp.generate(painted, weights=weights, relief=0),
        lambda: tp.from_classes(classes() + np.uint8(1)),
        lambda: tp.from_classes(classes() - 1),
        lambda: tp.from_classes(classes() / 2),
        lambda: tp.from_classes(classes()[:8]),
        lambda: tp.read_map("x.png", under="lava"),
        lambda: terrain.save(tmp_path / "a.fbx"),
        lambda: terrain.save(tmp_path / "a.glb", format="fbx"),
        lambda: terrain.export(tmp_path, preset="unreel"),
        lambda: terrain.export(tmp_path, preset="unreal", formats=["obj"]),
        lambda: terrain.export(tmp_path, formats=["geotiff"], crs="EPSG:1"),
        lambda: terrain.export(tmp_path, formats=["geotiff"], colour="red"),
    ):
        with pytest.raises(OptionError) as caught:
            wrong()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProjectError):
        tp.open_project(tmp_path / "none.terrainpaint")


def test_the_map_is_not_replaced(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "land.png"
    write_map(path, SegmentationMap(classes()))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"land\.png"):
        tp.generate(tp.read_map(path), weights=weights).save(tmp_path / "land.obj")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_look_of_a_project_that_is_not_installed(weights: Path, tmp_path: Path) -> None:
    painted = tp.open_project(project(tmp_path / "isle.terrainpaint", look_name="old"))
    with pytest.raises(OptionError, match=r'no look "old".*none'):
        tp.generate(painted, weights=weights)
    plain = tp.generate(painted, weights=weights, look="none")
    write_look(tmp_path / "mine.safetensors", source="small")
    repainted = tp.generate(painted, weights=weights, look=str(tmp_path / "mine.safetensors"))
    assert not np.array_equal(plain.albedo, repainted.albedo)
    np.testing.assert_allclose(plain.heights, repainted.heights, atol=0.1)  # a look needs land beyond the border


def test_loaded_weights_are_kept_until_their_file_changes(tmp_path: Path) -> None:
    path, generators, stages = tmp_path / "a.safetensors", Generators(), []
    write_weights(path)

    def generate() -> np.ndarray:
        def stage(name: str):  # type: ignore[no-untyped-def]
            stages.append(name)
            return no_progress

        return generators.generate(tp.from_classes(classes()), TerrainRequest(weights=path), stage).albedo

    first = generate()
    assert len(generators._loaded) == 1 and stages == ["Loading", "Generating"]
    np.testing.assert_array_equal(generate(), first)
    assert len(generators._loaded) == 1
    write_weights(path, seed=9)
    assert not np.array_equal(generate(), first)


def test_cancelling(weights: Path) -> None:
    with pytest.raises(Cancelled):
        tp.generate(tp.from_classes(classes()), weights=weights, cancel=lambda: True)


def test_rivers_of_a_project_are_carved_unless_it_is_switched_off(weights: Path, tmp_path: Path) -> None:
    ids = np.full((64, 96), 1, np.uint8)
    ids[30:33, 20:] = 0
    settings = Settings(500.0, "atlas", flowing_water=FlowingWater(carve_rivers=True))
    path = tmp_path / "river.terrainpaint"
    save_project(path, Project.painted(ids, settings), ViewSettings(), None)
    painted = tp.open_project(path)
    off = tp.generate(painted, weights=weights, carve_rivers=False)
    assert not off.terrain.provenance.has_carved_rivers
    np.testing.assert_array_equal(
        off.heights, tp.generate(tp.from_classes(ids, pixel_size_m=500), weights=weights).heights
    )
    carved = tp.generate(painted, weights=weights)
    river = find_waters(carved.terrain, ids).rivers[0]
    assert len(river.line) > 60 and (np.diff(river.height_m) < 0).all()
    assert not np.array_equal(carved.shaded, off.shaded)
    breached = tp.generate(painted, weights=weights, carve_rivers=False, breach=True).terrain.provenance
    assert breached.has_breached_depressions and not breached.has_carved_rivers

    out = tmp_path / "out"
    assert main(["export", str(path), "-o", str(out), "--formats", "height16", "--weights", str(weights)]) == 0
    assert json.loads((out / "river_height16.json").read_text())["rivers_carved"] is True
    arguments = ["generate", str(path), "-o", str(out), "--formats", "height16", "--weights", str(weights)]
    assert main([*arguments, "--no-carve-rivers", "--breach"]) == 0
    facts = json.loads((out / "river_height16.json").read_text())
    assert "rivers_carved" not in facts and facts["depressions_breached"] is True


def test_lines_are_followed_where_the_style_can(weights: Path, tmp_path: Path) -> None:
    guided = tmp_path / "guided.safetensors"
    write_random_guided_weights(guided)
    grey = np.full(SHAPE, 128, np.uint8)
    grey[5:30, 20] = 255
    Image.fromarray(grey).save(tmp_path / "lines.png")
    painted = tp.from_classes(np.full(SHAPE, 5))
    plain = tp.generate(painted, weights=guided)
    drawn = tp.generate(painted, weights=guided, lines=tmp_path / "lines.png")
    assert drawn.terrain.provenance.has_lines and not np.array_equal(drawn.heights, plain.heights)
    with pytest.raises(OptionError, match="cannot follow crests and valleys"):
        tp.generate(painted, weights=weights, lines=tmp_path / "lines.png")
    larger = tp.generate(painted, weights=guided, lines=tmp_path / "lines.png", size=(80, 112))
    assert larger.heights.shape == (80, 112)
    write_map(tmp_path / "m.png", SegmentationMap(painted.classes), None)
    command = ["generate", str(tmp_path / "m.png"), "--weights", str(guided), "--lines", str(tmp_path / "lines.png"),
               "--formats", "height16", "--quiet"]  # fmt: skip
    assert main([*command, "-o", str(tmp_path / "out") + "/"]) == 0
    assert json.loads((tmp_path / "out" / "m_height16.json").read_text())["follows_lines"] is True
    assert main([*command[:-3], "-o", str(tmp_path / "lines.png")]) == 1  # it would replace the lines


def test_the_sea_gets_a_floor_when_asked_for(weights: Path, tmp_path: Path) -> None:
    ids = np.full((64, 96), 1, np.uint8)
    ids[:, 30:] = 0
    painted = tp.from_classes(ids, pixel_size_m=5)  # heights are small too, so the water is sea
    level = tp.generate(painted, weights=weights, level_water=True)
    deep = tp.generate(painted, weights=weights, sea_depth=True)
    np.testing.assert_array_equal(deep.heights[:, :30], level.heights[:, :30])
    assert (level.heights[:, 40:] == 0).all() and (np.diff(deep.heights[32, 30:]) <= 0).all()
    assert -8 < deep.heights[:, 40:].min() < -3
    np.testing.assert_array_equal(deep.shaded, level.shaded)  # light falls on the water
    write_map(tmp_path / "m.png", SegmentationMap(ids), 5)
    command = ["generate", str(tmp_path / "m.png"), "--weights", str(weights), "--formats", "height16", "--quiet"]
    assert main([*command, "--sea-depth", "-o", str(tmp_path / "out") + "/"]) == 0
    facts = json.loads((tmp_path / "out" / "m_height16.json").read_text())
    assert facts["sea_depth"] is True and facts["water_levelled"] is True
    assert facts["height_min_m"] == pytest.approx(float(deep.heights.min()), abs=0.01)


def test_what_an_export_takes_is_told_before(weights: Path, tmp_path: Path) -> None:
    painted = tp.from_classes(classes(), name="isle")
    chosen = {"formats": ["r32", "glb"], "mesh_size": 40, "crop": (8, 0, 48, 40)}
    told = tp.estimate(painted, weights=str(weights), device="cpu", level_water=True, **chosen)
    terrain = tp.generate(painted, weights=weights, device="cpu", level_water=True)
    paths = terrain.export(tmp_path, **chosen)
    assert [path.name for path in told.files] == [path.name for path in paths]
    assert told.disk_bytes == pytest.approx(sum(path.stat().st_size for path in paths), rel=1)
    assert told.generating_s > 0 and told.memory_bytes > 10**6
    writing = terrain.estimate(**chosen)
    assert writing.files == told.files and writing.disk_bytes == told.disk_bytes and writing.generating_s == 0
    assert terrain.estimate(preset="unreal", name="a").files[-1].name == "a_README.txt"
    for wrong in ({"formats": "glb", "colour": 1}, {"crop": (0, 0, 999, 9)}, {"seed": -1}, {"formats": "gltf2"}):
        with pytest.raises(OptionError):
            tp.estimate(painted, weights=weights, **wrong)


def test_projects_carry_their_lines_everywhere(weights: Path, tmp_path: Path) -> None:
    guided = tmp_path / "guided.safetensors"
    write_random_guided_weights(guided)
    ridge = GuideLine(LineKind.RIDGE, ((5.5, 20.5), (30.5, 20.5)))
    river = GuideLine(LineKind.RIVER, ((10.5, 30.5), (39.5, 35.5)))
    project = Project.painted(np.full(SHAPE, 5, np.uint8), Settings(2000.0, "atlas"))
    path = tmp_path / "drawn.terrainpaint"
    save_project(path, replace(project, lines=GuideLines((ridge, river))), ViewSettings(), None)
    painted = tp.open_project(path)
    assert (painted.classes == 0).sum() >= 30
    drawn = tp.generate(painted, weights=guided)
    assert drawn.terrain.provenance.has_lines and drawn.terrain.provenance.has_carved_rivers
    assert find_waters(drawn.terrain, painted.classes).rivers
    with pytest.warns(UserWarning, match="does not follow the drawn ridges"):
        unguided = tp.generate(painted, weights=weights)
    assert not unguided.terrain.provenance.has_lines and unguided.terrain.provenance.has_carved_rivers
    larger = tp.generate(painted, weights=guided, size=(2 * SHAPE[0], 2 * SHAPE[1]))
    assert larger.lines.lines[0].points == ((11, 41), (61, 41)) and larger.terrain.provenance.has_lines
    (svg,) = drawn.export(tmp_path / "out", formats="lines")
    assert read_lines_svg(svg, SHAPE).lines == (ridge, river)

    bare = tp.from_classes(np.full(SHAPE, 5))
    again = tp.generate(bare, weights=guided, lines=svg)
    np.testing.assert_array_equal(again.heights, drawn.heights)
    np.testing.assert_array_equal(again.classes, painted.classes)
    picture = tmp_path / "lines.png"
    grey = np.full(SHAPE, 128, np.uint8)
    grey[5:30, 10] = 0
    Image.fromarray(grey).save(picture)
    other = tp.generate(painted, weights=guided, lines=picture)
    assert other.lines.lines == (river,), "the ridge of the project gave way"
    with pytest.raises(OptionError, match="cannot follow"):
        tp.generate(bare, weights=weights, lines=svg)


def test_land_follows_painted_borders_loosely(weights: Path, tmp_path: Path) -> None:
    painted = tp.from_classes(np.kron(np.array([[0, 2], [0, 2]], np.uint8), np.ones((64, 64), np.uint8)))
    exact = tp.generate(painted, weights=weights, seed=3)
    loose = tp.generate(painted, weights=weights, seed=3, follow=0.2)
    assert np.array_equal(exact.classes, painted.classes)
    assert 0.02 < (loose.classes != painted.classes).mean() < 0.2
    assert loose.terrain.provenance.recipe.follow == 0.2
    same = tp.generate(tp.from_classes(loose.classes), weights=weights, seed=3)
    assert np.array_equal(same.heights, loose.heights)
    path = tmp_path / "loose.terrainpaint"
    settings = Settings(exact.pixel_size_m, "atlas", recipe=Recipe(3, follow=0.2))
    project = Project.painted(painted.classes.copy(), settings)
    save_project(path, project, ViewSettings(), None)
    of_project = tp.generate(tp.open_project(path), weights=weights)
    assert np.array_equal(of_project.classes, loose.classes) and np.array_equal(of_project.heights, loose.heights)
    assert np.array_equal(tp.generate(tp.open_project(path), weights=weights, follow=1).heights, exact.heights)


def test_the_keywords_of_writing_are_those_of_the_requests_and_formats() -> None:
    of_files = {field.name for field in fields(FileOptions)}
    of_requests = {field.name for field in fields(FilesRequest)} - {"files"}
    assert set(ExportKeywords.__annotations__) == of_files | of_requests
    assert set(WritingKeywords.__annotations__) == of_files | of_requests - {"formats", "preset", "tiles"}
