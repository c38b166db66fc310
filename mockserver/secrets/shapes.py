r"""What credentials look like, as the vendors document their own.

Text has one character for each byte here. Each shape has markers, one of which is in every text
of that shape, so that texts without them are passed over at the speed of ``in``. A pattern with a
group finds the credential in the group; ``check`` refuses what only looks like one.

What has no shape of its own (32 hex digits, 40 letters) is found by its name alone:
``docs/SECRETS.md`` lists it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from mockserver.secrets import names

_B64 = r"A-Za-z0-9_\-"
#: What must not stand before a token: it would be the middle of something longer.
#: Characters of tokens: no token that is not ``wide`` has others, and none is shorter.
RUN_CHARACTER = re.compile(r"[A-Za-z0-9_.~+/=:@-]")
SHORTEST_RUN = 14
_START = rf"(?<![{_B64}])"
_END = rf"(?![{_B64}])"
#: A random part has a digit; so words joined by hyphens are none.
_DIGIT = r"(?=[A-Za-z_\-]*[0-9])"


@dataclass(frozen=True)
class Shape:
    """A kind of credential: each contains one of ``markers``; ``source`` matches all of it."""

    kind: str
    markers: tuple[str, ...]
    source: str
    check: Callable[[re.Match[str]], bool] | None = None
    #: Whether the markers are compared in any letter case.
    any_case: bool = False
    #: Whether it stands in more than one run of characters (:data:`RUN_CHARACTER`).
    wide: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, compiled when it is first needed."""
        return re.compile(self.source)

    def matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and stop of each credential of this kind."""
        for match in self.pattern.finditer(text):
            if self.check is None or self.check(match):
                yield match.span(match.lastindex or 0)


def _shape(
    kind: str,
    markers: str,
    source: str,
    check: Callable[[re.Match[str]], bool] | None = None,
    *,
    any_case: bool = False,
    wide: bool = False,
) -> Shape:
    marks = tuple(markers.split("|")) if any_case else tuple(markers.split())
    return Shape(kind, marks, source, check, any_case, wide or any_case)


def _prefixed(kind: str, prefixes: str, least: int, characters: str = "A-Za-z0-9") -> Shape:
    """Return the shape of a token: a prefix and at least so many random characters."""
    starts = prefixes.split()
    either = "|".join(map(re.escape, starts))
    source = rf"{_START}(?:{either})[{characters}]{{{least},}}"
    return Shape(kind, tuple(starts), source, _is_mixed)


def is_random(token: str) -> bool:
    """Return whether a text looks drawn by chance: it has digits, and is no example.

    A long one may have none, if it has letters of both cases.
    """
    mixed = len(token) >= _LONG and not token.islower() and not token.isupper()
    return (mixed or any(c.isdigit() for c in token)) and not _is_example(token)


_LONG = 32


def _is_mixed(match: re.Match[str]) -> bool:
    return is_random(match[match.lastindex or 0])


_EXAMPLE = re.compile(
    r"(?i)your[-_]|[-_]here\b|x{6,}|\*{3,}|\.{3}|placeholder|changeme|<|\$\{|\{\{|^\$"
)


def _is_example(token: str) -> bool:
    """Return whether a text is what documents put where a credential goes."""
    return _EXAMPLE.search(token) is not None or len(set(token)) < min(len(token), 60) // 8 + 3


def _is_assigned(match: re.Match[str]) -> bool:
    """Return whether ``name=value`` gives a credential its value, by the one list of names."""
    text, start = match.string, match.start()
    while (
        start and match.start() - start < _LONGEST_NAME and _NAME_CHARACTER.match(text[start - 1])
    ):
        start -= 1
    name, value = text[start : match.start("sign")], match["value"]
    in_query = match["sign"] == "=" and text[start - 1 : start] in ("?", "&", ";")
    words = re.findall("[A-Za-z][a-z0-9]*|[A-Z0-9]+", name)
    ends = bool(words) and words[-1].lower() in _LAST_WORDS
    named = names.is_credential(name) or ends
    if not named and not (in_query and len(value) >= _OF_QUERY and names.is_secret_key(name)):
        return False
    # Both letters and digits: no count, no word.
    return is_random(value) and any(c.isalpha() for c in value)


_LONGEST_NAME = 60
#: The least length behind a name that often means something else.
_OF_QUERY = 16
_NAME_CHARACTER = re.compile(r"[A-Za-z0-9_-]")
_LAST_WORDS = frozenset({"passphrase", "passwd", "password", "pwd", "secret", "token"})


def _is_sent(match: re.Match[str]) -> bool:
    """Return whether a value behind a header's name is more than a word of a document."""
    value = match[1]
    worded = re.fullmatch(r"[A-Z_]+|[A-Za-z]+(?:[-_.][A-Za-z]+)+", value)
    return not _is_example(value) and worded is None


