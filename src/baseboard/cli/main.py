"""`baseboard`: runs the command, and turns every error into one message and an exit code."""

from __future__ import annotations

import gc
import os
import sys

import click

from baseboard.cli.app import baseboard
from baseboard.errors import BaseboardError, ConfigError

FAILED, FIXABLE, INTERRUPTED = 1, 2, 130
TRACEBACK = "BASEBOARD_TRACEBACK"
"""Environment variable with which an error of our own shows where it comes from."""


def main() -> None:
    """Run the command line of this process."""
    gc.disable()  # a tenth of the start is looking for garbage among what is just being imported
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run() -> int:
    try:
        with baseboard.make_context("baseboard", sys.argv[1:]) as context:
            baseboard.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ConfigError as error:
        return _complain(error, FIXABLE)
    except BaseboardError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _confess(error)
    return 0


def _complain(error: BaseboardError, code: int) -> int:
    text = str(error)
    print(text if "\n" in text else f"baseboard: {text}", file=sys.stderr)  # several lines: one a mistake
    return code


def _confess(error: Exception) -> int:
    """An error of our own: no traceback, which may show a password, unless it is asked for."""
    print(
        f"baseboard: internal error ({type(error).__name__}): please report it, "
        f"with what {TRACEBACK}=1 in the environment shows",
        file=sys.stderr,
    )
    return FAILED
