"""The file of a partition: what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.errors import ConfigError
from baseboard.store.partition import load

# fmt: off
MISTAKES = [
    ("[machine]\ncore = 2",      "2: machine.core: no such setting; did you mean cores?"),
    ("[machine]\nnuma = 2",      '2: machine.numa: found 2; allowed: a list of sizes such as "4G"'),
    ("[machine]\nphbs = 3",      "2: machine.phbs: found 3; allowed: a list of numbers, 0 to 30"),
    ("[machine]\nram = 100",     '2: machine.ram: found 100; allowed: a size such as "512M"'),
    ("[dimm]\nid = 'a'",         '1: dimm: found {"id": "a"}; allowed: [[dimm]], up to 256'),
    ("[[dimm]]\nid = 'a'",       "1: dimm[1].size: is missing; allowed: a size such as"),
    ("[[card]]\nslot = 'C3'",    '2: card[1].slot: found "C3"; allowed: a whole number, 0 to 31'),
]
# fmt: on


@pytest.mark.parametrize(("text", "reason"), MISTAKES)
def test_mistakes(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as mistake:
        load(file)
    assert f"{file}:{reason}" in str(mistake.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """`baseboard init` writes one of a controller, which is another file."""
    with pytest.raises(
        ConfigError, match=r"No such file or directory; docs/reference/command-line.md shows one"
    ):
        load(tmp_path / "p.toml")
