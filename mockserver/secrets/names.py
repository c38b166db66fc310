"""Which headers, query parameters and fields of bodies have secrets, by name: the one list.

Headers are allowed by name, never blocked by name: a list of bad names fails open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mockserver.cassettes.cassette import Headers, Request
from mockserver.dialects.registry import form
from mockserver.secrets import placeholder

PLACEHOLDER = placeholder.WORD

#: Request headers about the transport of the body; a report shows them and those that a
#: recording keeps.
_TRANSPORT_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "transfer-encoding"}
)

#: Names of credentials, in lower case and without what separates words. A longer name that ends
#: with one, word by word, is one, too: ``SERP_API_KEY``, ``userAccessToken``. OAuth 2.0 and its
#: extensions (RFC 6749, 7521, 7636, 8628, 8693), OpenID Connect, AWS, Azure, Google and the
#: providers' own: what requests carry for MCP servers, search indexes and connectors.
CREDENTIALS = frozenset(
    """
    accesskey accesskeyid accesstoken accountkey actortoken adminkey adminpassword apikey apikeys
    apisecret apitoken appkey apppassword appsecret authkey authorization authorizationcode
    authorizationtoken authtoken azureadtoken bearertoken bottoken clientassertion
    clientcredential clientkey clientsecret codeverifier connectionstring connstring
    consumersecret csrftoken customerkey databaseurl dbpassword deploykey devicecode
    devicetoken encodedapikey encryptedkey encryptionkey hmackey hmacsecret idtoken
    identitytoken idtokenhint integrationkey jwttoken licensekey logintoken loginticket
    masterkey mastersecret mfatoken oauthtoken oauthtokensecret oauthverifier openaikey
    otpsecret passphrase pat personalaccesstoken privatekey privatekeyid proxyauthorization
    refreshtoken requesttoken resettoken rootpassword samlresponse sastoken
    secretaccesskey secretkey secrettoken securitytoken sessioncookie sessionkey sessionsecret
    sessiontoken sharedaccesskey sharedaccesssignature sharedkey sharedsecret signingkey
    signingsecret ssokey storagekey subjecttoken subscriptionkey tokensecret useraccesstoken
    userpassword usertoken verificationtoken webhooksecret xapikey xiapikey xsrftoken
    """.split()  # noqa: SIM905
)
#: Names that mean something else elsewhere: only the place tells. Forms and queries do; so do a
#: credential or one of :data:`_PROOF` beside them, and the answer of a token endpoint.
AMBIGUOUS = frozenset(
    """
    accesscode assertion code jwt key nonce otp pass passcode passwd password pin pwd secret
    sig signature state ticket token usercode value
    """.split()  # noqa: SIM905
)
#: Names that only a form or a query proves, and one that neither does.
_FORM_ONLY = frozenset({"nonce", "state", "value"})
_IN_FORMS = AMBIGUOUS - {"value"}
_PROOF = frozenset({"clientid", "granttype", "clientassertiontype"})
#: A password is one beside the name of who has it.
_WHO = frozenset({"email", "login", "user", "userid", "username"})
_PASSWORDS = frozenset({"pass", "passcode", "passwd", "password", "pin", "pwd"})
#: Fields whose members are credentials.
_HOLDERS = frozenset({"auth", "authentication", "credential", "credentials", "secrets"})

_CREDENTIAL_HEADER = re.compile(
    r"cookie|authorization|api[-_]?key|(?:^|[-_])(?:token|secret|password|jwt|passcode)$", re.I
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Query parameters of signed URLs.
_SIGNED = ("x-amz-", "x-goog-")

#: Parts of an address that name an account, each as the group of its pattern: Azure's resource
#: and deployment, Google's project, Cloudflare's account and gateway.
ADDRESS_PARTS: Mapping[str, re.Pattern[str]] = {
    "resource": re.compile(r"://([^./]+)\.(?:openai|services\.ai|cognitiveservices)\.azure"),
    "deployment": re.compile(r"/openai/deployments/([^/?]+)"),
    "project": re.compile(r"/projects/([^/?]+)"),
    "account": re.compile(
        r"://(?:gateway\.ai\.cloudflare\.com/v1|api\.cloudflare\.com/client/v4/accounts)/([^/?]+)"
    ),
    "gateway": re.compile(r"://gateway\.ai\.cloudflare\.com/v1/[^/?]+/([^/?]+)"),
}


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Return a name in lower case, without what separates its words."""
    return "".join(_WORDS.findall(name)).lower()


