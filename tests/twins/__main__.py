"""Write the twins of every dialect: ``python -m tests.twins``."""

from __future__ import annotations

from tests.twins.files import cassette_text, scenario_text
from tests.twins.table import place, writing_dialects


def main() -> None:
    for dialect in writing_dialects():
        scenario, cassette = place(dialect)
        scenario.parent.mkdir(exist_ok=True)
        cassette.parent.mkdir(exist_ok=True)
        scenario.write_bytes(scenario_text(dialect))
        cassette.write_bytes(cassette_text(dialect))
        print(f"{dialect.name}: {scenario}")


if __name__ == "__main__":
    main()
