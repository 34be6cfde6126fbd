"""The configuration file: each kind of mistake is named with its line; the written one is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baseboard.errors import ConfigError
from baseboard.store.configuration import Configuration, load
from baseboard.store.template import template, toml


def mistakes(tmp_path: Path, text: str | bytes) -> list[str]:
    file = tmp_path / "b.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[lan]\nport = 70000", "b.toml:2: lan.port: found 70000; allowed: a whole number, 0 to 65535"
        ),
        pytest.param(
            '[lan]\nport = "1"', 'b.toml:2: lan.port: found "1"; allowed: a whole number, 0 to 65535'
        ),
        pytest.param("\n\nlan = 3", "b.toml:3: lan: found 3; allowed: a table"),
        pytest.param(
            "[sel]\n# x\nlog_clearing = 1", "b.toml:3: sel.log_clearing: found 1; allowed: true or false"
        ),
        pytest.param(
            "[lan]\ncipher_suites = [\n 17,\n 5]",
            "b.toml:4: lan.cipher_suites[2]: found 5; "
            "allowed: a list of 0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17",
        ),
        pytest.param(
            '[power]\nkind = "none"',
            'b.toml:2: power.kind: found "none"; allowed: one of "simulated", "vm", "qemu"',
        ),
        pytest.param(
            "[console]\nadress = 1",
            "b.toml:2: console.adress: no such setting; did you mean address? (there are address)",
        ),
        pytest.param(
            "sensors = 1",
            "b.toml:1: sensors: no such setting; did you mean sensor? "
            "(there are lan, user, identity, vm, function, console, "
            "power, sel, pef, alert, sol, fru, simulation, sensor, serial_channel, "
            "ipmb, satellite)",
        ),
        pytest.param(
            '[[user]]\nname = "a"\n[[user]]\nname = "abcdefghijklmnopq"',
            'b.toml:4: user[2].name: found "abcdefghijklmnopq"; allowed: text of 1 to 16 bytes',
        ),
        pytest.param(
            '[[user]]\npassword = "geheim"',
            "b.toml:2: user[1].password: a password is not written here; name a file with password_file",
        ),
        pytest.param(
            '\n[[sensor]]\nname = "x"',
            'b.toml:2: sensor[1].type: is missing; allowed: a sensor type\'s name, as in "temperature"',
        ),
        pytest.param(
            '[fru]\nproduct_name = "日本"',
            'b.toml:2: fru.product_name: found "日本"; allowed: text of up to 63 characters of Latin-1',
        ),
        pytest.param(
            "[lan]\nport 6230", "b.toml:2: Expected '=' after a key in a key/value pair: found port 6230"
        ),
        pytest.param("[lan]\n[lan]", "b.toml:2: Cannot declare ('lan',) twice: found [lan]"),
        pytest.param("a = 1\na = 2", "b.toml:2: Cannot overwrite a value"),
        pytest.param('[lan]\nhost = "', "b.toml:2: Unterminated string"),
        pytest.param(b"[lan]\n# \xff", "b.toml:2: byte FFh is not UTF-8, which TOML is"),
    ],
)
def test_a_mistake(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert mistakes(tmp_path, text) == [message]


def test_every_mistake_is_told_in_the_files_order(tmp_path: Path) -> None:
    lines = mistakes(tmp_path, "[sel]\ncapacity = 0\nfull = 1\n[lan]\nsessions = 64\n")
    assert [line.partition(": ")[0] for line in lines] == ["b.toml:2", "b.toml:3", "b.toml:5"]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: No such file.*; `baseboard init .*nowhere.toml`"):
        load(tmp_path / "nowhere.toml")


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("")
    assert load(tmp_path / "b.toml")[0] == Configuration.model_validate({})


def uncommented() -> str:
    lines = template().splitlines()
    return "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in lines
    )


def test_the_written_file_is_right_as_it_is_and_with_every_setting_switched_on(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text(template())
    assert load(file)[0] == Configuration.model_validate({})
    file.write_text(uncommented())
    configuration, source = load(file)
    assert configuration.lan.port == 623
    for name, field in Configuration.model_fields.items():
        section = source.data[name][0] if isinstance(source.data[name], list) else source.data[name]
        value = getattr(configuration, name)
        declared = type(value[0] if isinstance(value, list) else value).model_fields
        assert list(section) == list(declared), field


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab\n", max_size=3)
nested = st.recursive(values, lambda inner: st.lists(inner, max_size=2), max_leaves=3)


def sections() -> Any:
    names = {name: list(_fields(name)) for name in Configuration.model_fields}
    return st.sampled_from(sorted(names)).flatmap(
        lambda name: st.tuples(
            st.just(name), st.dictionaries(st.sampled_from([*names[name], "other"]), nested)
        )
    )


def _fields(name: str) -> Any:
    value = getattr(load_all(), name)
    return type(value[0] if isinstance(value, list) else value).model_fields


def load_all() -> Configuration:
    import tomllib

    return Configuration.model_validate(tomllib.loads(uncommented()))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(section=sections(), array=st.booleans())
def test_any_values_are_taken_or_refused_with_a_line(
    tmp_path: Path, section: tuple[str, dict[str, Any]], array: bool
) -> None:
    name, table = section
    head = f"[[{name}]]" if array else f"[{name}]"
    body = "".join(f"{key} = {toml(value)}\n" for key, value in table.items() if value is not None)
    (tmp_path / "b.toml").write_text(f"{head}\n{body}")
    try:
        load(tmp_path / "b.toml")
    except ConfigError as error:
        assert all(line.startswith(f"{tmp_path}/b.toml:") for line in str(error).splitlines())  # noqa: PT017


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "b.toml").write_bytes(data)
    try:
        load(tmp_path / "b.toml")
    except ConfigError as error:
        assert f"{tmp_path}/b.toml" in str(error)  # noqa: PT017


def test_the_reference_shows_the_written_file() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text()
    assert f"```toml\n{template()}```\n" in text, "write the output of `baseboard init -` into it"
