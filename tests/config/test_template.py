"""The settings file to start from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawler.config.file import read_file
from crawler.config.options import DEFAULTS, OPTIONS
from crawler.config.template import settings_template


def test_it_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "alsoread.toml").write_text(settings_template(), encoding="utf-8")
    assert read_file(tmp_path) == {}


@pytest.mark.parametrize("left_out", ["cron", "every"])
def test_every_option_can_be_set_by_removing_its_mark(tmp_path: Path, left_out: str) -> None:
    text = re.sub(rf"^#{left_out} = .*\n", "", settings_template(), flags=re.MULTILINE)
    (tmp_path / "alsoread.toml").write_text(
        re.sub(r"^#(?=\w)", "", text, flags=re.MULTILINE), encoding="utf-8"
    )
    values = read_file(tmp_path)
    assert values.keys() == OPTIONS.keys() - {f"schedule.{left_out}"}
    for key, option in OPTIONS.items():
        if option.default not in (None, []):
            assert values[key] == DEFAULTS[key]
        else:
            assert option.example, key
