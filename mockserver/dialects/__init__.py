"""Wire formats, a folder each, behind one protocol.

Generic code asks a dialect and never branches on its name.
"""
