"""Anthropic Messages."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from mockserver.dialects.form import Form


class Anthropic(Dialect):
    """Messages (https://docs.claude.com/en/api/messages)."""

    name = "anthropic"
    endpoint = re.compile("/v1/messages")
    form = Form(
        opaque_fields={"signature": "signature"},
        foreign_fields=frozenset({"input_schema"}),
        user_trees={"metadata": "metadata"},
        volatile_fields=frozenset({"cache_creation_input_tokens", "cache_read_input_tokens"}),
        delta_openers=("content_block_",),
        kept_request_headers=frozenset({"anthropic-beta", "anthropic-version"}),
        replaced_response_headers={"anthropic-organization-id": "org", "request-id": "req"},
        base_url_variables=("ANTHROPIC_BASE_URL",),
    )


DIALECT = Anthropic()
