"""Faults at named functions of the program under test, in whatever process calls them; see `tests.faults.faults`.

`ANONFLOW_FAULTS` holds a JSON list. A function is wrapped when its module has been imported, so that modules which
import it by name later get the wrapped one. How often a fault has struck is counted in files of
`ANONFLOW_FAULTS_FOLDER`, because those whom it strikes forget.
"""

import ctypes
import functools
import importlib.machinery
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

_FOLDER = Path(os.environ.get("ANONFLOW_FAULTS_FOLDER", "."))
subject = ""
"""The input that this process works on, as its guard names it."""


def install() -> None:
    """Wrap the functions named in the environment as their modules are imported."""
    by_module: dict[str, list[dict[str, Any]]] = {}
    for fault in json.loads(os.environ["ANONFLOW_FAULTS"]):
        by_module.setdefault(fault["at"].partition(":")[0], []).append(fault)
    by_module.setdefault("anonflow.pipeline.guard", [])
    sys.meta_path.insert(0, _Finder(by_module))  # type: ignore[arg-type]  # it has what importlib asks for


class _Finder:
    """Finds the modules with faults where they are, and gives them a loader that plugs the faults in."""

    def __init__(self, by_module: dict[str, list[dict[str, Any]]]) -> None:
        self._by_module = by_module

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self._by_module:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) and spec.loader:
                spec.loader = _Loader(name, spec.loader, self._by_module[name])
                return spec
        return None


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module as its own loader does, then wraps functions in it."""

    def __init__(self, name: str, loader: Any, faults: list[dict[str, Any]]) -> None:
        super().__init__(name, loader.path)
        self._faults = faults

    def exec_module(self, module: Any) -> None:
        super().exec_module(module)
        if module.__name__ == "anonflow.pipeline.guard":
            module.make_result = _told(module.make_result)
        for fault in self._faults:
            *owners, name = fault["at"].partition(":")[2].split(".")
            owner = functools.reduce(getattr, owners, module)
            setattr(owner, name, _faulty(getattr(owner, name), fault))


def _told(make_result: Any) -> Any:
    """`make_result`, which lets this process know what it works on."""

    @functools.wraps(make_result)
    def wrapped(context: Any, result: Any, name: str, *arguments: Any, **named: Any) -> Any:
        global subject  # noqa: PLW0603  # one process works on one input at a time
        subject = name
        return make_result(context, result, name, *arguments, **named)

    return wrapped


def _faulty(function: Any, fault: dict[str, Any]) -> Any:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if fault["do"] == "replace":
            module, _, name = fault["with"].partition(":")
            return getattr(__import__(module, fromlist=[name]), name)(*arguments, **named)
        text = f"{subject} {arguments!r}" if fault.get("match") else ""
        concerned = re.search(fault.get("match", ""), text) is not None
        if concerned and fault.get("when", "before") == "before":
            strike(fault)
        given = function(*arguments, **named)
        if concerned and fault.get("when") == "after":
            strike(fault)
        return given

    return wrapped


def strike(fault: dict[str, Any]) -> None:
    """Do it, unless it was done as often as it is to be done, or its turn has not come."""
    call = _count(f"{fault['id']}.call")
    first = fault.get("skip", 0)
    if first < call <= first + fault.get("times", 1):
        DEEDS[fault["do"]](fault)


def _count(name: str) -> int:
    """How many calls there have been, this one included."""
    with (_FOLDER / name).open("ab") as calls:
        calls.write(b".")
        calls.flush()
        return calls.tell()


def _kill(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _crash(_: dict[str, Any]) -> None:
    """As a decoder that reads where it must not."""
    ctypes.string_at(0)


def _hang(_: dict[str, Any]) -> None:
    time.sleep(3600)


def _hang_in_c(_: dict[str, Any]) -> None:
    """As a library that hangs without giving the interpreter back."""
    ctypes.PyDLL(None).sleep(3600)


def _fail(fault: dict[str, Any]) -> None:
    kind, text = fault["error"]
    raise {"OSError": OSError, "MemoryError": MemoryError, "RuntimeError": RuntimeError}[kind](*text)


def _fill_object_store(fault: dict[str, Any]) -> None:
    """Hold objects in Ray's store for as long as this process lives."""
    import numpy as np
    import ray

    _held.extend(ray.put(np.ones(8 << 20, np.uint8)) for _ in range(fault["mebibytes"] // 8))


_held: list[Any] = []


def _wait_for_file(fault: dict[str, Any]) -> None:
    """Go on when the test says so."""
    until = time.monotonic() + 120
    while not (_FOLDER / fault["file"]).exists() and time.monotonic() < until:
        time.sleep(0.05)


DEEDS = {
    "kill": _kill,
    "stop": _stop,
    "crash": _crash,
    "hang": _hang,
    "hang_in_c": _hang_in_c,
    "fail": _fail,
    "fill_object_store": _fill_object_store,
    "wait": _wait_for_file,
}
