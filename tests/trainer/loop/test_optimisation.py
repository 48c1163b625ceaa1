import copy
import math

import pytest
import torch
from torch import nn

from tests.trainer.runs import changed
from trainer.loop.optimisation import FusedAdam, balance_of, rate_factor, update_average


def test_the_generator_pauses_between_the_thresholds() -> None:
    balance = balance_of(changed(balance="dynamic").run)
    found = [balance.trains_generator(loss) for loss in (1.9, 1.99, 2.0, 1.8, 1.5, 1.49, 1.8, 2.5)]
    assert found == [True, True, False, False, False, True, True, False]
    again = balance_of(changed(balance="dynamic").run)
    again.load_state_dict(balance.state_dict())
    assert not again.trains_generator(1.8)


def test_a_fixed_ratio_and_none() -> None:
    balance = balance_of(changed(balance="ratio", balance_ratio=3).run)
    assert [balance.trains_generator(9.0) for _ in range(7)] == [False, False, True, False, False, True, False]
    again = balance_of(changed(balance="ratio", balance_ratio=3).run)
    again.load_state_dict(balance.state_dict())
    assert [again.trains_generator(9.0) for _ in range(2)] == [False, True]
    assert all(balance_of(changed().run).trains_generator(9.0) for _ in range(3))


def test_rates_rise_and_fall_by_the_clock() -> None:
    assert rate_factor(123, changed().run) == 1
    linear = changed(images=100, schedule="linear", decay_from=0.5, final_rate=0.1).run
    assert [rate_factor(each, linear) for each in (0, 50, 75, 100)] == pytest.approx([1, 1, 0.55, 0.1])
    cosine = changed(images=100, schedule="cosine").run
    assert [rate_factor(each, cosine) for each in (0, 50, 100, 200)] == pytest.approx([1, 0.5, 0, 0], abs=1e-9)
    warm = changed(images=100, batch=10, warmup_images=40).run
    assert [rate_factor(each, warm) for each in (0, 10, 30, 40, 90)] == pytest.approx([0.25, 0.5, 1, 1, 1])


def test_the_average_follows_at_its_half_life() -> None:
    torch.manual_seed(0)
    old, new = (nn.ModuleDict({"generator": nn.Linear(3, 3), "norm": nn.BatchNorm1d(3)}) for _ in range(2))
    new["norm"](torch.randn(5, 3))
    averaged = copy.deepcopy(old)
    update_average(averaged, new, half_lives=1.0)
    middle = (old["generator"].weight + new["generator"].weight) / 2
    assert torch.allclose(averaged["generator"].weight, middle, atol=1e-6)
    assert torch.equal(averaged["norm"].running_mean, new["norm"].running_mean)
    update_average(averaged, new, half_lives=math.inf)
    assert torch.equal(averaged["generator"].weight, new["generator"].weight)


def test_adam_continues_from_a_state_that_was_not_fused() -> None:
    """Checkpoints of earlier versions say that their Adam was not fused."""
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.ones(3)) for _ in range(2)]
    plain = torch.optim.Adam([weights[0]], 0.1, betas=(0.5, 0.9))
    fused = FusedAdam([weights[1]], 0.1, (0.5, 0.9), torch.device("cpu"))
    for step in range(4):
        if step == 2:
            fused.load_state_dict(copy.deepcopy(plain.state_dict()))
        for weight, optimizer in zip(weights, (plain, fused), strict=True):
            weight.grad = torch.arange(3.0) - 1 + step
            optimizer.step()
    assert fused.param_groups[0]["fused"] is True
    assert torch.allclose(weights[0], weights[1], atol=1e-6)
