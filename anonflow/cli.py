"""The command `anonflow`: one word, then the Hydra job of that name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from anonflow import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `anonflow COMMAND ...`; give the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    command, rest = (given[0], given[1:]) if given and given[0] in COMMANDS else ("", given)
    if not command:
        parser.parse_args(rest)
        parser.print_help()
        return 2
    sys.argv = [f"anonflow {command}", *rest]
    return COMMANDS[command][0]()


def script() -> NoReturn:
    """The console script: run the command line, and end the process with its exit code."""
    code = main()
    from anonflow.pipeline.interrupts import leave  # noqa: PLC0415  # not before what it takes has been imported

    leave(code)


def _anonymize() -> int:
    from anonflow.jobs.anonymize import main as job  # noqa: PLC0415  # Ray and Hydra take a second to import

    return int(job())


def _demo() -> int:
    from anonflow.jobs.demo import main as job  # noqa: PLC0415

    return int(job())


def _leaks() -> int:
    from anonflow.jobs.leaks import main as job  # noqa: PLC0415

    return int(job())


def _evaluate() -> int:
    from anonflow.jobs.evaluate import main as job  # noqa: PLC0415

    return int(job())


def _calibrate() -> int:
    from anonflow.jobs.calibrate import main as job  # noqa: PLC0415

    return int(job())


def _compare() -> int:
    from anonflow.jobs.compare import main as job  # noqa: PLC0415

    return int(job())


def _verify() -> int:
    from anonflow.jobs.verify import main as job  # noqa: PLC0415

    return int(job())


def _status() -> int:
    from anonflow.jobs.status import main as job  # noqa: PLC0415

    return int(job())


def _retry() -> int:
    from anonflow.jobs.retry import main as job  # noqa: PLC0415

    return int(job())


def _clean() -> int:
    from anonflow.jobs.clean import main as job  # noqa: PLC0415

    return int(job())


COMMANDS: dict[str, tuple[Callable[[], int], str]] = {
    "anonymize": (_anonymize, "hide faces and licence plates in videos and pictures"),
    "status": (_status, "show how a run stands, while it runs and after"),
    "retry": (_retry, "take the quarantined inputs of an output folder once more"),
    "clean": (_clean, "remove what runs left on their way"),
    "demo": (_demo, "make a sample video and anonymise it"),
    "verify": (_verify, "check finished outputs against their sources"),
    "evaluate": (_evaluate, "judge the pipeline against annotated pictures and videos"),
    "calibrate": (_calibrate, "find thresholds and margins with a guarantee"),
    "compare": (_compare, "compare evaluations of the same videos"),
    "leaks": (_leaks, "measure what masks leak over time, against ground truth"),
}


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<12}{help_text}" for name, (_, help_text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="anonflow",
        usage="anonflow COMMAND [KEY=VALUE ...]",
        description="Hide faces and licence plates in video archives.",
        epilog=f"commands:\n{lines}\n\n"
        "Help on a command: anonflow COMMAND --help\n\n"
        "exit codes:\n"
        "  0  all inputs published or unchanged\n"
        "  2  wrong usage or configuration, nothing was done\n"
        "  3  some inputs were quarantined\n"
        "  1  anything else",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"anonflow {__version__}")
    return parser


if __name__ == "__main__":
    script()
