"""Live endpoints that can be recorded from. Nothing else is ever contacted.

The table is extended by a YAML file::

    providers:
      gateway:
        base_url: https://llm.example.com/v1
        header: x-api-key            # default: authorization
        scheme: ""                   # default: Bearer in authorization, else nothing
        key: GATEWAY_KEY             # variable with the real key; absent: no key is sent
        client:                      # variables that clients read
          base_url: [OPENAI_BASE_URL]
          key: [OPENAI_API_KEY]
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mockserver.cassettes import yaml_reader
from mockserver.dialects.addresses import DUMMY_KEY as DUMMY_KEY
from mockserver.errors import ProviderError, did_you_mean
from mockserver.serving.origins import origin_of


class Proof(Enum):
    """What a provider asks for where no key is set."""

    KEY = "key"
    SIGV4 = "signature of AWS"
    GOOGLE = "token of Google"
    ENTRA = "token of Microsoft Entra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A live endpoint.

    ``base_url`` is what a client's base URL would be; empty where each account has its own.
    ``key_variables`` name the environment variables of the real key, the first that is set
    counts; it is sent in ``header`` behind ``scheme``. ``client_url`` and ``client_key`` are
    the variables that clients read, ``hidden`` those with which they refuse a local address.
    ``hosts`` are patterns of other hosts of the same provider, such as those of its regions.
    ``proof`` is what the recorder makes where no key is set; for a signature of AWS, ``service`` is
    the name that it is for.
    """

    name: str
    base_url: str
    header: str = "authorization"
    scheme: str = "Bearer"
    key_variables: tuple[str, ...] = ()
    client_url: tuple[str, ...] = ()
    client_key: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    proof: Proof = Proof.KEY
    service: str = ""

    @property
    def url(self) -> SplitResult:
        """The parts of ``base_url``."""
        return urlsplit(self.base_url)

    @property
    def origin(self) -> str:
        """Scheme and authority of ``base_url``; empty if it has none."""
        return f"{self.url.scheme}://{self.url.netloc}" if self.base_url else ""

    @property
    def base_path(self) -> str:
        """The path of ``base_url``, without a slash at its end."""
        return self.url.path.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, so that no proxy is needed."""
        host = self.url.hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def is_at(self, origin: str) -> bool:
        """Return whether requests to an origin, without an implied port, are to this provider."""
        parts = self.url
        host = parts.hostname
        if host and origin == origin_of(parts.scheme, host, parts.port):
            return True
        scheme, _, other = origin.partition("://")
        # A name in a pattern is one label, so that no other domain fits.
        return scheme == "https" and any(
            fnmatchcase(other, pattern) and other.count(".") == pattern.count(".")
            for pattern in self.hosts
        )

    def at(self, base_url: str) -> Provider:
        """Return the same provider at another base URL. Raises :class:`ProviderError`."""
        return replace(self, base_url=_checked_url(base_url, self.name))

    def key(self, environment: Mapping[str, str]) -> str | None:
        """Return the real key, or ``None`` if another proof or none is needed.

        Raises :class:`ProviderError`.
        """
        if not self.key_variables:
            return None
        key = next((environment[v] for v in self.key_variables if environment.get(v)), None)
        if key is None and self.proof is not Proof.KEY:
            return None
        if key is None:
            raise ProviderError(
                f"provider {self.name} needs its key in {' or '.join(self.key_variables)}; "
                "set it to a real key"
            )
        if key == DUMMY_KEY:
            raise ProviderError(
                f"{self.key_variables[0]} is tapecheck's dummy key; "
                f"set it to a real key of {self.name}"
            )
        return key

    def credential(self, key: str) -> str:
        """Return the value of ``header`` for a key."""
        return f"{self.scheme} {key}" if self.scheme else key


def _openai_like(name: str, base_url: str, *key_variables: str) -> Provider:
    return Provider(
        name=name,
        base_url=base_url,
        key_variables=key_variables,
        client_url=("OPENAI_BASE_URL",),
        client_key=("OPENAI_API_KEY", *key_variables),
    )


#: The built-in providers, by name.
PROVIDERS: Mapping[str, Provider] = {
    p.name: p
    for p in (
        Provider(
            name="openai",
            base_url="https://api.openai.com/v1",
            key_variables=("OPENAI_API_KEY",),
            client_url=("OPENAI_BASE_URL",),
            client_key=("OPENAI_API_KEY",),
        ),
        Provider(
            name="anthropic",
            base_url="https://api.anthropic.com",
            header="x-api-key",
            scheme="",
            key_variables=("ANTHROPIC_API_KEY",),
            client_url=("ANTHROPIC_BASE_URL",),
            client_key=("ANTHROPIC_API_KEY",),
        ),
        Provider(
            name="gemini",
            base_url="https://generativelanguage.googleapis.com",
            header="x-goog-api-key",
            scheme="",
            key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            client_url=("GOOGLE_GEMINI_BASE_URL",),
            client_key=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ),
        Provider(
            name="bedrock",
            # Other regions: --upstream. The recorder replaces the client's signature by an API key
            # (https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html), or by its
            # own. botocore refuses plain HTTP with the variable of the key (BearerAuth in auth.py).
            base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
            key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
            client_url=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
            client_key=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            hidden=("AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
            proof=Proof.SIGV4,
            # botocore, data/bedrock-runtime/2023-09-30/service-2.json.
            service="bedrock",
            hosts=("bedrock-runtime.*.amazonaws.com", "bedrock-runtime-fips.*.amazonaws.com"),
        ),
        Provider(
            name="vertex",
            # Regions: --upstream (python-genai, google/genai/_api_client.py). The token that a
            # client makes is replaced by the recorder's.
            base_url="https://aiplatform.googleapis.com",
            client_url=("GOOGLE_VERTEX_BASE_URL",),
            hosts=("*-aiplatform.googleapis.com", "aiplatform.*.rep.googleapis.com"),
            proof=Proof.GOOGLE,
        ),
        Provider(
            name="azure-entra",
            base_url="",
            # The SDK of OpenAI sends this as a bearer token (openai/lib/azure.py).
            client_url=("AZURE_OPENAI_ENDPOINT",),
            client_key=("AZURE_OPENAI_AD_TOKEN",),
            proof=Proof.ENTRA,
        ),
        Provider(
            name="azure",
            base_url="",
            header="api-key",
            scheme="",
            key_variables=("AZURE_OPENAI_API_KEY",),
            client_url=("AZURE_OPENAI_ENDPOINT",),
            client_key=("AZURE_OPENAI_API_KEY",),
        ),
        Provider(
            name="cohere",
            base_url="https://api.cohere.com",
            # The SDK takes either key (cohere-python, src/cohere/client.py).
            key_variables=("CO_API_KEY", "COHERE_API_KEY"),
            client_url=("CO_API_URL",),
            client_key=("CO_API_KEY", "COHERE_API_KEY"),
        ),
        Provider(
            name="groq",
            # The SDK adds /openai/v1 itself (groq-python, src/groq/_client.py).
            base_url="https://api.groq.com",
            key_variables=("GROQ_API_KEY",),
            client_url=("GROQ_BASE_URL",),
            client_key=("GROQ_API_KEY",),
        ),
        Provider(
            name="codex",
            base_url="https://chatgpt.com/backend-api/codex",
            key_variables=("CODEX_ACCESS_TOKEN",),
            client_key=("CODEX_ACCESS_TOKEN",),
        ),
        _openai_like("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
        _openai_like(
            "gemini-compat",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY",
            "GOOGLE_API_KEY",
        ),
        _openai_like("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        _openai_like("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        _openai_like("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        _openai_like("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
        _openai_like("llamacpp", "http://127.0.0.1:8080/v1"),
        _openai_like("litellm", "http://127.0.0.1:4000/v1"),
        _openai_like("lmstudio", "http://127.0.0.1:1234/v1"),
        _openai_like("vllm", "http://127.0.0.1:8000/v1"),
        Provider(name="ollama", base_url="http://127.0.0.1:11434", client_url=("OLLAMA_HOST",)),
    )
}


def load(path: Path) -> dict[str, Provider]:
    """Return the known providers with those of a YAML file. Raises :class:`ProviderError`."""
    try:
        data = yaml_reader.read(path.read_bytes()).data
    except OSError as exc:
        raise ProviderError(f"{path}: cannot be read: {exc.strerror}") from None
    except yaml_reader.YamlError as exc:
        place = path if exc.line is None else f"{path}:{exc.line}"
        raise ProviderError(f"{place}: {exc.message} ({exc.hint})") from None
    match data:
        case {"providers": dict(entries), **rest} if not rest:
            own = {str(name): _provider(str(name), entry, path) for name, entry in entries.items()}
            return {**PROVIDERS, **own}
    raise ProviderError(f"{path}: expected only a mapping 'providers', from names to providers")


def find(name: str, known: Mapping[str, Provider] = PROVIDERS) -> Provider:
    """Return a provider by name. Raises :class:`ProviderError` that lists the names."""
    if name not in known:
        close = did_you_mean(name, known)
        raise ProviderError(
            f"no provider {name!r}{close}; known providers: {', '.join(sorted(known))}"
        )
    return known[name]


def of_uri(uri: str, known: Iterable[Provider] = PROVIDERS.values()) -> Provider | None:
    """Return the provider to which a recorded request was sent: the longest base URL counts.

    At another host of a provider, such as one of its regions, it is that provider at that host.
    """
    known = tuple(known)
    fitting = [
        p for p in known if p.base_url and f"{uri}/".startswith(f"{p.base_url.rstrip('/')}/")
    ]
    if fitting:
        return max(fitting, key=lambda p: len(p.base_url))
    scheme, _, rest = uri.partition("://")
    origin = f"{scheme}://{rest.partition('/')[0]}"
    return next(
        (p.at(origin) for p in known if p.hosts and p.origin != origin and p.is_at(origin)), None
    )


def _provider(name: str, entry: Any, path: Path) -> Provider:
    known = {"base_url", "header", "scheme", "key", "client"}
    place = f"{path}: provider {name!r}"
    if not isinstance(entry, dict) or not entry.keys() <= known or "base_url" not in entry:
        raise ProviderError(f"{place}: needs base_url; allowed are {', '.join(sorted(known))}")
    client = entry.get("client") or {}
    if not isinstance(client, dict) or not client.keys() <= {"base_url", "key"}:
        raise ProviderError(
            f"{place}: client allows only base_url and key, each a list of variables"
        )
    header = str(entry.get("header", "authorization")).lower()
    return Provider(
        name=name,
        base_url=_checked_url(str(entry["base_url"]), place),
        header=header,
        scheme=str(entry.get("scheme", "Bearer" if header == "authorization" else "")),
        key_variables=_variables(entry.get("key"), place),
        client_url=_variables(client.get("base_url"), place),
        client_key=_variables(client.get("key"), place),
    )


def _variables(value: Any, place: str) -> tuple[str, ...]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    for name in values:
        # A value in place of a name would be a key in a file, and in this message.
        if not isinstance(name, str) or not name.isidentifier():
            raise ProviderError(f"{place}: give the name of an environment variable, not a value")
    return tuple(values)


def _checked_url(url: str, place: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ProviderError(f"{place}: a base URL must look like http(s)://host/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ProviderError(f"{place}: a base URL must not have credentials, a query or a fragment")
    return url.rstrip("/")
