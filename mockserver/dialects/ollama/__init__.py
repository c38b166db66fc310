"""Ollama's own API."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from mockserver.dialects.form import Form


class Ollama(Dialect):
    """/api/chat and /api/generate (https://github.com/ollama/ollama/blob/main/docs/api.md)."""

    name = "ollama"
    endpoint = re.compile("/api/(?:chat|generate)")
    form = Form(
        foreign_fields=frozenset({"arguments"}),
        volatile_fields=frozenset(
            {
                "created_at",
                "eval_duration",
                "load_duration",
                "prompt_eval_duration",
                "total_duration",
            }
        ),
        base_url_variables=("OLLAMA_HOST",),
    )


DIALECT = Ollama()
