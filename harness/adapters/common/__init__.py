"""What every bundled client shares: transport, retries, failures, usage."""
