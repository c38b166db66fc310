"""Clients of others behind the client protocol, a few lines each.

``tapecheck_client.py`` and ``tapecheck-client.mjs`` speak the protocol for them. They need nothing
but their language, and may be copied. The others import an SDK, which only the environment of the
client has.
"""
