"""Which steps train the generator: the balance between it and the discriminator."""

from __future__ import annotations

from typing import Protocol

from trainer.config import TrainConfig


class Balance(Protocol):
    """Asked once a step, after the discriminator was trained; what it remembers is part of a checkpoint."""

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Whether the generator is trained in this step."""

    def state_dict(self) -> dict[str, int]:
        """What is remembered."""

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Remember what `state_dict` gave."""


class FixedRatio:
    """The generator is trained in one step of so many."""

    def __init__(self, steps: int) -> None:
        self._steps, self._done = steps, 0

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Every so many steps, whatever the loss."""
        self._done = (self._done + 1) % self._steps
        return self._done == 0

    def state_dict(self) -> dict[str, int]:
        """Steps since the generator was trained."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on counting."""
        self._done = state["done"]


class Thresholds:
    """The generator rests from where the discriminator's loss is at or over one value until it is under another."""

    def __init__(self, stop: float, resume: float) -> None:
        self._stop, self._resume, self._runs = stop, resume, True

    def trains_generator(self, discriminator_loss: float) -> bool:
        """Judged by the loss of the step under way."""
        self._runs = discriminator_loss < (self._stop if self._runs else self._resume)
        return self._runs

    def state_dict(self) -> dict[str, int]:
        """Whether the generator rests."""
        return {"runs": int(self._runs)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on resting or training."""
        self._runs = bool(state["runs"])


def balance_of(config: TrainConfig) -> Balance:
    """The balance that a config asks for."""
    if config.balance == "dynamic":
        return Thresholds(config.balance_stop, config.balance_resume)
    return FixedRatio(config.balance_ratio if config.balance == "ratio" else 1)
