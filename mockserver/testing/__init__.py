"""The object with which tests script answers and judge their application."""
