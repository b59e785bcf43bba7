"""`care describe`: what do a rule, a health model, a playbook or a metric say, in plain sentences?"""

from __future__ import annotations

import argparse

from carewatch.commands.console import Mistake, config_argument, configuration, language_argument, speak
from carewatch.spec.document import nearest
from carewatch.spec.plain import everything, named
from carewatch.spec.plain.document import sentences
from carewatch.spec.saying import said

HELP = "say a rule, health model, playbook or metric in plain sentences; --all says the whole configuration"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="ids or labels of rules, models, playbooks, metrics"
    )
    parser.add_argument("--all", action="store_true", help="the whole configuration, as a Markdown document")
    language_argument(parser)
    config_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    if not chosen.names and not chosen.all:
        raise Mistake(said("what? care describe NAME, or care describe --all"))
    configured = configuration(chosen)
    language = speak(chosen, configured.firm)
    if chosen.all:
        print(everything(configured, language), end="")
        return 0
    parts = []
    for name in chosen.names:
        found = named(configured, name, language)
        if not found:
            known = [text for one in sentences(configured, language) for text in (one.name, one.label)]
            near = nearest(name, known)
            meant = said("; did you mean {nearest}?", nearest=near) if near else ""
            raise Mistake(
                said("there is no rule, model, playbook or metric '{name}'{meant}", name=name, meant=meant)
            )
        parts += [one.markdown() for one in found]
    print("\n\n".join(parts))
    return 0
