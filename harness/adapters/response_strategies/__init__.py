"""Background jobs, retried requests and Chat Completions, chosen by the model."""

from harness.adapters.response_strategies.client import (
    StrategyClient,
    SyncStrategyClient,
    execute,
    response_strategies,
)

__all__ = ["StrategyClient", "SyncStrategyClient", "execute", "response_strategies"]
