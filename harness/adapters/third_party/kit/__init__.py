"""What a program needs to speak the client protocol, a file for each language.

The files need nothing but their language, and may be copied.
"""
