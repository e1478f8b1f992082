"""Find texts that may be similar: MinHash signatures in bands, so that similar texts share one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b

from rensa import RMinHash

from pipelines.analysis.shingles import shingles

_PERMUTATIONS = 128
_BANDS = 21
_BAND_ROWS = 6
"""Values of a band. Of two texts with a similarity of 0.8, 99.8 % share a band; with 0.5, 28 %."""
_BAND_BYTES = 4 * _BAND_ROWS
_HASH_BYTES = 6
"""Short, as there are many in the catalog; that two bands have the same by chance costs a comparison."""
_SEED = 1
METHOD = (
    f"R-MinHash {RMinHash.ALGORITHM_VERSION}, {_PERMUTATIONS} permutations, {_BANDS} bands of {_BAND_ROWS}"
)
"""Bands are comparable only where they were made by the same method."""


def bands_of(texts: Sequence[str]) -> list[list[int]]:
    """Return the hashes of each text's bands; a text without words has none."""
    tokens = [list(shingles(text)) for text in texts]
    digests = RMinHash.digests_from_token_sets(tokens, _PERMUTATIONS, _SEED)
    return [_bands(digest) if own else [] for own, digest in zip(tokens, digests, strict=True)]


def _bands(digest: Sequence[int]) -> list[int]:
    signature = struct.pack(f"<{_PERMUTATIONS}I", *digest)
    return [_hash(band, signature[band * _BAND_BYTES : (band + 1) * _BAND_BYTES]) for band in range(_BANDS)]


def _hash(band: int, values: bytes) -> int:
    return int.from_bytes(blake2b(values, digest_size=_HASH_BYTES, salt=bytes([band])).digest(), "little")