def _is_basic(match: re.Match[str]) -> bool:
    """Return whether a text is the base64 of ``user:password`` (RFC 7617)."""
    try:
        plain = base64.b64decode(match[1] + "=" * (-len(match[1]) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in plain[1:] and plain.isprintable() and not _is_example(plain)


def _is_password(match: re.Match[str]) -> bool:
    """Return whether the text between colon and at sign of a URL is a password."""
    return not _is_example(match[1]) and match[1].lower() not in _NO_PASSWORD


_NO_PASSWORD = frozenset({"password", "pass", "passwd", "pwd", "secret", "token", "pw"})

#: A key that its issuer has masked; recordings lose the rest of it, too.
MASKED = "a masked key"

_LINES = r"(?:[A-Za-z0-9+/= \t]|\r?\n(?!\r?\n)|(?:\\+[rn]))"
#: The ends of the names behind which a credential is looked for.
_LAST = (
    *("key", "keyid", "key_id", "token", "secret", "password", "passwd", "passphrase", "pwd"),
    *("string", "credential", "credentials", "signature", "sig", "code", "auth"),
)

SHAPES = (
    _shape("a key (sk-…)", "sk-", rf"{_START}sk-{_DIGIT}[{_B64}]{{16,}}"),
    _shape(
        MASKED, "sk-", rf"{_START}sk-[{_B64}]*(?:\*{{3,}}|\xe2\x80\xa6|\.{{3}})[{_B64}]+", wide=True
    ),
    _shape("a session key (sess-…)", "sess-", rf"{_START}sess-{_DIGIT}[A-Za-z0-9]{{32,}}"),
    _shape("a client secret (ek_…)", "ek_", rf"{_START}ek_{_DIGIT}[A-Za-z0-9_]{{28,}}"),
    _shape("a Google API key", "AIza", rf"AIza[{_B64}]{{30,}}"),
    _shape("a Google API key", "AQ.Ab", rf"{_START}AQ\.Ab[{_B64}]{{30,}}"),
    _shape("a Google token", "ya29.", rf"\bya29\.[{_B64}.]{{16,}}"),
    _shape("a Google refresh token", "1//0", rf"(?<![\w/])1//0{_DIGIT}[{_B64}]{{30,}}"),
    _shape("a Google code", "4/0A", rf"(?<![\w/])4/0A{_DIGIT}[{_B64}]{{30,}}"),
    _shape("a Google client secret", "GOCSPX-", rf"\bGOCSPX-[{_B64}]{{20,}}"),
    _shape("a Google HMAC key", "GOOG1", rf"{_START}GOOG1[A-Z0-9]{{20,}}{_END}"),
    _shape(
        "an AWS key",
        "AKIA ASIA ABIA ACCA",
        r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Z0-9])",
    ),
    _shape("an AWS Bedrock key", "ABSK", rf"{_START}ABSK[A-Za-z0-9+/]{{80,}}={{0,2}}"),
    _shape("an AWS Bedrock key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/]{40,}={0,2}"),
    _shape(
        "an Azure key", "JQQJ9 ACOG AzSe", rf"{_START}[A-Za-z0-9]{{52,60}}JQQJ9[A-Za-z0-9]{{9,}}"
    ),
    _shape(
        "an Azure key",
        "AzSe AzFu ACDb AIoT ASt",
        rf"{_START}[A-Za-z0-9+/]{{38,76}}(?:AzSe|AzFu|ACDb|\+?AIoT|\+ASt)[A-Za-z0-9+/]{{5,6}}={{0,2}}",
    ),
    _shape(
        "an Azure client secret",
        "Q~",
        r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![\w~-])",
    ),
    _shape(
        "an Azure storage key",
        "AccountKey= SharedAccessKey=",
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})",
    ),
    _shape(
        "a GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    _prefixed(
        "a GitLab token",
        "glpat- gldt- glrt- glft- glsoat- glimt- glagent- glptt- gloas- glcbt- glffct-",
        20,
        _B64 + ".",
    ),
    _shape("a Hugging Face token", "hf_ api_org_", r"\b(?:hf_|api_org_)[A-Za-z0-9]{30,}"),
    _shape(
        "a provider's key",
        "gsk_ xai- pplx- nvapi- r8_ fw_ csk-",
        rf"\b(?:gsk_|xai-|pplx-|nvapi-|r8_|fw_|csk-){_DIGIT}[{_B64}]{{20,}}",
    ),
    _prefixed(
        "a provider's key", "tgp_v1_ fpk_ fka_ fw- dsk- jina_ mxb_ ctx7sk- bb_live_", 20, _B64
    ),
    _prefixed("a provider's key", "tvly- lsv2_pt_ lsv2_sk_ ls__ pcsk_ psk_ key_live_", 20, _B64),
    _prefixed("a provider's key", "ntn_ secret_ fc- exa_ wandb_v1_ bsai_ cpk_ upstage_", 28),
    _prefixed("a provider's key", "phx_ sk_lf_ lf_sk_ rpa_ vck_ vcp_", 32, _B64),
    _shape(
        "a Voyage key", "pa-", rf"{_START}pa-(?=\S*[A-Z])(?=\S*[a-z]){_DIGIT}[{_B64}]{{43}}{_END}"
    ),
    _shape("an ElevenLabs key", "sk_", rf"{_START}sk_[0-9a-f]{{48}}{_END}"),
    _shape("a Slack token", "xox", r"\bxox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}"),
    _shape("a Slack token", "xapp-", r"\bxapp-\d-[A-Za-z0-9]+-\d+-[A-Za-z0-9]{32,}"),
    _shape(
        "a webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})",
    ),
    _shape(
        "a webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d+/([A-Za-z0-9_-]{40,})"
    ),
    _shape("a webhook", "webhook.office.com", r"webhook\.office\.com/webhookb2/([\w@/-]{60,})"),
    _shape(
        "a Discord token",
        ".",
        rf"{_START}[MNO][A-Za-z\d_-]{{23,27}}\.[{_B64}]{{6}}\.[{_B64}]{{27,40}}{_END}",
        _is_mixed,
    ),
    _shape("a Stripe key", "k_live_ k_test_", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", _is_mixed),
    _shape("a webhook's secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/]{24,}={0,2}"),
    _shape("a SendGrid key", "SG.", rf"{_START}SG\.[{_B64}]{{16,32}}\.[{_B64}]{{16,64}}"),
    _shape("a Twilio key", "SK", rf"{_START}SK[0-9a-f]{{32}}{_END}"),
    _shape("a Mailgun key", "key-", rf"{_START}key-[0-9a-f]{{32}}{_END}"),
    _shape("a Mailchimp key", "-us", rf"{_START}[0-9a-f]{{32}}-us[0-9]{{1,2}}{_END}"),
    _shape("a Telegram token", ":AA", rf"(?<!\d)[0-9]{{8,10}}:AA[{_B64}]{{33}}{_END}"),
    _prefixed("a package registry's token", "npm_ rubygems_ cio oy2", 36),
    _shape("a PyPI token", "pypi-", rf"{_START}pypi-{_DIGIT}[{_B64}]{{50,}}"),
    _prefixed("a Docker token", "dckr_pat_ dckr_oat_", 24, _B64),
    _prefixed("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", 60, "0-9a-f"),
    _shape(
        "a Databricks token", "dapi dose dkea", rf"{_START}(?:dapi|dose|dkea)[0-9a-f]{{32}}(?:-\d)?"
    ),
    _shape("a Cloudflare token", "v1.0-", rf"{_START}v1\.0-[0-9a-f]{{24}}-[0-9a-f]{{100,}}"),
    _prefixed("a Cloudflare token", "cfut_ cfat_ cfk_", 36, _B64),
    _prefixed("a Vault token", "hvs. hvb. hvr.", 24, _B64 + "."),
    _shape(
        "a Terraform token", ".atlasv1.", rf"{_START}[A-Za-z0-9]{{14}}\.atlasv1\.[{_B64}]{{60,}}"
    ),
    _prefixed("a Supabase token", "sbp_ sb_secret_ sbp_oauth_", 30, _B64),
    _prefixed("a Doppler token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", 40, _B64 + "."),
    _prefixed("an Atlassian token", "ATATT3x ATCTT3x ATBB ATSTT3x", 24, _B64 + "="),
    _prefixed("a Linear key", "lin_api_ lin_oauth_", 32),
    _shape("an Airtable token", "pat", rf"{_START}pat[A-Za-z0-9]{{14}}\.[0-9a-f]{{64}}{_END}"),
    _prefixed("a Figma token", "figd_ figu_ figo_", 36, _B64),
    _prefixed("a Grafana token", "glc_ glsa_ eyJrIjoi", 32, _B64 + "+/="),
    _shape(
        "a New Relic key",
        "NRAK- NRII- NRAL NRJS- NRSP-",
        rf"{_START}NR(?:AK|II|JS|SP)-[{_B64}]{{19,}}",
    ),
    _prefixed("a Sentry token", "sntrys_ sntryu_", 40, _B64 + "+/="),
    _prefixed("a Shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", 32),
    _shape(
        "a Square token",
        "EAAA sq0",
        rf"{_START}(?:EAAA[{_B64}]{{60}}|sq0(?:atp|csp|idp)-[{_B64}]{{22,}})",
    ),
    _shape("a Facebook token", "EAA", rf"{_START}EAA(?:[A-Z]|GNO|CEd){_DIGIT}[A-Za-z0-9]{{80,}}"),
    _prefixed("a Heroku key", "HRKU-", 36, _B64),
    _prefixed("a Fly.io token", "fo1_ fm1r_ fm2_ fm1a_", 40, _B64 + "+/=,"),
    _prefixed("a Netlify token", "nfp_ nfc_ nfo_ nfu_ nfb_", 36, _B64),
    _prefixed("a Render key", "rnd_", 32),
    _prefixed("a PlanetScale token", "pscale_tkn_ pscale_pw_ pscale_oauth_", 32, _B64 + "."),
    _prefixed("a Prefect key", "pnu_ pnb_", 36),
    _prefixed("a Pulumi token", "pul-", 40, "0-9a-f"),
    _prefixed("a Postman key", "PMAK-", 40, "0-9a-f-"),
    _prefixed("a Dropbox token", "sl.u. sl.B sl.A", 100, _B64),
    _prefixed("a HubSpot token", "pat-na1- pat-eu1- pat-na2- pat-ap1-", 36, "0-9a-f-"),
    _prefixed("an Intra42 secret", "s-s4t2ud- s-s4t2af-", 60, "0-9a-f"),
    _prefixed("a Dynatrace token", "dt0c01. dt0s16. dt0s08.", 60, "A-Z0-9."),
    _prefixed("a Duffel token", "duffel_live_ duffel_test_", 40, _B64 + "="),
    _prefixed("a Frame.io token", "fio-u-", 60, _B64 + "="),
    _prefixed("a ReadMe key", "rdme_", 60, "a-z0-9"),
    _prefixed("a Clojars token", "CLOJARS_", 58, "a-z0-9"),
    _prefixed("an EasyPost key", "EZAK EZTK", 54),
    _prefixed("a Flutterwave key", "FLWSECK-", 32, _B64),
    _prefixed("a SonarQube token", "sqp_ squ_ sqa_", 40),
    _prefixed("a Snyk token", "snyk_uat. snyk_sat.", 40, _B64 + "."),
    _prefixed(
        "an Onfido token", "api_live. api_live_us. api_live_ca. api_sandbox.", 40, _B64 + "."
    ),
    _prefixed("an OpenShift token", "sha256~", 43, _B64),
    _prefixed("a Tailscale key", "tskey-api- tskey-auth- tskey-client-", 20, _B64),
    _prefixed("a LaunchDarkly key", "api-launch sdk-launch", 36, "0-9a-f-"),
    _prefixed("an Adobe secret", "p8e-", 32),
    _prefixed("an Alibaba key", "LTAI", 17),
    _prefixed("an npm or Artifactory token", "AKCp eyJ2ZXIiOi cmVmdGtuO", 60),
    _prefixed(
        "a Plaid token", "access-sandbox- access-development- access-production-", 36, "0-9a-f-"
    ),
    _prefixed("a Contentful token", "CFPAT-", 43, _B64),
    _prefixed("a Buildkite token", "bkua_ bkaj_ bkct_", 40),
    _prefixed("a CircleCI token", "CCIPAT_ CCIPRJ_", 40, _B64),
    _prefixed("a 1Password token", "ops_eyJ", 100, _B64 + "="),
    _shape(
        "a 1Password key",
        "A3-",
        r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b",
    ),
    _prefixed("an Infisical token", "st.dev. st.prod.", 60, "0-9a-f."),
    _prefixed("a Langfuse or Portkey key", "pk_portkey_ sk-lf-", 24, _B64),
    _shape(
        "a Modal secret",
        "as- ak-",
        rf"{_START}a[sk]-(?=\S*[A-Z])(?=\S*[a-z]){_DIGIT}[A-Za-z0-9]{{22}}{_END}",
    ),
    _prefixed(
        "a data service's key", "napi_ essu_ CCDB1_ mdb_sa_sk_ pcli_ llx- m0- apify_api_", 24, _B64
    ),
    _prefixed(
        "a platform's key",
        "vca_ vci_ vcr_ ddo_ ddp_ vtwn_ unkey_ rootly_ bkps_ bkpat_ csa_",
        22,
        _B64,
    ),
    _prefixed(
        "a payment's key",
        "rzp_live_ shippo_live_ xnd_production_ pdl_live_apikey_ sq0csp-",
        20,
        _B64,
    ),
    _prefixed(
        "a mail service's key",
        "xkeysib- re_ pm_ tfp_ waka_ sgp_ pina_ polar_at_ polar_oat_",
        30,
        _B64,
    ),
    _prefixed(
        "a cluster's key", "SWMTKN-1- SWMKEY-1- BBDC- PMAT- packagist_ack_ packagist_acs_", 26, _B64
    ),
    _prefixed(
        "a voice service's key", "sk_car_ sk_live_v2_ ramp_sec_ cog_ apk_user_ os_v2_app_", 20, _B64
    ),
    _prefixed("an Age key", "AGE-SECRET-KEY-1", 50, "0-9A-Z"),
    _shape("a JSON web token", "eyJ", rf"\beyJ[{_B64}]{{8,}}\.eyJ[{_B64}]{{8,}}\.[{_B64}]*"),
    _shape(
        "an encrypted JSON web token",
        "eyJ",
        rf"\beyJ[{_B64}]{{12,}}\.[{_B64}]*\.[{_B64}]{{8,}}\.[{_B64}]{{8,}}\.[{_B64}]{{16,}}",
    ),
    _shape(
        "a private key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----)[\t\r\n !#-~]){0,20000}-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        rf"|(?:(?!-----END){_LINES})*)",
        wide=True,
    ),
    _shape(
        "a private key",
        "PuTTY-User-Key-File-",
        r"PuTTY-User-Key-File-[^\"]{0,8000}?Private-MAC: [0-9a-f]+",
        wide=True,
    ),
    _shape(
        "a bearer token",
        "earer",
        rf"(?<=[Bb]earer )(?=[A-Za-z._~+/\-]*[0-9])[{_B64}.~+/]{{20,}}=*",
        wide=True,
    ),
    _shape(
        "a credential in a header",
        "uthorization: uthorization:Bearer -api-key:",
        rf"(?:uthorization: *(?:[Bb]earer|[Bb]asic|[Tt]oken|[Kk]ey|ApiKey) +|-api-key: *)"
        rf"([{_B64}.~+/]{{16,}}=*)",
        _is_sent,
        wide=True,
    ),
    _shape(
        "a user and a password",
        "asic",
        r"\b[Bb]asic +([A-Za-z0-9+/]{8,}={0,2})",
        _is_basic,
        wide=True,
    ),
    _shape(
        "a password in an address",
        "://",
        r"://[^\s/:@\"'<>\\{}$]{0,200}:([^\s/@\"'<>\\{}$]{3,500})@",
        _is_password,
        wide=True,
    ),
    _shape(
        "a cookie",
        "ookie __Secure- __Host-",
        r"(?:(?<=[Cc]ookie: )|(?<=[Cc]ookie:)|(?<=[Cc]ookie', b')|(?<=[Cc]ookie', '))"
        r"[!#-+\-.0-9A-Z^-z|~]+=[^\s;,'\"\\]{8,}|\b__(?:Secure|Host)-[\w.-]+=[^\s;,'\"\\]+",
        wide=True,
    ),
    _shape(
        "a credential, by the name before it",
        "|".join(f"{word}{sign}" for word in _LAST for sign in ("=", ": ")),
        rf"(?i)(?:{'|'.join(_LAST)})(?P<sign>=|: )['\"\\]{{0,3}}"
        r"(?P<value>[^\s'\"\\`,;&<>(){}\[\]]{12,})",
        _is_assigned,
        any_case=True,
    ),
)
