"""Find adapters by name or file: the bundled ones, and those of users.

``openai-compat`` is a declaration in ``specs/adapters``; ``my_adapter.py`` and
``my_adapter.py:name`` a file with a function marked by :func:`harness.clients.interface.adapter`;
``package.module:name`` the same in an installed package; ``cmd: node my_client.mjs`` a program that
speaks the client protocol; ``sdk:openai-python-chat`` a third-party client in its environment. The
code of a user's adapter is not imported here, but in a process of its own, which sends back what
the adapter declares.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from harness.clients import exposes
from harness.clients.interface import Adapter, DeclarationError, exposed
from harness.clients.interface import adapter as declare
from harness.clients.launch import PREFIX, Command, InWorker, command_of
from harness.clients.workers import declaration
from harness.environments import listing
from harness.environments.listing import ThirdParty
from harness.errors import AdapterError
from harness.judge.baseline import Baseline
from harness.judge.kinds import Level
from harness.suite import bundled
from harness.suite.loader import describe, read_yaml
from harness.suite.schemas import definition, schema
from mockserver.dialects import dialects
from mockserver.errors import did_you_mean
from mockserver.vocabulary import JsonObject

#: What is judged beside what was found out, as if it were declared.
PROFILE = "framework"


def bundled_names() -> tuple[str, ...]:
    """Return the names of the adapters that come with tapecheck."""
    return tuple(sorted(p.stem for p in bundled.adapters().glob("*.yaml")))


def load(reference: str, *, in_process: bool = False) -> tuple[Adapter, Baseline]:
    """Load an adapter with its baseline: a bundled one here, others in a process of their own.

    With ``in_process`` others are loaded here too. Where it does not declare what it exposes, what
    an earlier whole run found out holds. Raises :class:`AdapterError` for one that cannot be found
    or imported, that is not marked, or that declares a dialect or feature which does not exist;
    :class:`~harness.errors.SetupError` for a third-party client whose environment is not made.
    """
    if (client := _third_party(reference)) is not None:
        adapter, baseline = _load_third_party(client, reference)
    elif reference.startswith(PREFIX):
        line = reference.removeprefix(PREFIX).strip()
        launch = InWorker(reference, command_of(reference, line))
        adapter = _declared_by(asyncio.run(declaration(launch)), launch)
        baseline = Baseline.empty(Path(reference))
    elif (path := _declared_command(reference)) is not None:
        adapter, baseline = _load_command(path, reference)
    elif in_process or reference in bundled_names():
        adapter, baseline = load_here(reference)
    else:
        path = Path(_file_of(reference))
        is_declared = path.suffix in {".yaml", ".yml"}
        baseline = _baseline_of(path) if is_declared else Baseline.empty(path)
        launch = InWorker(reference)
        adapter = _in_worker(asyncio.run(declaration(launch)), launch)
    if adapter.exposes is None and (words := exposes.read(adapter.name)) is not None:
        adapter = replace(adapter, exposes=exposed(PROFILE, words), listed=words)
    return adapter, baseline


def _third_party(reference: str) -> ThirdParty | None:
    """Return the third-party client that a reference, or a declaration, names; else ``None``."""
    if reference.startswith(listing.PREFIX):
        return listing.third_party(reference)
    if reference.endswith((".yaml", ".yml")):
        data = read_yaml(Path(_file_of(reference)), "adapter").data
        return listing.third_party(data["adapter"]) if "environment" in data else None
    return None


def _declared_command(reference: str) -> Path | None:
    """Return the declaration that a reference names, if its client is a command."""
    if not reference.endswith((".yaml", ".yml")):
        return None
    path = Path(_file_of(reference))
    return path if "command" in read_yaml(path, "adapter").data else None


def _load_command(path: Path, reference: str) -> tuple[Adapter, Baseline]:
    data = read_yaml(path, "adapter").data
    launch = InWorker(reference, command_of(reference, data["command"], path.parent))
    adapter = _declared_by(asyncio.run(declaration(launch)), launch)
    return _declared(replace(adapter, name=data["adapter"]), data), _baseline_of(path)


def _load_third_party(client: ThirdParty, reference: str) -> tuple[Adapter, Baseline]:
    """Load a client in its environment. The declaration says more than the client's hello."""
    from harness.environments import launching  # it loads what starts processes

    found = launching.launch_of(client)
    launch = InWorker(reference, Command(found.words))
    hello = asyncio.run(declaration(launch))
    speaks, listed = set(hello.get("dialects", ())), frozenset(client.dialects)
    if unknown := sorted(listed - speaks):
        raise AdapterError(
            f"{reference}: its shim {client.shim.name} does not declare the dialect {unknown[0]!r}",
            path=client.file,
            hint="list the dialects that the shim's hello declares",
        )
    adapter = _declared_by(hello, launch)
    releases = adapter.version or found.releases
    adapter = replace(adapter, name=client.name, dialects=listed, version=releases)
    document = read_yaml(client.file, "adapter")
    return _declared(adapter, document.data), _baseline_of(client.file)


