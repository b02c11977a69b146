"""What is decided, and refused, before a run begins: its paths, its models, its sources, its key."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonflow.claims import require_exclusive
from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.detect.session import usable_provider
from anonflow.errors import ConfigError, StorageError, one_line
from anonflow.evidence.signing import SigningKey, read_signing_key
from anonflow.mask.regions import unmatched
from anonflow.observe.logs import told
from anonflow.pipeline.context import derive_keys
from anonflow.pipeline.lease import Hold, held, output_lease, work_lease
from anonflow.pipeline.paths import CONTROL_FOLDER, Paths
from anonflow.pipeline.sources import Listing, list_sources, local_path
from anonflow.remote.access import Access
from anonflow.remote.scratch import remove_orphans
from anonflow.storage import located, make_private_folder, naming_storage_errors, remove_tree, require_writable

log = logging.getLogger(__name__)

_MAX_WAIT_S = 30.0


def signing_key(config: AnonymizeConfig) -> SigningKey | None:
    """It stays in this process: stages have its path at most."""
    path = config.runtime.signing_key
    return read_signing_key(Path(local_path(path))) if path else None


def prepare_paths(config: AnonymizeConfig) -> Paths:
    """The paths of a new run, with folders that can be written to. Raises ConfigError."""
    access = config.runtime.access
    output = located(config.output, access)
    work = located(config.runtime.work_dir, access) if config.runtime.work_dir else output / CONTROL_FOLDER / "work"
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    shared = located(config.runtime.detections_dir, access) if config.runtime.detections_dir else None
    paths = Paths(output, work, run_id, derive_keys(config), shared)
    try:
        for folder in (output, work):
            require_writable(folder)
            require_exclusive(folder, _hasty(config).retry_s)
        with naming_storage_errors(output):
            output.mkdir(parents=True, exist_ok=True)
        # What lies in the control folder has names of files, at least; so it is for its owner alone.
        private = (paths.control, paths.control / "done", work, paths.partial)
        for folder in (*private, *([shared] if shared else [])):
            make_private_folder(folder)
        remove_orphans(access)
    except StorageError as error:
        raise ConfigError(f"output={config.output} cannot be used: {error}") from error
    return paths


def _hasty(config: AnonymizeConfig) -> Access:
    """To ask before anything starts: somebody waits for the answer."""
    access = config.runtime.access
    return replace(access, retry_s=min(access.retry_s, _MAX_WAIT_S))


def list_wanted(config: AnonymizeConfig, paths: Paths, only: Collection[str] | None) -> Listing:
    """The sources of the input; of them `only` these URIs, if given. Raises ConfigError if there are none."""
    listing = list_sources(config.input, paths.output, config.source, _hasty(config))
    if only is None:
        _tell_of_idle_regions(config, listing)
        return listing
    sources = tuple(source for source in listing.sources if source.uri in only)
    if not sources:
        raise ConfigError(f"Of the {len(only)} inputs that were asked for, none is in {config.input} any more.")
    if len(sources) < len(only):
        log.warning("%d of the inputs that were asked for are no longer there.", len(only) - len(sources))
    return replace(listing, sources=sources)


def _tell_of_idle_regions(config: AnonymizeConfig, listing: Listing) -> None:
    """A slip in a pattern leaves unhidden what somebody wanted hidden; but it may also be meant for other runs."""
    extra = told("idle_regions", "A pattern of the regions file matches none of the inputs' paths below the input.")
    for pattern in unmatched(config.regions, [source.relative_path for source in listing.sources]):
        log.warning(
            "Regions: %s matches none of the inputs' paths below the input.", one_line(pattern), extra=extra
        )


@contextmanager
def only_run_on(paths: Paths, lease_s: float) -> Iterator[Hold]:
    """Hold the leases of output and work; remove what a killed run left half."""
    folders = dict.fromkeys((output_lease(paths.output), work_lease(paths.work)))
    with held(folders, paths.run_id, lease_s) as hold:
        remove_tree(paths.partial)
        try:
            yield hold
        finally:
            if not hold.is_lost:  # else they are the other run's
                remove_tree(paths.partial)


def model_cache(config: AnonymizeConfig) -> Path:
    """Where weights that were fetched lie."""
    if config.runtime.model_cache:
        return Path(local_path(config.runtime.model_cache))
    return default_cache_dir()


def check_models(config: AnonymizeConfig, cache: Path) -> None:
    """Have every model at hand and verified before the first video is touched."""
    if config.runtime.address is None:
        usable_provider(config.runtime.provider)
    store = ModelStore(cache, [Path(local_path(folder)) for folder in config.runtime.model_dirs])
    for name, detector in sorted(config.detector.items()):
        for model in detector.models:
            store.load(model)
            log.info("Detector %s: %s (%s)", name, model.id, model.licence, extra=told("detector", detector=name))


def from_anywhere(config: AnonymizeConfig) -> dict[str, Any]:
    """The configuration as it holds in any working directory."""
    runtime = config.runtime
    names = ("work_dir", "detections_dir", "model_cache", "signing_key", "scratch_dir")
    places = {name: getattr(runtime, name) for name in names}
    absolute: dict[str, Any] = {name: _absolute(place) for name, place in places.items() if place is not None}
    absolute["model_dirs"] = [_absolute(folder) for folder in runtime.model_dirs]
    resolved = replace(config, input=_absolute(config.input), output=_absolute(config.output))
    return asdict(replace(resolved, runtime=replace(runtime, **absolute)))


def _absolute(place: str) -> str:
    return place if "://" in place or place.startswith("file:") else os.path.abspath(Path(place).expanduser())
