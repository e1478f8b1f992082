"""Read seeds: addresses, hosts, files of them, and posts whose also-read links are the seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from crawler.errors import UsageError
from crawler.urls import canonical_or_none, in_scope

SEEDS = Path(__file__).with_name("seeds.txt")
"""The default seeds."""

_COMMENT = re.compile(r"(^|\s)#.*")


class SeedError(UsageError):
    """A seed that is not valid; the message names it and says what is."""


def read_seeds(seeds: Sequence[str], scope: Sequence[str]) -> list[str]:
    """Return the canonical addresses of the seeds, each once; a host is its home page. Raises SeedError."""
    pages = (page for seed in seeds or [str(SEEDS)] for page in _read_seed(seed, scope))
    return list(dict.fromkeys(pages))


def _read_seed(seed: str, scope: Sequence[str]) -> Iterator[str]:
    path = Path(seed)
    if "://" in seed or not path.exists():
        yield _address(seed, scope)
    elif path.is_dir():
        raise SeedError(
            f"{seed} is a folder: name a file of addresses, a Markdown post, an address or a host."
        )
    elif path.suffix.lower() in (".md", ".markdown"):
        yield from _read_post(path, scope)
    else:
        yield from _read_list(path, scope)


def _address(seed: str, scope: Sequence[str], where: str = "") -> str:
    """Return the canonical address of an address or host; `where` it stands, if that is a line of a file."""
    has_scheme = "://" in seed
    url = canonical_or_none(seed if has_scheme else f"https://{seed}")
    if url and in_scope(url, scope):
        return url
    domains = ", ".join(scope)
    if not (has_scheme or where):
        raise SeedError(f"{seed}: no such file, and not a host of {domains}.")
    if url is None:
        raise SeedError(f"{where}{seed!r} is not a valid address or host.")
    raise SeedError(f"{where}{seed} is outside of what is crawled ({domains} and its subdomains).")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"{path} can't be read as text: {error}.") from None


def _read_list(path: Path, scope: Sequence[str]) -> Iterator[str]:
    """Read a file with one address or host a line; `#` begins a comment."""
    lines = [_COMMENT.sub("", line).strip() for line in _read_text(path).splitlines()]
    if not any(lines):
        raise SeedError(f"{path} is empty: write an address or a host on each line.")
    for number, seed in enumerate(lines, 1):
        if seed:
            yield _address(seed, scope, where=f"{path}, line {number}: ")


def _read_post(path: Path, scope: Sequence[str]) -> Iterator[str]:
    """Read the also-read links of a Markdown post."""
    from crawler.frontier.seed_posts import also_read_links  # slow to load, and rarely needed
    from pipelines.importing.front_matter import InvalidFile

    try:
        links = also_read_links(_read_text(path))
    except InvalidFile as error:
        raise SeedError(f"{path} has {error}.") from None
    seeds = [url for url in map(canonical_or_none, links) if url and in_scope(url, scope)]
    if not seeds:
        raise SeedError(f"{path} has no also-read links to begin with.")
    yield from seeds