def load_here(reference: str) -> tuple[Adapter, Baseline]:
    """Load an adapter in this process, with its baseline. Raises as :func:`load` does."""
    if reference in bundled_names():
        path = bundled.adapters() / f"{reference}.yaml"
        return _load_declaration(path)
    name = _file_of(reference)
    if name.endswith((".yaml", ".yml")):
        return _load_declaration(Path(name))
    path, attribute = Path(name), reference.partition(":")[2]
    module = _import_file(path) if _is_file(name) else _import_module(name)
    return _check(_find(module, attribute, reference), reference), Baseline.empty(path)


def _is_file(name: str) -> bool:
    return name.endswith(".py") or "/" in name


def _file_of(reference: str) -> str:
    """Return the file or module that a reference names. Raises :class:`AdapterError` for none."""
    if reference.endswith((".yaml", ".yml")):
        if not Path(reference).is_file():
            raise AdapterError("no such adapter declaration", path=reference)
        return reference
    name, colon, _ = reference.partition(":")
    if _is_file(name):
        if not Path(name).is_file():
            raise AdapterError("no such adapter file", path=name)
    elif not colon:
        raise AdapterError(
            f"no adapter {reference!r}{did_you_mean(reference, bundled_names())}",
            hint=f"bundled are {', '.join(bundled_names())}; or give a .py file, "
            "file.py:name, package.module:name, a declaration .yaml, sdk:NAME or "
            "'cmd: node my_client.mjs'",
        )
    return name


def declaration_of(adapter: Adapter) -> JsonObject:
    """Return what an adapter declares about itself, as JSON."""
    values = {f.name: getattr(adapter, f.name) for f in fields(Adapter) if f.name != "run"}
    return {n: sorted(v) if isinstance(v, frozenset) else v for n, v in values.items()}


def _declared_by(data: JsonObject, launch: InWorker) -> Adapter:
    """Make an adapter from what a command declares. Raises :class:`AdapterError`."""
    reference, check = launch.reference, definition("client_message", "declaration")
    assert check is not None
    if problem := next(iter(check.iter_errors(data)), None):
        raise AdapterError(
            f"{reference}: the declaration in its hello: {describe(problem)}",
            hint="docs/CLIENT_PROTOCOL.md has the words",
        )
    failures = frozenset(data.get("failures", ()))
    words = {name: value for name, value in data.items() if name not in ("failures", "version")}
    try:
        declared = declare(**words)(replace(launch, failures=failures))
    except DeclarationError as exc:
        raise AdapterError(f"{reference}: {exc}", hint=exc.hint) from None
    except ValueError as exc:
        raise AdapterError(f"{reference}: {exc}") from None
    return _check(replace(declared, version=data.get("version", "")), reference)


def _in_worker(data: JsonObject, launch: InWorker) -> Adapter:
    """Make an adapter from what it declares. Raises :class:`AdapterError` for a wrong value."""
    reference, hints = launch.reference, get_type_hints(Adapter)
    values: dict[str, Any] = {"run": launch}
    for field in fields(Adapter):
        if field.name == "run":
            continue
        value = data.get(field.name)
        if isinstance(value, list):
            value = frozenset(value) if all(isinstance(v, str) for v in value) else value
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, StrEnum) and value in list(hint):
            value = hint(value)
        if type(value) not in _kinds(hint):
            raise AdapterError(f"{reference}: {field.name} is declared as {value!r:.60}")
        values[field.name] = value
    try:
        return _check(Adapter(**values), reference)
    except ValueError as exc:
        raise AdapterError(f"{reference}: {exc}") from None


