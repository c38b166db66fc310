"""Writes the twins: the turns of ``specs/twins.yaml`` in every dialect that can say them."""
