"""Amazon Bedrock Runtime."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from mockserver.dialects.form import Form


class Bedrock(Dialect):
    """Converse and InvokeModel (https://docs.aws.amazon.com/bedrock/latest/APIReference/)."""

    name = "bedrock"
    endpoint = re.compile(
        "/model/[^/]+/(?:converse-stream|converse|invoke-with-response-stream|invoke)"
    )
    form = Form(
        opaque_fields={"signature": "signature"},
        kept_response_headers=("x-amzn-errortype",),
        replaced_response_headers={"x-amzn-requestid": "req"},
        base_url_variables=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
    )


DIALECT = Bedrock()
