"""``bedrock-client``: Amazon Bedrock's Converse and ConverseStream."""

from harness.adapters.bedrock.client import BedrockClient, bedrock

__all__ = ["BedrockClient", "bedrock"]
