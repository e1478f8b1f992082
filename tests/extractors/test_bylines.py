"""Each post content `bylines/NAME.html` gives the author and the body in `NAME.md`."""

from __future__ import annotations

from pathlib import Path

import frontmatter
import pytest

from crawler.extractors import extract
from tests.support.posts import POST, POST_URL

CONTENTS = sorted((Path(__file__).parent / "bylines").glob("*.html"))


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.stem)
def test_a_post_names_its_author(content: Path) -> None:
    article = extract((POST % content.read_text()).encode(), POST_URL)
    assert article is not None
    expected = frontmatter.loads(content.with_suffix(".md").read_text())
    metadata = {"author": article.author, "author_source": article.author_source, **article.extra}
    metadata |= {"images": [image.url for image in article.images]} if article.images else {}
    assert metadata == expected.metadata
    assert article.body == expected.content


def test_every_expectation_has_a_post() -> None:
    folder = Path(__file__).parent / "bylines"
    assert {path.stem for path in folder.iterdir()} == {path.stem for path in CONTENTS}
