"""The bundled clients, and the parts that they share. docs/CLIENTS.md has an example of each."""
