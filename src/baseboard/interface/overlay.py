"""An engine's table with the rows of quirks over it, and the quirky engine's actions in it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag
from typing import Any, TypeVar

Key = TypeVar("Key")
Action = TypeVar("Action")
Phase = TypeVar("Phase")
Input = TypeVar("Input")
Quirk = TypeVar("Quirk", bound=Flag)


def overlaid(
    steps: Mapping[Key, tuple[Action, Phase]],
    rows: Mapping[Quirk, Mapping[Key, tuple[Action, Phase]]],
    quirks: Quirk,
) -> dict[Key, tuple[Action, Phase]]:
    """The table with the rows of each of `quirks` over it, in their order."""
    result = dict(steps)
    for quirk, over in rows.items():
        if quirk in quirks:
            result.update(over)
    return result


def spread(
    *rows: tuple[Phase | tuple[Phase, ...], Input | tuple[Input, ...], Action, Phase],
) -> dict[tuple[Phase, Input], tuple[Action, Phase]]:
    """A table whose rows stand for one phase or several, and for one input or several."""
    return {
        (phase, input_): (action, after)
        for phases, inputs, action, after in rows
        for phase in (phases if isinstance(phases, tuple) else (phases,))
        for input_ in (inputs if isinstance(inputs, tuple) else (inputs,))
    }


def with_actions_of(
    engine: type, steps: Mapping[Key, tuple[Action, Phase]]
) -> dict[Key, tuple[Action, Phase]]:
    """The same table with the engine's own action where it has one of the same name."""

    def own(action: Any) -> Action:
        found: Action = getattr(engine, action.__name__)
        return found

    return {key: (own(action), after) for key, (action, after) in steps.items()}
