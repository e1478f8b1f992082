"""Pages that were garbled at random are read, or refused with a reason.

`ALSOREAD_PAGES=FOLDER` garbles the pages of a folder; `python -m tests.support.mutations` does so without end.
"""

from __future__ import annotations

import pytest

from tests.support.mutations import pages, read_garbled


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0, 200, id="200"),
        *(
            pytest.param(n, n + 2_500, id=f"from {n}", marks=pytest.mark.long)
            for n in range(200, 5_200, 2_500)
        ),
    ],
)
def test_a_garbled_page_is_read_or_refused(first: int, last: int) -> None:
    originals = pages()
    articles = sum(read_garbled(originals, seed) for seed in range(first, last))
    assert articles > (last - first) // 4
