import pytest
import torch

from terrainpaint.errors import DeviceError
from terrainpaint.models import devices
from terrainpaint.models.devices import fast_dtype, linux_processor_features, one_core_left, pick_device

CPU = torch.device("cpu")


def test_a_missing_device_is_reported_in_a_sentence() -> None:
    with pytest.raises(DeviceError, match="no device 'nonsense'"):
        pick_device("nonsense")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx2", "avx512_f", "avx512_bw", "avx512_vl", "avx512_dq"}, torch.float32),  # Skylake: bfloat16 is emulated
        ({"avx2", "avx512_f", "avx512_bf16"}, torch.bfloat16),
        ({"avx2", "avx512_f", "amx_tile", "amx_bf16"}, torch.bfloat16),
        ({"neon", "bf16"}, torch.float32),
        (set(), torch.float32),
    ],
)
def test_a_processor_computes_bfloat16_only_with_instructions_for_it(
    features: set[str], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(devices, "processor_features", lambda: features)
    assert fast_dtype(CPU) == expected


def test_a_processor_without_onednn_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert fast_dtype(CPU) == torch.float32


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)]
)
def test_cuda_computes_bfloat16_from_capability_8_on(
    capability: tuple[int, int], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fast_dtype(torch.device("cuda")) == expected


def test_pytorch_and_linux_agree_about_the_processor() -> None:
    flags = linux_processor_features()
    if not flags or not hasattr(torch.cpu, "get_capabilities"):
        pytest.skip("needs Linux on x86 and a PyTorch that lists the features of the processor")
    known = torch.cpu.get_capabilities()
    for name in devices.BF16_INSTRUCTIONS | {"avx2"}:
        assert bool(known[name]) == (name in flags)


def test_one_core_is_left_and_given_back() -> None:
    threads = torch.get_num_threads()
    with one_core_left():
        assert torch.get_num_threads() == max(1, threads - 1)
    assert torch.get_num_threads() == threads
