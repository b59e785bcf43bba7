"""`care template`: the workbook in which people write down what they know."""

from __future__ import annotations

import argparse
from pathlib import Path

from carewatch import paths
from carewatch.commands.console import Mistake, config_argument
from carewatch.commands.workbooks import write_template
from carewatch.spec.fact_names import fact_label
from carewatch.spec.sources import Sources, load_sources
from carewatch.spec.typed import offered

HELP = "write the template workbook: a sheet for each thing that people type, with what each column means"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.xlsx")
    parser.add_argument("--language", choices=("en", "zh-CN"), help="of the headings (default: the firm's)")
    config_argument(parser)


def typed_sources(folder: Path | None) -> Sources:
    """Return the firm and its sources; a configuration without sources has none."""
    from carewatch.spec.document import SpecError, read_document, validate
    from carewatch.spec.firm import Firm

    folder = folder or paths.config()
    if (folder / "sources.yaml").exists():
        return load_sources(folder)
    firm, problems = validate(read_document(folder / "firm.yaml"), Firm)
    if firm is None:
        raise SpecError(problems)
    return Sources(firm, {})


def run(chosen: argparse.Namespace) -> int:
    if chosen.file.suffix.lower() != ".xlsx":
        raise Mistake(f"'{chosen.file}' does not end with .xlsx; the template is a workbook")
    sources = typed_sources(chosen.config)
    language = chosen.language or sources.firm.language
    facts, left = offered(sources.sources)
    write_template(chosen.file, facts, language)
    print(f"{chosen.file}: " + ", ".join(fact_label(fact, language) for fact in facts))
    for fact, stream in left.items():
        print(f"left out: {fact_label(fact, language)}, which {stream} brings")
    return 0
