"""``tapecheck serve``: run the mock server until Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands import answering, greeting, request_log
from harness.commands import workers as workers_
from harness.commands.options import rule_of

if TYPE_CHECKING:
    from mockserver import MockServer

#: Seconds for the answers in progress to end after SIGTERM.
_DRAIN = 10.0


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[ANSWERS|DIR|FILE]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which clients may address it. May be repeated. Default: those of this machine; "
    "any name with another --host.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may use it, such as https://app.example. May be repeated. Pages of "
    "this machine always may.",
)
@click.option("--no-cors", is_flag=True, help="Do not let pages read the answers (no CORS).")
@click.option(
    "--port",
    "-p",
    default=0,
    type=click.IntRange(0, 65535),
    show_default="any free one",
    help="Port to listen on.",
)
@click.option(
    "--speed",
    default=0.0,
    type=click.FloatRange(min=0),
    help="0 plays without waits (the default), 1 as recorded, 10 ten times as fast.",
)
@click.option("--once", is_flag=True, help="Play each recording once; do not start over.")
@click.option(
    "--match-on",
    "parts",
    multiple=True,
    metavar="PARTS",
    help="What to compare in requests to a path without a prefix: method, path, query and body "
    "(all by default), or fields, such as body.model,body.messages. With 'strict', values that the "
    'provider takes for an absent field, such as "stream": false, are not its absence.',
)
@click.option(
    "--ignore",
    "-i",
    multiple=True,
    metavar="FIELD",
    help="A field that may differ, such as body.metadata.trace or query.at. May be repeated.",
)
@answering.options
@click.option(
    "--tls",
    is_flag=True,
    help="Speak TLS (https), with a certificate of its own. Needs the extra tls.",
)
@click.option(
    "--proxy",
    is_flag=True,
    help="Be a forward proxy that answers for every host in this way, for clients whose base URL "
    "cannot be set; prints the variables that lead them to it. Needs the extra tls.",
)
@click.option(
    "--workers",
    default=1,
    type=click.IntRange(1, 64),
    show_default=True,
    metavar="N",
    help="Processes that answer on the port. More than one serve recordings alone, and refuse what "
    "needs to know earlier requests: sessions, the journal, and several answers to equal requests.",
)
@click.option("--quiet", "-q", is_flag=True, help="Do not show requests.")
def command(
    files: tuple[Path, ...],
    host: str,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    no_cors: bool,
    port: int,
    speed: float,
    once: bool,
    parts: tuple[str, ...],
    ignore: tuple[str, ...],
    tls: bool,
    proxy: bool,
    workers: int,
    quiet: bool,
    answer: bool,
    save: Path | None,
    verdict: bool,
    **words: Any,
) -> int:
    """Start the mock server for any client in any language.

    Without DIR and FILE it answers every request, in each wire format that it knows: no model and
    no key is needed, and nothing is asked over the network. Otherwise it serves the cassettes below
    each DIR, and each FILE; what is not recorded is refused, unless there are ANSWERS or --answer.
    Plain vcrpy cassettes and HTTP archives are served as they are. Ctrl-C stops it.

    /c/CASSETTE/… answers from one cassette: yours, or without DIR and FILE the bundled ones.
    /c/CASSETTE/~WORDS/… sends it as a case does, with the words of its id, such as eol=crlf,bom=yes
    or cut=3; interactions=0+2 chooses answers.

    An ANSWERS file is a script in YAML: a list of answers, and when each is given. What it leaves
    open is answered as without it; docs/BACKEND.md has its words.

    \b
    tapecheck serve
    tapecheck serve answers.yaml --pace 50/s --verdict
    tapecheck serve cassettes/ --port 8080 --speed 1
    tapecheck serve recording.har --match-on method,path --answer
    tapecheck serve answers.yaml --proxy
    """
    from harness.suite import bundled
    from mockserver import MockServer
    from mockserver.library import settings
    from mockserver.serving import EveryHost, reserve

    project = settings.find(Path.cwd())
    scripts, cassettes = answering.split(files)
    asked = answering.Answering(
        scripts=scripts, cassettes=cassettes, answer=answer, verdict=verdict, words=words
    )
    kept = None
    if workers > 1:
        _check_workers(
            {
                "--once": once,
                "--tls": tls,
                "--proxy": proxy,
                "--verdict": asked.verdict,
                "--save": save is not None,
            }
        )
        if asked.is_on:
            raise click.UsageError(
                "--workers serves recordings alone, because made answers need the state of one "
                "process; name cassettes, or leave it out"
            )
        kept = reserve(host, port)
        port = kept.getsockname()[1]
    server = MockServer(
        cassettes or (bundled.cassettes(),),
        host=host,
        port=port,
        speed=speed,
        once=once,
        rule=rule_of(parts, ignore).over(project.rule),
        repeat=project.repeat,
        allow_hosts=hosts,
        allow_origins=origins,
        cors=not no_cors,
        backend=asked.settings(),
        by_request=bool(cassettes),
        shared=kept is not None,
        tls=tls,
        proxy_hosts=EveryHost(lambda line: click.echo(line, err=True)) if proxy else None,
    )
    if server.is_open:
        click.echo(
            f"warning: listening on {host}: whoever reaches it can read cassettes and requests; "
            "--allow-host narrows it to a name",
            err=True,
        )
    if cassettes:
        _check(server)
    signal.signal(signal.SIGTERM, _terminate)
    if kept is not None:
        with kept:
            _serve_together(server, asked, workers, quiet=quiet)
        return 0
    with server:
        _serve(server, lambda: _greet(server, asked), quiet=quiet)
        # The verdict stands, whether or not the answers may be written.
        code = _verdict(server) if asked.verdict else 0
        if save is not None:
            _save(server, save)
    return code


def _greet(server: MockServer, asked: answering.Answering) -> None:
    for line in greeting.lines(server, asked):
        click.echo(line)


def _serve(server: MockServer, begin: Callable[[], None], *, quiet: bool) -> None:
    """Show the requests to a running server until a signal."""
    from mockserver.serving import settle

    settle()
    log = request_log.RequestLog(server)

    def show(*, is_end: bool = False) -> None:
        for line in () if quiet else log.lines(is_end=is_end):
            click.echo(line, err=True)

    try:
        begin()
        while True:
            time.sleep(request_log.INTERVAL)
            show()
    except KeyboardInterrupt:
        show(is_end=True)
        click.echo("stopped", err=True)
    except _Terminated:
        _drain(server, show)


def _serve_together(
    server: MockServer, asked: answering.Answering, count: int, *, quiet: bool
) -> None:
    """Serve in several processes until a signal."""

    def work(listening: Callable[[], None]) -> None:
        with server:
            _serve(server, listening, quiet=quiet)

    try:
        with workers_.started(count, work):
            _greet(server, asked)
            workers_.wait()
    except (KeyboardInterrupt, _Terminated):
        click.echo("stopped", err=True)


def _check_workers(others: Mapping[str, bool]) -> None:
    """Refuse options that need the state of one process."""
    wrong = [name for name, is_given in others.items() if is_given]
    if wrong:
        raise click.UsageError(
            f"--workers and {' and '.join(wrong)} do not go together: {wrong[0]} needs the state "
            "of one process; leave one of them out"
        )


class _Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


def _terminate(_number: int, _frame: object) -> None:
    # Some send it twice at once, such as timeout(1) to the process and to its group.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _drain(server: MockServer, show: Callable[..., None]) -> None:
    """Let the answers in progress end, but not for ever."""
    try:
        # A later signal ends the wait. It may come as soon as this is read.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        click.echo(f"stopping; answers in progress have {_DRAIN:g} s to end", err=True)
        drained = server.drain(_DRAIN)
    except KeyboardInterrupt:
        drained = server.drain(0)
    show(is_end=True)
    click.echo("stopped" if drained else "stopped; some answers were interrupted", err=True)


def _save(server: MockServer, directory: Path) -> None:
    """Write the answers that were made. Raises :class:`RecordingError`."""
    from mockserver.recording import save_answers

    for path in save_answers(server.records_after(-1), directory):
        click.echo(f"saved {path}", err=True)


def _verdict(server: MockServer) -> int:
    """Print the verdict and return the exit code."""
    verdict = server.verdict()
    click.echo(verdict.text)
    return 1 if verdict.failed else 0


def _check(server: MockServer) -> None:
    """Name what cannot be served. Raises :class:`SelectionError` if nothing can be."""
    from harness.errors import SelectionError

    for error in server.library.unusable():
        click.echo(f"not served: {error}", err=True)
    if not server.library.readable:
        raise SelectionError(
            "no cassette that can be read, so there is nothing to serve",
            hint="name cassettes: *.yaml, *.yml and *.har files, or directories of them; "
            "'tapecheck import' converts those of other tools",
        )
