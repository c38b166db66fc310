"""Draw turns and wires that no scenario has, play them to a client, and shrink what fails."""
