"""Front matter is written as PyYAML writes it, whatever the values are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import frontmatter
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.archive.front_matter import yaml_block
from tests.support.strings import YAML_TRAPS

_text = st.one_of(
    st.sampled_from(YAML_TRAPS), st.text(st.characters(exclude_categories=["Cs"])), st.text("a: #-'[\"é")
)
_simple = st.one_of(_text, st.dictionaries(_text, _text, max_size=3))
_value = st.one_of(
    _text,
    st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=0)
    ),
    st.lists(_simple, max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers() | _text, lambda inner: st.lists(inner, max_size=2)
    ),
)


def _in_pyyaml(values: dict[str, Any]) -> str:
    values = {key: _without_zone(value) for key, value in values.items()}
    text: str = yaml.dump(
        values,
        Dumper=_NoAliases,
        sort_keys=False,
        allow_unicode=True,
        width=2**31 - 1,
        default_flow_style=False,
    )
    return text


class _NoAliases(yaml.CSafeDumper):
    """Without aliases, and with the numbers of YAML 1.2 for numbers, so that texts like them are quoted."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


_NoAliases.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$|0o[0-7]+$"),
    list("-+.0123456789"),
)


class _Time(str):
    """A time as the archive writes it."""


_NoAliases.add_representer(
    _Time, lambda dumper, time: dumper.represent_scalar("tag:yaml.org,2002:timestamp", str(time))
)


def _without_zone(value: Any) -> Any:
    return _Time(f"{value:%Y-%m-%dT%H:%M:%S}.000Z") if isinstance(value, datetime) else value


@given(st.dictionaries(_text, _value, min_size=1, max_size=4))
@example({f"key{number}": text for number, text in enumerate(YAML_TRAPS)})
@example({text: text for text in YAML_TRAPS})
@example({"list": YAML_TRAPS, "links": [{"url": text, "text": text} for text in YAML_TRAPS]})
def test_it_is_what_pyyaml_writes(values: dict[str, Any]) -> None:
    assert f"{yaml_block(values)}\n" == _in_pyyaml(values)


@pytest.mark.parametrize("text", YAML_TRAPS)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    read = frontmatter.loads(f"---\n{yaml_block({'title': text, 'tags': [text]})}\n---\n")
    assert (read["title"], read["tags"]) == (text, [text])
