"""The clients under test, and the parts that they share."""
