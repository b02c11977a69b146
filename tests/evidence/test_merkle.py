from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.evidence.merkle import MerkleTree

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [  # the test vectors of Certificate Transparency's own code
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree(leaves: Sequence[bytes]) -> MerkleTree:
    made = MerkleTree()
    for leaf in leaves:
        made.add(leaf)
    return made


def recursive(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + recursive(leaves[:k]) + recursive(leaves[k:])).digest()


@pytest.mark.parametrize("n", range(9))
def test_roots_are_those_of_certificate_transparency(n: int) -> None:
    made = tree([bytes.fromhex(leaf) for leaf in LEAVES[:n]])
    assert (made.root, made.n_leaves) == (ROOTS[n], n)


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_streaming_gives_what_the_recursion_gives(leaves: list[bytes]) -> None:
    assert tree(leaves).root == recursive(leaves).hex()


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=20), st.data())
def test_any_other_leaves_have_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    removed = leaves[:place] + leaves[place + 1 :]
    changed = [*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]
    doubled = [*leaves[:place], leaves[place], *leaves[place:]]
    for other in (removed, changed, doubled, leaves[::-1]):
        if other != leaves:
            assert tree(other).root != tree(leaves).root


def test_memory_grows_with_the_logarithm() -> None:
    made = MerkleTree()
    for n in range(100_000):
        made.add(n.to_bytes(4, "big"))
    assert len(made._complete) == (100_000).bit_count()
