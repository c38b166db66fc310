"""``bedrock-client``: Amazon Bedrock's Converse and ConverseStream."""

from harness.adapters.bedrock.client import BedrockClient, bedrock_client

__all__ = ["BedrockClient", "bedrock_client"]
