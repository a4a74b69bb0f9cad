"""Python runs this when it starts, in each process of a full test run: `make test` puts this folder on PYTHONPATH."""

import os

if os.environ.get("GENVID_COVERAGE"):
    try:
        import branches
    except ImportError:
        pass  # a Python without slipcover, such as the one that sets up a first .venv
    else:
        branches.measure()
