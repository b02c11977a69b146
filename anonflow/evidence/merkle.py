"""The Merkle tree hash of RFC 6962 (2.1), leaf by leaf: O(log n) memory however many leaves there are.

Leaves and nodes are hashed with different prefixes, so that a node can never be passed off as a leaf.
"""

from __future__ import annotations

import hashlib

_LEAF, _NODE = b"\x00", b"\x01"


class MerkleTree:
    """Takes leaves in their order; holds one hash for each complete subtree."""

    def __init__(self) -> None:
        """No leaves."""
        self._complete: list[tuple[int, bytes]] = []
        self.n_leaves = 0

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        size, node = 1, hashlib.sha256(_LEAF + leaf).digest()
        while self._complete and self._complete[-1][0] == size:
            _, left = self._complete.pop()
            size, node = 2 * size, _parent(left, node)
        self._complete.append((size, node))
        self.n_leaves += 1

    @property
    def root(self) -> str:
        """The tree hash over all leaves so far, hexadecimal; of no leaves the hash of nothing."""
        if not self._complete:
            return hashlib.sha256().hexdigest()
        *rest, (_, node) = self._complete
        for _, left in reversed(rest):
            node = _parent(left, node)
        return node.hex()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
