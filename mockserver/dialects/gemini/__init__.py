"""Google Gemini's own API, of AI Studio and of Vertex AI."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from mockserver.dialects.form import Form


class Gemini(Dialect):
    """generateContent (https://ai.google.dev/api/generate-content); the model is in the path."""

    name = "gemini"
    # The SDKs add the version and the rest of the path to the base URL themselves.
    endpoint = re.compile(
        r"/v\d\w*/(?:[^:]*/)?models/[^/:]+:(?:streamGenerateContent|generateContent)"
    )
    form = Form(
        opaque_fields={"thoughtSignature": "signature"},
        foreign_fields=frozenset({"args"}),
        replaced_request_headers={"x-goog-user-project": "project"},
        base_url_variables=("GOOGLE_GEMINI_BASE_URL",),
    )


DIALECT = Gemini()
