"""The commands that stand beside results make again exactly the runs behind these."""

import argparse
import re
import shlex
from pathlib import Path

from guidelib import evidence
from guidelib.cli import compare, study
from guidelib.evidence._commands import of_claim
from guidelib.evidence.matching import RECORD, runs
from guidelib.evidence.paper import CLAIMS
from guidelib.experiments import config, seeds

RESULTS = Path(__file__).parent.parent / "results"


def parsed(command, of=compare):
    """The options of a command of one kind, as its own parser reads them."""
    python, m, guidelib, name, *words = shlex.split(command)
    assert (python, m, guidelib, name) == ("python", "-m", "guidelib", of.__name__.rpartition(".")[2])
    parser = argparse.ArgumentParser()
    of.arguments(parser)
    return parser.parse_args(words)


def made_by(command, data_hash):
    """The keys of the Configs that a command runs, on data of this hash."""
    options = parsed(command)
    where = {"profile": options.profile, "regime": options.regime}
    made = [config(options.experiment, condition=name, seed=seed, **where, **settings)
            for name, settings in compare.groups_of(options)
            for seed in seeds(options.experiment, **where)]
    return {one.with_(data_hash=data_hash[one.data]).key() for one in made}


def test_every_kept_record_is_made_again_by_a_command():
    """Each command makes records that are kept; CIFAR-10 is known by its hash alone."""
    found = [run.record for run in runs(RESULTS)]
    data_hash = {r["config"]["data"]: r["config"]["data_hash"] for r in found}
    kept = {path.stem.rpartition("-")[2] for path in RESULTS.glob("*/*.json") if RECORD.search(path.name)}
    commands = evidence.commands(found)
    made = [made_by(command, data_hash) for command in commands]
    assert len(kept) == len(found) > 1000
    assert kept <= set().union(*made)
    assert all(keys & kept for keys in made)
    without = [keys for keys, command in zip(made, commands, strict=True) if "first-10" not in command]
    assert len(without) < len(made) and kept - set().union(*without)  # the one, and no other, makes these


def test_every_claim_that_was_run_names_its_commands_and_their_own_parsers_read_them():
    page = (RESULTS / "ledger.md").read_text(encoding="utf-8")
    cards = page.partition("## Every claim")[2].split("<details id=")[1:]
    shown = [card for card in cards if "- ours: " in card or ", architectures " in card]
    assert len(shown) > 100
    for card in shown:
        (line,) = re.findall(r"^- again: (.*)$", card, re.MULTILINE)
        for command in re.findall("`(.*?)`", line):
            if " study " in command:
                assert parsed(command, study).what == "architectures"
            else:
                assert compare.groups_of(parsed(command))
    without = [card for card in cards if "- again: " not in card]
    assert without and all("not tested" in card for card in without)


def test_both_sides_of_a_claim_are_named():
    (claim,) = [claim for claim in CLAIMS if claim.id == "k-credit"]
    commands = of_claim(claim, regime="untrainable", profile="fast")
    assert [command.partition("layers=")[2] for command in commands] == ["", "first-5", "last-5"]


def test_the_page_of_the_ledger_says_how_a_setting_is_made_again():
    page = (RESULTS / "ledger.md").read_text(encoding="utf-8")
    effects = page.partition("## Effects")[2].partition("## Every claim")[0].split("\n### ")[1:]
    for section in effects:
        title, _, rest = section.partition("\n")
        command = rest.strip().splitlines()[0].removeprefix("Made by `").removesuffix("`.")
        options = parsed(command)
        assert title.startswith(f"{options.experiment} (")
        assert ("overfit" in title) == (options.regime == "overfit") and options.profile in title
    assert len(effects) > 8
