"""Where a crawl begins, and what is said of a seed that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.frontier.seeds import SeedError, read_seeds

SCOPE = ["techidaily.com"]
BREAD = "https://one.techidaily.com/bread/"


@pytest.mark.parametrize(
    ("seed", "pages"),
    [
        (BREAD, [BREAD]),
        ("http://ONE.techidaily.com/bread/index.html#top", [BREAD]),
        ("one.techidaily.com", ["https://one.techidaily.com/"]),
        ("https://one.techidaily.com", ["https://one.techidaily.com/"]),
        ("one.techidaily.com/bread", [BREAD]),
    ],
)
def test_addresses_and_hosts(seed: str, pages: list[str]) -> None:
    assert read_seeds([seed, seed], SCOPE) == pages


def test_a_file_of_addresses(tmp_path: Path) -> None:
    file = tmp_path / "seeds.txt"
    file.write_text(
        f"\ufeff# The first\n{BREAD} # the best\n\n  two.techidaily.com\t\n{BREAD}\n", encoding="utf-8"
    )
    assert read_seeds([str(file)], SCOPE) == [BREAD, "https://two.techidaily.com/"]


POST_SOURCE = """---
title: "A: post"
---
Read [this](https://one.techidaily.com/inside/).

<span class="atpl-alsoreadstyle">Also read:</span>
<div><ul>
<li><a href="javascript:void(0)"><u>Odd</u></a></li>
<li><a href="https://one.techidaily.com/bread/index.html"><u>Bread</u></a></li>
<li><a href="https://example.org/shop/"><u>Shop</u></a></li>
</ul></div>
"""
ARCHIVED_POST = f"---\ntitle: a\nalso_read:\n- url: {BREAD}\n  text: Bread\n---\n\nText.\n"


@pytest.mark.parametrize("content", [POST_SOURCE, ARCHIVED_POST])
def test_a_post_stands_for_its_also_read_links(tmp_path: Path, content: str) -> None:
    post = tmp_path / "post.md"
    post.write_text(content, encoding="utf-8")
    assert read_seeds([str(post)], SCOPE) == [BREAD]


def test_without_a_seed_the_shipped_list() -> None:
    pages = read_seeds([], SCOPE)
    assert len(pages) > 20
    assert all(page.endswith(".techidaily.com/") for page in pages)


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        (
            "one.techidialy.com",
            "one.techidialy.com: no such file, and not a host of techidaily.com.",
        ),
        ("https://example.org/a/", "https://example.org/a/ is outside of what is crawled"),
        (
            "ftp://one.techidaily.com/",
            "'ftp://one.techidaily.com/' is not a valid address or host.",
        ),
        ("seeds.text", "seeds.text: no such file, and not a host of techidaily.com."),
        ("no/such/file", "no/such/file: no such file, and not a host of techidaily.com."),
    ],
)
def test_a_mistyped_seed(seed: str, said: str) -> None:
    with pytest.raises(SeedError) as raised:
        read_seeds([seed], SCOPE)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "seeds.txt",
            b"one.techidaily.com\nnot a host\n",
            "line 2: 'not a host' is not a valid address or host",
        ),
        (
            "seeds.txt",
            b"one.techidaily.com\nseeds.text\n",
            "line 2: seeds.text is outside of what is crawled",
        ),
        ("seeds.txt", b"", "is empty: write an address or a host on each line"),
        ("seeds.txt", b"\n# one.techidaily.com\n", "is empty: write an address or a host on each line"),
        ("seeds.txt", b"\xff\xfe\xfd", "can't be read as text"),
        ("post.md", b"---\n- [\n---\n", "has front matter that is not valid YAML"),
        (
            "post.md",
            b"---\na: " + b"[" * 50_000 + b"\n---\n",
            "has front matter nested more than 32 levels deep",
        ),
        ("post.md", b"---\ntitle: a\n---\nText.\n", "has no also-read links to begin with"),
    ],
)
def test_a_file_that_can_not_be_used(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SeedError, match=said) as raised:
        read_seeds([str(tmp_path / name)], SCOPE)
    assert name in str(raised.value)
