"""A Chat Completions client for agents whose models think inside tool arguments."""

from harness.adapters.inner_thoughts.client import InnerThoughtsClient, Thoughts, inner_thoughts

__all__ = ["InnerThoughtsClient", "Thoughts", "inner_thoughts"]
