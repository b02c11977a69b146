"""Hide faces and licence plates in video archives too large for one machine."""

import os

__version__ = "0.1.0"

# ONNX Runtime for Linux, since 1.29, tells Microsoft what it runs on, what fails, and names and hashes of models,
# and keeps an identifier in ~/.cache, unless this is set before it is imported (its pull request 27379).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# Whenever a worker dies, Ray says so on the driver's standard output, amidst the summary; where it was for want of
# memory, with the command lines of all large processes, which name inputs. A run says itself that workers die.
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX", "running low on memory|worker died or was killed|retries remaining"
)
