"""Cohere's own API."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from mockserver.dialects.form import Form


class Cohere(Dialect):
    """Chat, version 2 and 1 (https://docs.cohere.com/reference/chat)."""

    name = "cohere"
    endpoint = re.compile("/v[12]/chat")
    form = Form(
        foreign_fields=frozenset({"arguments"}),
        base_url_variables=("CO_API_URL",),
    )


DIALECT = Cohere()
