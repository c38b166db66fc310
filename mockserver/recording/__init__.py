"""Recording from live endpoints: the proxy, what it keeps, and how it is written."""
