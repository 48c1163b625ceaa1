"""The command: from a folder to the list, the report and the page."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import save_file

from terrainpaint.core.files import FileStamp
from tests.trainer.curation.test_duplicates import drawing
from tests.trainer.data.test_hostile_folders import ENTRIES, FOLDERS
from tests.trainer.losses.test_losses import squeezenet_state
from trainer.__main__ import main
from trainer.curation.examples import goodness
from trainer.curation.outliers import isolation, representatives
from trainer.data.keep_list import read_keep_list
from trainer.data.tile_set import load_tile_set


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SqueezeNet with random weights."""
    path = tmp_path_factory.mktemp("features") / "squeezenet.safetensors"
    save_file(squeezenet_state(), path)
    return path


def write(path: Path, rgb: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, rgb[:, :, ::-1])[1].tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six drawings, an exact copy, a reduced one, a mirrored one, a blank picture, and a file that is none."""
    inside = tmp_path / "in"
    for seed in range(6):
        write(inside / f"{seed}.png", drawing(seed, 96, 96))
    shutil.copy(inside / "1.png", inside / "1 copy.png")
    write(inside / "more" / "small.png", cv2.resize(drawing(2, 96, 96), (60, 60), interpolation=cv2.INTER_AREA))
    write(inside / "more" / "mirrored.png", drawing(3, 96, 96)[:, ::-1].copy())
    write(inside / "blank.png", np.full((96, 96, 3), 250, np.uint8))
    (inside / "words\nhere.txt").write_text("no picture")
    return tmp_path


def curate(folder: Path, features: Path, *more: str, source: str = "in") -> int:
    network = ["--features", str(features), "--device", "cpu"]
    return main(["curate", str(folder / source), "-o", str(folder / "out"), *network, *more])


def kept(folder: Path) -> tuple[str, ...]:
    return read_keep_list(folder / "out" / "keep.txt").names


def report(folder: Path) -> dict[str, object]:
    found = json.loads((folder / "out" / "report.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_list_names_what_stays_and_prepare_uses_it(
    folder: Path, features: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert curate(folder, features) == 0
    # Of equal copies the first by name stays.
    assert kept(folder) == ("0.png", "1 copy.png", "2.png", "3.png", "4.png", "5.png")
    output = capsys.readouterr().out
    assert "10 pictures, 6 of them stay" in output and "left out: words here.txt is not a picture" in output
    dropped = report(folder)["dropped"]
    assert dropped == {
        "1.png": "exact copy of 1 copy.png",
        "blank.png": "blank",
        "more/mirrored.png": "mirrored copy of 3.png",
        "more/small.png": "near duplicate of 2.png",
    }
    prepare = ["prepare", "--pictures", str(folder / "in"), "--only", str(folder / "out" / "keep.txt"), "--style", "x"]
    assert main([*prepare, "--tile", "64", "--cuts", "centre", "-o", str(folder / "set.npz")]) == 0
    assert load_tile_set(folder / "set.npz").names == kept(folder)


def test_copies_of_validation_pictures_do_not_stay(folder: Path, features: Path) -> None:
    write(folder / "held" / "a.jpg", drawing(4, 96, 96))
    write(folder / "held" / "b.png", drawing(77, 96, 96))
    assert curate(folder, features, "--validation", str(folder / "held")) == 0
    assert kept(folder) == ("0.png", "1 copy.png", "2.png", "3.png", "5.png")
    (leak,) = report(folder)["leaks"]  # type: ignore[misc]
    assert (leak["file"], leak["validation"], leak["kind"]) == ("4.png", "a.jpg", "near duplicate")


@pytest.mark.parametrize("place", ["in/results", "."])
def test_results_may_be_below_or_above_the_pictures(folder: Path, features: Path, place: str) -> None:
    for _ in range(2):  # the second time, the files of the first are there
        assert curate(folder, features, "-o", str(folder / place)) == 0
        found = json.loads((folder / place / "report.json").read_text("utf-8"))
        assert found["pictures"] == 10 and len(found["left_out"]) == 1


def test_examples_rank_the_others(tmp_path: Path, features: Path) -> None:
    for seed in range(12):
        write(tmp_path / "in" / f"good{seed:02d}.png", drawing(seed, 96, 96))
        noise = np.random.default_rng(seed).integers(0, 256, (96, 96, 3), dtype=np.uint8)
        write(tmp_path / "in" / f"bad{seed:02d}.png", noise)
    (tmp_path / "labels.txt").write_text(
        "# examples\ngood good00.png\ngood\tgood01.png\nbad bad00.png\nbad bad01.png\n", "utf-8"
    )
    assert curate(tmp_path, features, "--labels", str(tmp_path / "labels.txt")) == 0
    assert kept(tmp_path) == tuple(f"good{seed:02d}.png" for seed in range(12))
    scores = report(tmp_path)["scores"]
    assert isinstance(scores, dict) and scores["good00.png"] == 1 and scores["bad00.png"] == 0
    assert min(scores[f"good{seed:02d}.png"] for seed in range(12)) > max(
        scores[f"bad{seed:02d}.png"] for seed in range(12)
    )
    (tmp_path / "good.txt").write_text("good00.png\n./good01.png\n")
    (tmp_path / "bad.txt").write_text("bad00.png\nbad01.png\n")
    lists = ["--good", str(tmp_path / "good.txt"), "--bad", str(tmp_path / "bad.txt")]
    assert curate(tmp_path, features, *lists) == 0
    assert report(tmp_path)["scores"] == scores


def test_a_second_run_reads_the_cache_and_gives_the_same_bytes(folder: Path, features: Path) -> None:
    assert curate(folder, features) == 0
    names = ("keep.txt", "report.json", "index.html")
    before = [(folder / "out" / name).read_bytes() for name in names]
    cache = folder / "out" / "cache.npz"
    stamp = FileStamp.of(cache)
    assert curate(folder, features) == 0
    assert FileStamp.of(cache) == stamp  # nothing was new
    assert [(folder / "out" / name).read_bytes() for name in names] == before
    write(folder / "in" / "new.png", drawing(60, 96, 96))
    assert curate(folder, features) == 0
    assert FileStamp.of(cache) != stamp and "new.png" in kept(folder)
    (folder / "in" / "new.png").unlink()
    cache.write_bytes(b"damaged")
    assert curate(folder, features) == 0
    assert [(folder / "out" / name).read_bytes() for name in names] == before


def test_leaks_within_a_prepared_set_are_found(tmp_path: Path, features: Path) -> None:
    for seed in range(10):
        write(tmp_path / "in" / f"{seed}.png", drawing(seed, 96, 96))
        write(tmp_path / "in" / f"copy of {seed}.jpg", drawing(seed, 96, 96))
    prepare = [
        "prepare",
        "--pictures",
        str(tmp_path / "in"),
        "--style",
        "x",
        "--tile",
        "64",
        "--cuts",
        "centre",
        "whole",
    ]
    prepare += ["--validation", "0.3", "-o", str(tmp_path / "set.npz")]
    assert main(prepare) == 0
    tiles = load_tile_set(tmp_path / "set.npz")
    held_out = {name for name, split in zip(tiles.names, tiles.split, strict=True) if split}

    def partner(name: str) -> str:
        return f"{name[8:-4]}.png" if name.startswith("copy") else f"copy of {name[:-4]}.jpg"

    leaking = {partner(name) for name in held_out} - held_out
    assert leaking
    assert curate(tmp_path, features, source="set.npz") == 0
    assert {leak["file"] for leak in report(tmp_path)["leaks"]} == leaking  # type: ignore[attr-defined]
    assert set(kept(tmp_path)) == set(tiles.names) - leaking
    assert main([*prepare, "--only", str(tmp_path / "out" / "keep.txt")]) == 0


def test_a_lonely_picture_is_the_most_isolated() -> None:
    crowd = np.random.default_rng(0).normal(1, 0.1, (40, 16)).astype(np.float32)
    crowd[7] = np.random.default_rng(1).normal(0, 1, 16)
    unit = crowd / np.linalg.norm(crowd, axis=1, keepdims=True)
    distances = isolation(unit, 3)
    assert distances.argmax() == 7 and distances[7] > 5 * np.delete(distances, 7).max()
    similar = unit @ unit.T
    expected = 1 - np.sort(similar[5][np.arange(40) != 5])[-3:].mean()
    assert distances[5] == pytest.approx(expected, abs=1e-6)
    assert isolation(unit[:1]).tolist() == [0.0]


def test_representatives_are_of_every_cluster() -> None:
    random = np.random.default_rng(0)
    centres = np.eye(5, 8, dtype=np.float32)
    rows = np.concatenate([centre + random.normal(0, 0.02, (20, 8)) for centre in centres]).astype(np.float32)
    chosen = representatives(rows, 5)
    assert {index // 20 for index in chosen} == set(range(5))
    assert representatives(rows[:3], 5) == [0, 1, 2]


def test_goodness_separates_what_the_examples_separate() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, (60, 2)).astype(np.float32)
    rows[:30, 1] += 9
    scores = goodness(rows, [0, 1, 2], [30, 31, 32])
    assert scores[:30].min() > scores[30:].max() and ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.skipif(os.name != "posix", reason="pipes, devices and such names are of POSIX systems")
@pytest.mark.parametrize("kind", [*ENTRIES, *FOLDERS])
def test_each_hostile_entry_is_reported_by_name_and_the_run_goes_on(
    folder: Path, features: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    make, reason = (ENTRIES | FOLDERS)[kind]
    (folder / "in" / "words\nhere.txt").unlink()
    make(folder / "in" / "bad\n.png")
    if kind.startswith("unreadable") and os.access(folder / "in" / "bad\n.png", os.R_OK):
        pytest.skip("permissions do not apply to this user")
    assert curate(folder, features) == 0
    assert len(kept(folder)) == 6
    ((left_out,),) = [report(folder)["left_out"]]  # type: ignore[misc]
    assert left_out["file"] == "bad\n.png" and reason in left_out["reason"]
    assert f"left out: bad .png {left_out['reason']}\n" in capsys.readouterr().out


WRONG: dict[str, tuple[str | None, str]] = {
    "nothing": ("", "has bad examples only"),
    "one kind": ("good 0.png\ngood 2.png\n", "has good examples only"),
    "no file": ("good 0.png\nbad gone.png\n", "gone.png is labelled, but is no picture of"),
    "a file that is none": ('good 0.png\nbad "words\\nhere.txt"\n', "is labelled, but is no picture of"),
    "both": ("good 0.png\nbad 0.png\n", "good as well as bad"),
    "control": ("good 0\x0b.png\nbad 0\x0b.png\n", "0\ufffd.png good as well as bad"),
    "no label": ("0.png\n", "has no label on line 1"),
    "missing": (None, "cannot be read"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_labels_are_refused_in_one_sentence(
    folder: Path, features: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    text, why = WRONG[kind]
    if text is not None:
        (folder / "labels.txt").write_text(text)
    assert curate(folder, features, "--labels", str(folder / "labels.txt")) == 1
    message = capsys.readouterr().err
    assert why in message and message.count("\n") == 1 and not (folder / "out" / "index.html").exists()


def test_folders_without_a_picture_are_refused(
    tmp_path: Path, features: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for make, why in (
        (lambda: None, "there is no such folder"),
        (lambda: (tmp_path / "in").mkdir(), "holds no files"),
        (lambda: (tmp_path / "in" / "a.txt").write_text("words"), "None of the 1 files"),
        (lambda: write(tmp_path / "in" / "a.png", np.zeros((64, 64, 3), np.uint8)), "No picture of"),
    ):
        make()
        assert curate(tmp_path, features) == 1
        message = capsys.readouterr().err
        assert why in message and message.count("\n") == 1


def test_a_page_that_cannot_be_written_is_reported(
    folder: Path, features: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out" / "index.html").mkdir(parents=True)
    assert curate(folder, features) == 1
    message = capsys.readouterr().err
    assert "index.html could not be written" in message and message.count("\n") == 1
    assert not (folder / "out" / "keep.txt").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--good", "a.txt"],
        ["--labels", "a.txt", "--good", "a.txt", "--bad", "b.txt"],
        ["--near", "-1"],
        ["--neighbours", "0"],
        ["--drop-outliers", "1"],
        ["-o", "{folder}/in"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(folder: Path, features: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        curate(folder, features, *(text.replace("{folder}", str(folder)) for text in wrong))
    assert stopped.value.code == 2


def test_the_page_needs_no_other_file_and_no_network(folder: Path, features: Path) -> None:
    assert curate(folder, features) == 0
    page = (folder / "out" / "index.html").read_text("utf-8")
    assert not re.search(r"https?://|<link|<script[^>]+src=|@import|url\(", page)
    items = json.loads(re.search(r'id="items">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert items["count"] == 10 and items["base"] == "../in/"
    assert [name for name, stays in zip(items["names"], items["stays"], strict=True) if stays] == list(kept(folder))


CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_saved_list_of_the_page_is_that_of_the_command(folder: Path, features: Path) -> None:
    for name in ('a "q" <b>.png', "new\nline.png", "by\udcffte.png", "# ü.png", " space.png"):
        write(folder / "in" / name, drawing(40 + len(name) * 7, 96, 96))
    assert curate(folder, features) == 0
    page = folder / "out" / "index.html"
    # The page's own text of the list, before and after a click on a box, as what a browser shows at the end.
    script = """<script>
      const before = keepText();
      // Not in an animation frame: without a screen, none may ever come.
      const waiting = setInterval(() => {
        const box = document.querySelector('input[data-index="' + items.names.indexOf("2.png") + '"]');
        if (!box) return;
        clearInterval(waiting);
        box.click();
        document.body.textContent = JSON.stringify([before, keepText()]);
      }, 20);
    </script></body>"""
    page.write_text(page.read_text("utf-8").replace("</body>", script), "utf-8")
    shown = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom",
         f"--user-data-dir={folder / 'profile'}", page.as_uri()],
        capture_output=True, text=True, timeout=600, check=True, env=os.environ | {"HOME": str(folder)},
    ).stdout  # fmt: skip
    body = re.search(r"<body[^>]*>(.*)</body>", shown, re.DOTALL)
    assert body is not None
    text = body[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&nbsp;", "\u00a0")
    before, after = json.loads(text)
    assert before == (folder / "out" / "keep.txt").read_text("utf-8")
    assert after == before.replace("2.png\n", "")
