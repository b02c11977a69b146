from __future__ import annotations

from typing import Any

import pytest

from anonflow.errors import ConfigError
from anonflow.remote import access
from anonflow.remote.access import Access, Store, store_of


def test_schemes_of_one_store_are_one() -> None:
    assert (
        store_of("s3") is store_of("s3a")
        and store_of("az") is store_of("abfs")
        and store_of("gs") is store_of("gcs")
    )
    assert store_of("s3").is_writable and not store_of("https").is_writable
    with pytest.raises(ConfigError, match="'ftp:' addresses are not supported"):
        store_of("ftp")


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access.STORES, "s3", Store("s3", "no_such_module_s3fs", "s3"))
    with pytest.raises(ConfigError, match=r"pip install 'anonflow\[s3\]'"):
        Access().filesystem("s3")


def test_a_file_system_that_cannot_be_set_up_is_said_without_what_it_was_given() -> None:
    with pytest.raises(ConfigError, match=r"'memory:' cannot be set up \(TypeError\)") as raised:
        access._filesystem(Store("memory", "fsspec", ""), '{"hidden": 1, "protocol": 2}', 0)
    assert "hidden" not in str(raised.value)


def test_one_file_system_a_configuration() -> None:
    one = Access({"s3": {"endpoint_url": "http://a"}})
    assert one.filesystem("s3") is Access({"s3": {"endpoint_url": "http://a"}}, retry_s=1).filesystem("s3")
    assert one.filesystem("s3") is not Access({"s3": {"endpoint_url": "http://b"}}).filesystem("s3")
    assert one.filesystem("s3").endpoint_url == "http://a"


def test_options_add_to_the_defaults_also_within_them() -> None:
    made: Any = Access({"s3": {"config_kwargs": {"read_timeout": 7}, "anon": True}}).filesystem("s3")
    assert made.config_kwargs["read_timeout"] == 7 and made.config_kwargs["connect_timeout"] == 10
    assert made.anon and not made.dircache.use_listings_cache


def test_options_are_not_shown() -> None:
    assert "hidden" not in repr(Access({"s3": {"endpoint_url": "hidden"}}))
