"""Read which third-party clients there are, and which environments they need.

``harness/adapters/third_party`` has the list: ``environments.yaml``, a file for each client in
``clients``, the releases of each environment in ``pins``, and the programs that speak the client
protocol in ``shims``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from harness.errors import AdapterError, SelectionError, SpecError
from harness.suite import bundled
from harness.suite.loader import read_yaml
from mockserver.errors import did_you_mean

#: What a reference to a third-party client begins with: ``sdk:openai-python-chat``.
PREFIX = "sdk:"
#: What it ends with for the newest releases instead of the pinned ones.
NEWEST = "@newest"


class Kind(StrEnum):
    """What runs in an environment."""

    PYTHON = "python"
    NODE = "node"

    @property
    def shown(self) -> str:
        """The name for people."""
        return "Python" if self is Kind.PYTHON else "Node.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment: what is installed, and ``pins``, the file that says which releases.

    ``alone`` are packages of Python that are installed without what they require.
    """

    name: str
    kind: Kind
    packages: tuple[str, ...]
    pins: Path
    alone: tuple[str, ...] = ()

    def key(self, runtime: str, *, newest: bool) -> str:
        """Return what tells this environment from others of its name: pins and ``runtime``.

        ``runtime`` is the interpreter with its version. For the newest releases the pins do not
        matter.
        """
        pinned = b"" if newest else self.pins.read_bytes()
        stated = "\n".join((self.kind, runtime, *self.packages, *self.alone)).encode()
        key = hashlib.sha256(stated + b"\n\n" + pinned).hexdigest()[:12]
        return f"newest-{key}" if newest else key


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """A third-party client: ``file`` is its declaration, ``shim`` the program that speaks for it.

    ``newest`` asks for the newest releases of its packages. An ``original`` is one whose work a
    bundled adapter does: it is played only when asked for.
    """

    name: str
    title: str
    environment: Environment
    shim: Path
    arguments: tuple[str, ...]
    dialects: tuple[str, ...]
    file: Path
    newest: bool = False
    original: bool = False

    @property
    def reference(self) -> str:
        """What names it after ``--adapter``."""
        return f"{PREFIX}{self.name}{NEWEST if self.newest else ''}"


@cache
def environments() -> dict[str, Environment]:
    """Return all environments by name, in order. Raises :class:`SpecError` for a wrong file."""
    root = bundled.third_party()
    path = root / "environments.yaml"
    found = {}
    for name, stated in read_yaml(path, "environments").data["environments"].items():
        kind = Kind(stated["kind"])
        suffix = "txt" if kind is Kind.PYTHON else "json"
        found[name] = Environment(
            name=name,
            kind=kind,
            packages=tuple(stated["packages"]),
            pins=root / "pins" / f"{name}.{suffix}",
            alone=tuple(stated.get("alone", ())),
        )
    return found


@cache
def third_parties() -> dict[str, ThirdParty]:
    """Return all third-party clients by name, in the order of their environments.

    Raises :class:`SpecError` for a wrong file.
    """
    root = bundled.third_party()
    found = [_read(path, root / "shims") for path in sorted((root / "clients").glob("*.yaml"))]
    order = list(environments())
    found.sort(key=lambda client: (order.index(client.environment.name), client.name))
    return {client.name: client for client in found}


def _read(path: Path, shims: Path) -> ThirdParty:
    document = read_yaml(path, "adapter")
    data = document.data
    if path.stem != data["adapter"] or "environment" not in data:
        raise SpecError(
            f"not the declaration of a third-party client {path.stem}",
            path=path,
            hint=f"it states 'adapter: {path.stem}', an environment and a shim",
        )
    environment = environments().get(data["environment"])
    if environment is None:
        raise SpecError(
            f"no environment {data['environment']!r}"
            f"{did_you_mean(data['environment'], environments())}",
            path=path,
            line=document.line_of(("environment",)),
            hint="environments.yaml beside this folder lists them",
        )
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return ThirdParty(
        name=data["adapter"],
        title=first.removeprefix("#").strip().rstrip("."),
        environment=environment,
        shim=shims / data["shim"],
        arguments=tuple(data.get("arguments", ())),
        dialects=tuple(data["dialects"]),
        file=path,
        original=data.get("tier") == "original",
    )


def third_party(reference: str) -> ThirdParty:
    """Return the client that ``sdk:NAME`` or ``sdk:NAME@newest`` names.

    Raises :class:`AdapterError` for an unknown one.
    """
    name = reference.removeprefix(PREFIX).removesuffix(NEWEST)
    known = third_parties()
    if name not in known:
        raise AdapterError(
            f"no third-party client {name!r}{did_you_mean(name, known)}",
            hint="'tapecheck list --what sdks' lists them",
        )
    return replace(known[name], newest=reference.endswith(NEWEST))


def chosen(names: Sequence[str]) -> tuple[Environment, ...]:
    """Return the environments of these names, each once; a client's name names the one it needs.

    No name means all but those that only originals need. Raises :class:`SelectionError` for an
    unknown one.
    """
    known = environments()
    if not names:
        clients = third_parties().values()
        usual = {client.environment.name for client in clients if not client.original}
        rare = {client.environment.name for client in clients if client.original} - usual
        return tuple(one for name, one in known.items() if name not in rare)
    found: dict[str, Environment] = {}
    for name in names:
        plain = name.removeprefix(PREFIX).removesuffix(NEWEST)
        if plain in known:
            found[plain] = known[plain]
        elif plain in third_parties():
            one = third_parties()[plain].environment
            found[one.name] = one
        else:
            both = dict.fromkeys((*known, *third_parties()))
            raise SelectionError(
                f"no environment {name!r}{did_you_mean(plain, both)}",
                hint="'tapecheck env list' lists them",
            )
    return tuple(found.values())


def clients_of(environment: Environment) -> Iterable[str]:
    """Yield the names of the clients that run in an environment."""
    return (c.name for c in third_parties().values() if c.environment == environment)
