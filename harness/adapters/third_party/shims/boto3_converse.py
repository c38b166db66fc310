"""The SDK of AWS for Python: converse, and converse_stream, whose events are handed on."""
# mypy: ignore-errors

from asyncio import to_thread
from base64 import b64decode
from contextlib import closing

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tapecheck_client import serve


def with_bytes(value, name=""):
    """Return arguments with bytes where they are Base64."""
    if isinstance(value, dict):
        return {n: with_bytes(item, n) for n, item in value.items()}
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    return b64decode(value) if name in ("bytes", "redactedContent") else value


async def make(call):
    """Make the call as a user of the SDK does."""
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=call.base_url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key=call.api_key,
        config=Config(
            read_timeout=call.timeout, retries={"total_max_attempts": call.max_retries + 1}
        ),
    )
    with closing(client):
        given = with_bytes(call.arguments)
        if not call.stream:
            yield await to_thread(client.converse, **given)
            return
        with closing((await to_thread(client.converse_stream, **given))["stream"]) as stream:
            events = iter(stream)
            while (event := await to_thread(next, events, None)) is not None:
                yield event


serve(
    make,
    name="boto3-converse",
    version=f"boto3 {boto3.__version__}",
    dialects=["bedrock"],
    features=["streaming", "non_streaming", "tools", "reasoning", "retries", "multi_turn"],
    profile="framework",
    exposes=["raw_finish_reason", "tool_deltas", "arguments_raw", "error_code", "error_status"],
    failures=[ClientError, BotoCoreError],
)
