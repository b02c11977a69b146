from __future__ import annotations

import pytest

from anonflow.config.stores import check_options, given_options
from anonflow.errors import ConfigError


def test_stores_without_options_are_left_out() -> None:
    assert given_options({"s3": {"endpoint_url": "http://x"}, "gs": None}) == {"s3": {"endpoint_url": "http://x"}}


@pytest.mark.parametrize("secret", [{"key": "hidden"}, {"a": {"b": {"my_password": "hidden"}}}])
def test_credentials_are_refused_at_any_depth_and_not_repeated(secret: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"storage_options\.s3: (key|my_password): credentials") as raised:
        check_options("storage_options", {"s3": secret})
    assert "hidden" not in str(raised.value)


def test_an_unknown_store_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ConfigError, match=r"x\.ftp is unknown; choose one of: abfs, gs, http, s3"):
        check_options("x", {"ftp": {"a": 1}})
    check_options("x", {"abfs": None, "http": {"a": 1}})
