"""The README names the layers that import-linter holds."""

import re
from configparser import ConfigParser
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[1]
CONTRACT = "importlinter:contract:sandbox-layers"
ROW = re.compile(r"^\| [^|]+ \| ((?:`\w+`(?:, )?)+) \| [^|]+ \|$", re.MULTILINE)


def test_the_table_of_layers_is_the_contract_of_import_linter() -> None:
    contracts = ConfigParser()
    contracts.read(SANDBOX.parents[1] / ".importlinter")
    layers = contracts[CONTRACT]["layers"].strip().splitlines()
    section = (SANDBOX / "README.md").read_text().partition("## Layers")[2].partition("## Words")[0]

    assert [re.findall(r"\w+", row) for row in ROW.findall(section)] == [re.findall(r"\w+", layer) for layer in layers]


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"`((?:\w[\w-]*/)*[\w.-]+\.(?:py|json))`", (SANDBOX / "README.md").read_text())

    assert [name for name in named if not (SANDBOX / name).exists()] == []
    assert "heygen/directives.py" in named
