"""Hand the settings of a crawl to other processes, where its settings file and environment are not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from scrapy.settings import BaseSettings, Settings

from crawler.config.addons import LoopbackSettings
from crawler.config.options import DEFAULTS, scrapy_settings

_PROJECT_PRIORITY = 20
_OF_THIS_MACHINE = ("ADDONS",)
_BY_ENVIRONMENT = ("USER_AGENT", "ALSOREAD_LEASE_SECONDS")


def values_of(settings: Settings) -> dict[str, Any]:
    """Return the values that differ from the project's settings; those of the settings file are in them already."""
    resolved = settings.copy()
    LoopbackSettings().update_settings(resolved)
    return {
        name: _plain(resolved[name])
        for name in resolved
        if name in _BY_ENVIRONMENT
        or ((resolved.getpriority(name) or 0) > _PROJECT_PRIORITY and name not in _OF_THIS_MACHINE)
    }


def settings_from(values: Mapping[str, Any], **overrides: Any) -> Settings:
    """Return the project's settings with such values on top, and `overrides` over these."""
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(scrapy_settings(DEFAULTS), priority="default")
    settings.setdict({**values, "ADDONS": {}, **overrides}, priority="cmdline")
    return settings


def _plain(value: Any) -> Any:
    if isinstance(value, BaseSettings):
        return value.copy_to_dict()
    return os.fspath(value) if isinstance(value, os.PathLike) else value
