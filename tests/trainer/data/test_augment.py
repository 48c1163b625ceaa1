import torch

from trainer.data.augment import draw_augmentation

KINDS = ("colour", "translation", "cutout")
CPU = torch.device("cpu")


def test_augmentation_changes_real_and_fake_alike_and_lets_the_gradient_through() -> None:
    augmentation = draw_augmentation(KINDS, 3, torch.Generator().manual_seed(0), CPU)
    pictures = torch.rand(3, 15, 32, 32).requires_grad_()
    changed_twice = augmentation(torch.cat([pictures, pictures]))
    assert torch.equal(changed_twice[:3], changed_twice[3:]) and not torch.equal(changed_twice[:3], pictures)
    assert torch.allclose(augmentation.part(slice(1, 2))(pictures[1:2]), changed_twice[1:2])
    (gradient,) = torch.autograd.grad(changed_twice.sum(), pictures)
    assert float(gradient.abs().sum()) > 0
    nothing = draw_augmentation((), 3, torch.Generator().manual_seed(0), CPU)
    assert nothing(pictures) is pictures


def test_translation_moves_all_channels_and_brings_in_zeros() -> None:
    augmentation = draw_augmentation(("translation",), 8, torch.Generator().manual_seed(3), CPU)
    pictures = 1 + torch.rand(8, 15, 32, 32)
    for before, after in zip(pictures, augmentation(pictures), strict=True):
        rows, cols = (torch.nonzero(after[0].amax(dim=axis) > 0).squeeze(1) for axis in (1, 0))
        assert len(rows) >= 28 and len(cols) >= 28
        down = int(rows[0]) or len(rows) - 32
        along = int(cols[0]) or len(cols) - 32
        inside = after[:, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        origin = before[:, max(0, -down) : 32 - max(0, down), max(0, -along) : 32 - max(0, along)]
        assert torch.equal(inside, origin)


def test_cutout_takes_at_most_a_quarter_and_colour_only_the_picture() -> None:
    random = torch.Generator().manual_seed(0)
    pictures = torch.ones(8, 15, 32, 32)
    cut = draw_augmentation(("cutout",), 8, random, CPU)(pictures)
    fraction = 1 - cut.mean(dim=(1, 2, 3))
    assert float(fraction.min()) > 0 and float(fraction.max()) <= 0.26
    noisy = torch.rand(8, 15, 32, 32)
    coloured = draw_augmentation(("colour",), 8, random, CPU)(noisy)
    assert torch.equal(coloured[:, 3:], noisy[:, 3:]) and not torch.allclose(coloured[:, :3], noisy[:, :3])
