"""Write values as YAML with PyYAML."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import yaml

from crawler.items import iso

_LINE_WIDTH = 2**31 - 1
"""Characters to a line: no value is folded."""


class _Dumper(yaml.CSafeDumper):
    """Write times with `T` and `Z`, which every YAML reader takes for a time, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


_Dumper.add_representer(
    datetime, lambda dumper, moment: dumper.represent_scalar("tag:yaml.org,2002:timestamp", iso(moment))
)
# Numbers in YAML 1.2, though not in the 1.1 that PyYAML reads: a string that looks so is quoted for both.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$|0o[0-7]+$"),
    list("-+.0123456789"),
)


def dump(value: Any) -> str:
    """Return a value as a YAML block: keys in their order, one line a string, no line end behind the last."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE_WIDTH)
    return text.removesuffix("\n")
