"""A scripted provider of its own for one test: answers, requests, and the verdict."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mockserver.backend import Settings, settings_of
from mockserver.backend.script import Rule, Script, rule_of
from mockserver.backend.verdict import Verdict
from mockserver.dialects import addresses
from mockserver.errors import SessionError
from mockserver.serving.scripts import load_script, tapes_below
from mockserver.serving.server import MockServer
from mockserver.serving.sessions import LiveSession
from mockserver.testing.answers import Answer, Words, caller
from mockserver.testing.requests import AskedRequest, requests_of
from mockserver.testing.sharing import shared_server


class Llm(Words):
    """A session of a mock server; what is not scripted is made up.

    ``url`` is the address of the session, ``env`` has the variables with which clients of every
    provider ask it, and ``key`` is the key that they send. As a context manager it puts these into
    the environment of this process, and takes them back at the end.
    """

    def __init__(
        self, server: MockServer | None = None, *, settings: Settings | None = None
    ) -> None:
        self._session = (server or shared_server()).session(backend=settings or Settings())
        self.url = self._session.url
        self.key = (settings and settings.key) or addresses.DUMMY_KEY
        self._before: dict[str, str | None] = {}

    @property
    def env(self) -> dict[str, str]:
        """The variables from which clients read base URLs and keys."""
        return addresses.environment(self.url, self.key) | addresses.unproxied(os.environ)

    def __enter__(self) -> Self:
        found = self.env
        self._before = {name: os.environ.get(name) for name in (*found, *addresses.hidden())}
        for name in addresses.hidden():
            os.environ.pop(name, None)
        os.environ.update(found)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._session.close()

    def add(self, answer: Mapping[str, Any]) -> Answer:
        """Add an answer in the words of a script file, such as ``{"then": [...]}``."""
        return self._say(**answer)

    def load(self, path: str | Path) -> None:
        """Add the answers of a script file. Raises :class:`ScriptError` with file and line."""
        script = load_script(Path(path))
        self._session.do(lambda live: _backend(live).add(script))

    def only(self) -> None:
        """Let nothing be made up, and give each answer without a condition once.

        A request that is left gets a 4xx, and the verdict is red.
        """
        self._session.do(lambda live: _backend(live).add(Script(only=True)))

    @property
    def asked(self) -> list[AskedRequest]:
        """The requests so far, oldest first."""
        return requests_of(self._session.do(lambda live: live.seen))

    @property
    def unused(self) -> tuple[str, ...]:
        """Where the answers stand that were never given, such as ``test_app.py:7``."""
        return self._session.do(lambda live: _backend(live).script.unused)

    @property
    def verdict(self) -> Verdict:
        """What the requests prove of the application: ``text``, ``failed`` and ``findings``."""
        return self._session.verdict()

    def judge(self, answer: object) -> None:
        """Hand over what the application made of an answer.

        Every made-up text has a mark: the verdict knows by it that a cut answer was taken for one.
        """
        self._session.do(lambda live: live.state(answer=str(answer)))

    @contextmanager
    def one_call(self) -> Iterator[None]:
        """Say that all requests inside are one call of the application: retries are proved then.

        Raises :class:`SessionError` inside of another one.
        """
        self._session.do(LiveSession.begin_call)
        try:
            yield
        finally:
            self._session.do(LiveSession.end_call)

    def cancelled(self) -> None:
        """Say that the application cancelled its calls just now."""
        self._session.do(lambda live: live.state(cancelled=True))

    def timeout(self, seconds: float) -> None:
        """Say how long a silence the application shall bear."""
        self._session.do(lambda live: live.state(timeout=seconds))

    def excuse(self, check: str, reason: str) -> None:
        """Accept what a check of the verdict finds. Raises :class:`SessionError` for no reason."""
        self._session.do(lambda live: live.state(excuse=(check, reason)))

    def reset(self) -> None:
        """Forget answers, requests and statements; the address stays."""
        self._session.do(LiveSession.reset)

    def _say(self, **words: Any) -> Answer:
        where = caller()

        def said(words: Mapping[str, Any], old: Rule | None) -> Rule:
            rule = rule_of(dict(words), lambda _: where, tapes_below(Path()))
            self._session.do(lambda live: _put(live, old, rule))
            return rule

        return Answer(said, words)


def llm(server: MockServer | None = None, **settings: Any) -> Llm:
    """Open a scripted provider: ``with llm(seed=7, fail="429=10%") as provider: …``.

    ``settings`` are the words of :mod:`mockserver.backend.wording`. All of a process share one
    server, unless another is given. Raises :class:`ScriptError` for a mistake in a setting.
    """
    return Llm(server, settings=settings_of(settings, lambda path: f"llm({path[0]}=…)"))


def _put(live: LiveSession, old: Rule | None, rule: Rule) -> None:
    script = _backend(live).script
    if old is None:
        script.add([rule])
    else:
        script.replace(old, rule)


def _backend(live: LiveSession) -> Any:
    if live.backend is None:
        raise SessionError("the session has recordings only")
    return live.backend
