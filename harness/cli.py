"""The command line: find the verb, and turn every error into one message and an exit code.

A verb's module is imported when the verb is called, so that help answers at once.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import keyword
import os
import re
import sys
from collections.abc import Sequence

import click

from harness.reports.glyphs import show_marks
from mockserver import files

#: Each verb with a line of help. Its command is ``harness.commands.<verb>:command``, with ``_``
#: after a verb that is a Python keyword.
VERBS = {
    "init": "Write a wrapper of your client and its settings, to begin with.",
    "run": "Play scenarios to adapters and judge the results.",
    "smoke": "Try a program that speaks the client protocol, in seconds.",
    "fuzz": "Play answers that no scenario has, and shrink what fails.",
    "explain": "Replay one case and show what differs, side by side.",
    "serve": "Start the mock server for any client in any language.",
    "record": "Run a client against live endpoints and record the answers.",
    "list": "List scenarios, cases, cassettes, adapters, dialects or features.",
    "lint": "Check that specs and cassettes are valid and fit together.",
    "import": "Convert other tools' recordings to cassettes.",
    "convert": "Say cassettes in the wire format of another provider.",
    "verify": "Replay cassettes over a socket and compare every byte.",
    "report": "Convert the results of a run to another format.",
    "baseline": "Show or rewrite the known failures of an adapter.",
    "matrix": "Play the most important scenarios to the SDKs that people use.",
    "env": "Show, make or remove the environments of third-party clients.",
}
#: The exit codes that a shell gives to a program stopped by SIGINT, and by SIGPIPE.
INTERRUPTED, BROKEN_PIPE = 130, 141
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
#: The exit code for a program that was ended from inside, by code that is not ours.
ENDED = 3


class Verbs(click.Group):
    """The group of all verbs. Each is imported when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which help lists them."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb and return its command; ``None`` for an unknown one."""
        if cmd_name not in VERBS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"harness.commands.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or suggest the closest one."""
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            from mockserver.errors import did_you_mean

            raise click.UsageError(f"No such command {name!r}{did_you_mean(name, VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb. Click itself would exit with 1 for a broken pipe: a failed client."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _stop_writing()
            return BROKEN_PIPE

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    from harness.suite.formats import READS

    click.echo(f"tapecheck {version('tapecheck')}")
    for name, versions in READS.items():
        click.echo(f"  reads {name:{max(map(len, READS))}}  {versions}")
    ctx.exit()


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all as expected, 1 client failures or a stale baseline, "
    "2 a usage or spec error, 3 the harness or its environment.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and the file format versions that it reads.",
)
def tapecheck() -> None:
    """Play recorded provider streams to LLM clients and check what they return.

    \b
    tapecheck init openai                    begin with a client of your own
    tapecheck run                            every bundled adapter and scenario
    tapecheck run --adapter my_adapter.py    a client of your own
    tapecheck serve                          the mock server, for any SDK
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    # Python would look through all objects for garbage once more while it ends: 40 ms for nothing.
    atexit.register(gc.freeze)
    _open_streams()
    show_marks((sys.stdout, sys.stderr))
    try:
        code = tapecheck.main(arguments, prog_name="tapecheck", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_writing()
        code = BROKEN_PIPE
    except SystemExit as exc:
        if "_TAPECHECK_COMPLETE" in os.environ:
            raise  # a shell asks click for completions
        # No verb ends the program itself; a client, a dialect or a library did.
        click.echo(f"tapecheck: something that it runs ended the program: {exc!r}", err=True)
        code = ENDED
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except click.ClickException as exc:
        exc.show()
        code = exc.exit_code
    except Exception as exc:
        code = blame(exc)
        if code is None:
            raise
        click.echo(f"tapecheck: {_message(exc)}", err=True)
    sys.exit(code or 0)


def _open_streams() -> None:
    """Give closed standard streams a place: files opened later must not take their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


def _stop_writing() -> None:
    """Discard buffered output: flushing it at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def blame(exc: Exception) -> int | None:
    """Return the exit code of an error that a user can fix; ``None`` for any other.

    An input that cannot be used: 2. A port or an output that cannot be used: 3.
    """
    from harness.errors import HarnessError
    from mockserver.errors import MockServerError, ServerStartError, UnwritableError

    match exc:
        case HarnessError():
            return exc.exit_code
        case ServerStartError() | UnwritableError():
            return 3
        case MockServerError() | FileNotFoundError() | PermissionError():
            return 2
        case IsADirectoryError() | NotADirectoryError():
            return 2
        case OSError():
            return 3
    return None


def _message(exc: Exception) -> str:
    if isinstance(exc, OSError) and exc.strerror:
        # Whatever writes another file names it.
        name = exc.filename or ("standard output" if files.is_full(exc) else None)
        return f"{name}: {exc.strerror}" if name else exc.strerror
    # What a client says is in some messages, and may control the terminal.
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], str(exc))