def _kinds(hint: Any) -> set[type]:
    """Return the classes that a type hint allows: of each alternative, the class itself."""
    either = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    return {get_origin(one) or one for one in either}


def _load_declaration(path: Path) -> tuple[Adapter, Baseline]:
    data = read_yaml(path, "adapter").data
    entry = data["entry"]
    name, _, attribute = entry.partition(":")
    module = _import_file(path.parent / name) if name.endswith(".py") else _import_module(name)
    adapter = _check(_find(module, attribute, entry), str(path))
    if adapter.name != data["adapter"]:
        raise AdapterError(
            f"the declaration names adapter {data['adapter']!r}, the code {adapter.name!r}",
            path=path,
            hint="use one name in both",
        )
    return _declared(adapter, data), _baseline_of(path)


def _baseline_of(path: Path) -> Baseline:
    document = read_yaml(path, "adapter")
    listed = document.data.get("baseline", ())
    lines = [document.line_of(("baseline", number)) for number in range(len(listed))]
    return Baseline.read(path, listed, lines)


def _declared(adapter: Adapter, data: JsonObject) -> Adapter:
    """Return the adapter with what its declaration says in place of what its code does."""
    changes: dict[str, Any] = {k: data[k] for k in ("errors", "granularity") if k in data}
    if "profile" in data or "exposes" in data:
        changes["exposes"] = exposed(data.get("profile"), data.get("exposes"))
        changes["listed"] = frozenset(data.get("exposes", ()))
    if "idle_timeout" in data:
        changes["gives_up"] = data["idle_timeout"] != "none"
    if "level" in data:
        changes["level"] = Level(data["level"])
    return replace(adapter, **changes)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AdapterError("no such adapter file", path=path)
    spec = importlib.util.spec_from_file_location(f"tapecheck_adapter_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    # The file's neighbours are importable, as they are when Python runs a script.
    directory = str(path.parent.resolve())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        spec.loader.exec_module(module)
    except DeclarationError as exc:
        line = _line_in(path, exc)
        raise AdapterError(str(exc), path=path, line=line, hint=exc.hint) from exc
    except Exception as exc:
        raise AdapterError(
            f"the adapter cannot be imported: {type(exc).__name__}: {exc}",
            path=path,
            line=_line_in(path, exc),
            hint="fix the file, or install what it imports",
        ) from exc
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except DeclarationError as exc:
        raise AdapterError(f"{name}: {exc}", hint=exc.hint) from exc
    except Exception as exc:
        raise AdapterError(
            f"module {name!r} cannot be imported: {type(exc).__name__}: {exc}",
            hint="install the package, or fix the name",
        ) from exc


def _line_in(path: Path, exc: Exception) -> int | None:
    line = exc.lineno if isinstance(exc, SyntaxError) else None
    trace = exc.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _find(module: ModuleType, attribute: str, reference: str) -> Adapter:
    if attribute:
        found = getattr(module, attribute, None)
        if isinstance(found, Adapter):
            return found
        raise AdapterError(
            f"{reference}: {attribute!r} is not an adapter",
            hint="mark the function with @harness.adapter(dialects=[…], features=[…])",
        )
    # An adapter that the file only imports is not the one it is about.
    marked = [
        value
        for value in vars(module).values()
        if isinstance(value, Adapter) and value.run.__module__ == module.__name__
    ]
    if len(marked) == 1:
        return marked[0]
    raise AdapterError(
        f"{reference}: {len(marked)} adapters in this file, one expected",
        hint="mark one function with @harness.adapter(dialects=[…], features=[…])"
        if not marked
        else "name one, as file.py:name",
    )


def _check(adapter: Adapter, reference: str) -> Adapter:
    for what, declared, known in (
        ("dialect", adapter.dialects, sorted(dialects())),
        ("feature", adapter.features, schema("scenario")["$defs"]["feature"]["enum"]),
    ):
        if unknown := sorted(declared - set(known)):
            raise AdapterError(
                f"{reference}: unknown {what} {unknown[0]!r}{did_you_mean(unknown[0], known)}",
                hint=f"known are {', '.join(known)}",
            )
    return adapter
