"""Translates log probabilities of tokens from Chat Completions to Responses. Pure.

Only text has them there; those of a refusal or of reasoning are dropped. The form is that of
``openai.types.responses``: a part has the bytes of its tokens, its events do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mockserver.vocabulary import Json, JsonObject


def token_logprobs(choices: Iterable[Mapping[str, Json]]) -> list[JsonObject]:
    """Return the tokens of the text of ``choices``, in the form of an ``output_text`` part.

    Unknown bytes and alternatives are empty lists. Entries that are not tokens are skipped.
    """
    contents = [
        logprobs for choice in choices if isinstance(logprobs := choice["logprobs"], Mapping)
    ]
    return [
        {**_token(token), "top_logprobs": [*map(_token, _tokens(token.get("top_logprobs")))]}
        for logprobs in contents
        for token in _tokens(logprobs.get("content"))
    ]


def without_bytes(tokens: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the tokens of a part in the form of an event."""
    return [
        {**_bare(token), "top_logprobs": [*map(_bare, token["top_logprobs"])]} for token in tokens
    ]


def _tokens(value: Json) -> list[Mapping[str, Json]]:
    entries = value if isinstance(value, list) else []
    return [e for e in entries if isinstance(e, Mapping) and isinstance(e.get("token"), str)]


def _token(entry: Mapping[str, Json]) -> JsonObject:
    return {**_bare(entry), "bytes": entry.get("bytes") or []}


def _bare(entry: Mapping[str, Json]) -> JsonObject:
    return {"token": entry["token"], "logprob": entry.get("logprob")}