@lru_cache(maxsize=4096)
def is_credential(name: str) -> bool:
    """Return whether a value of that name is a credential wherever it stands."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    return any("".join(words[at:]) in CREDENTIALS for at in range(len(words)))


@lru_cache(maxsize=4096)
def is_secret_key(name: str) -> bool:
    """Return whether a field of a form or a query of that name has a credential."""
    bare = plain(name)
    named = is_credential(name) or bare in _IN_FORMS
    return named or name.lower().startswith(_SIGNED)


def is_proved(name: str, siblings: Mapping[str, Any], parent: str, *, token_answer: bool) -> bool:
    """Return whether an ambiguous name in JSON is that of a credential, by its place.

    ``siblings`` is the object that it stands in, ``parent`` the name of that object.
    """
    bare = plain(name)
    if bare not in AMBIGUOUS:
        return False
    if bare == "value":
        label = siblings.get("name", siblings.get("key"))
        pair = isinstance(label, str) and (is_credential(label) or is_credential_header(label))
        return pair or is_credential(parent)
    if is_credential(parent) or plain(parent) in _HOLDERS:
        return True
    if bare in _FORM_ONLY:
        return False
    beside = {plain(other) for other in siblings if other != name}
    if bare in _PASSWORDS and beside & _WHO:
        return True
    kind = siblings.get("type")
    if isinstance(kind, str) and (is_credential(kind) or plain(kind) in _TYPES):
        return True
    return token_answer or bool(beside & (_PROOF | CREDENTIALS))


#: What an object of a credential may have for a type.
_TYPES = frozenset({"basic", "bearer", "keyandkeyid", "usernameandpassword"})


def is_token_endpoint(request: Request) -> bool:
    """Return whether the answer to a request issues tokens."""
    path = request.url.path.lower()
    if _TOKEN_PATH.search(path):
        return True
    body = request.body[:4096]
    return b"grant_type" in body or b"client_secret" in body


_TOKEN_PATH = re.compile(
    r"/(?:oauth2?|login|token|access[_-]?tokens?|refresh[_-]?token|client_secrets|auth)(?=[/.]|$)"
)


def is_credential_header(name: str) -> bool:
    """Return whether a header has a credential or a cookie, judging by its name."""
    return _CREDENTIAL_HEADER.search(name) is not None or is_credential(name)


def field_kind(path: tuple[str | int, ...], *, keep_opaque: bool = False) -> str | None:
    """Return the kind of placeholder for the string at ``path`` in a JSON body of a request.

    ``None`` if the string is kept. Credentials are not among these: their place counts.

    ``keep_opaque`` keeps encrypted reasoning and signatures.
    """
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return None
    known = form()
    if names[0] in known.request_echoes and len(names) > 1:
        names = names[1:]
    first, *below = names
    if not below and first in known.user_fields:
        return known.user_fields[first]
    if below and first in known.user_trees:
        return known.user_trees[first]
    return None if keep_opaque or is_foreign(names) else known.opaque_fields.get(names[-1])


def is_foreign(names: Sequence[str]) -> bool:
    """Return whether the names on the way to a value are those of a user or a model.

    Tool arguments and JSON Schemas are; what a request of Azure OpenAI has below
    ``data_sources`` is not, although it stands under ``parameters``.
    """
    if not _OWN_TREES.isdisjoint(names):
        return False
    # A tool's input; a top-level one has messages.
    return not form().foreign_fields.isdisjoint(names) or "input" in names[1:]


_OWN_TREES = frozenset({"data_sources", "dataSources"})


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers with every value replaced that is not known to be harmless."""
    safe = form().kept_request_headers | _TRANSPORT_HEADERS
    return tuple((n, value if n.lower() in safe else PLACEHOLDER) for n, value in headers)


def query(text: str) -> str:
    """Return a query string with the values of secret parameters replaced."""
    if not text:
        return text
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(is_secret_key(name) for name, _ in pairs):
        return text
    return urlencode([(n, PLACEHOLDER if is_secret_key(n) else v) for n, v in pairs])
