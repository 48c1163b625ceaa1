"""Damaged and malicious weights files: any bytes are loaded or refused, and no declared size allocates memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrainpaint.errors import WeightsError
from terrainpaint.models.weights import METADATA_KEY, load_weights
from tests.models.weights_files import CPU, HEADER, HEADER_END, ROOT, VALID, refusal

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def loads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        loaded = load_weights(path, CPU)
    except WeightsError as error:
        assert str(error).startswith(str(path))
    else:
        assert len(loaded.sha256) == 64


@FUZZ
@given(kept=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_refused(path: Path, kept: int) -> None:
    path.write_bytes(VALID[:kept])
    refusal(path)


@FUZZ
@given(changes=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_changed_bytes(path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    loads_or_refuses(path, bytes(data))


@FUZZ
@given(
    at=st.integers(0, HEADER_END - 1),
    removed=st.integers(0, 4),
    put=st.one_of(st.binary(max_size=4), st.sampled_from([b"9" * 30, b"-1", b"null", b'"', b"{", b"]", b"\\ud800"])),
)
def test_any_edit_of_the_header(path: Path, at: int, removed: int, put: bytes) -> None:
    header = VALID[8:HEADER_END]
    at = min(at, len(header))
    header = header[:at] + put + header[at + removed :]
    loads_or_refuses(path, len(header).to_bytes(8, "little") + header + VALID[HEADER_END:])


@FUZZ
@given(data=st.binary(max_size=200))
def test_any_bytes_at_all(path: Path, data: bytes) -> None:
    loads_or_refuses(path, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@FUZZ
@given(data=st.data())
def test_any_value_in_the_description(path: Path, data: st.DataObject) -> None:
    description = json.loads(HEADER.to_json())
    target = data.draw(st.sampled_from([description, description["config"], description["elevation"]]))
    target[data.draw(st.sampled_from([*target, "other"]))] = data.draw(JSON)
    tensors = safetensors.torch.load(VALID)
    loads_or_refuses(path, safetensors.torch.save(tensors, metadata={METADATA_KEY: json.dumps(description)}))


MALICIOUS = """
import json, resource, struct, sys
from pathlib import Path
import torch
from terrainpaint.errors import WeightsError
from terrainpaint.models.weights import load_weights

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder, valid = Path(sys.argv[1]), (Path(sys.argv[1]) / "valid").read_bytes()
load_weights(folder / "valid", torch.device("cpu"))
end = 8 + struct.unpack("<Q", valid[:8])[0]
header = json.loads(valid[8:end])
description = json.loads(header["__metadata__"]["terrainpaint"])

def attack(name, header, data_bytes=None, length=None):
    text = json.dumps(header).encode()
    path = folder / name
    with path.open("wb") as file:
        file.write(struct.pack("<Q", length or len(text)) + text)
        if data_bytes is None:
            file.write(valid[end:])
        else:
            file.truncate(8 + len(text) + data_bytes)  # sparse: it takes no space on the disk
    before = peak_mib()
    try:
        load_weights(path, torch.device("cpu"))
    except WeightsError as error:
        print(f"{peak_mib() - before:.0f} MiB for {name}: {error}")
        assert peak_mib() - before < 48
    else:
        raise AssertionError(name)

def described(**config):
    text = json.dumps({**description, "config": {**description["config"], **config}})
    return {**header, "__metadata__": {"terrainpaint": text}}

attack("a long header", header, length=1 << 33)
attack("a long header with its bytes", header, data_bytes=1 << 33, length=1 << 32)
attack("a wide network", described(widths=[4096] * 4, blocks=[16] * 4, hidden=4096))
attack("a wider network", described(widths=[10**9] * 4))
attack("a deep network", described(blocks=[10**7] * 4))
large = {"dtype": "F32", "shape": [1 << 31], "data_offsets": [0, 1 << 33]}
attack("one large tensor", {"__metadata__": header["__metadata__"], "generator.style_mix": large}, 1 << 33)
for shape in ([1 << 62, 4], [1 << 40], [0, 1 << 62]):
    attack("an invalid shape", {**header, "extra": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems report the peak of the memory in other units")
def test_malicious_sizes_allocate_no_memory(tmp_path: Path) -> None:
    (tmp_path / "valid").write_bytes(VALID)
    done = subprocess.run([sys.executable, "-c", MALICIOUS, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("MiB") == 9
