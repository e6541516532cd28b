"""Make the golden smoke records again, after a deliberate change and a raised recipe.

    python tests/golden/make_records.py
"""

from pathlib import Path

from guidelib.experiments import EXPERIMENTS, config, records, run

FOLDER = Path(__file__).parent / "records"
CONDITIONS = ("base", "untrained-warm-up", "trained", "distilled-untrained", "sp-untrained",
              "identity-stopped")
GOLDEN = [("deep-fcn", condition) for condition in CONDITIONS]
GOLDEN += [(experiment, "untrained") for experiment in EXPERIMENTS if experiment != "deep-fcn"]

if __name__ == "__main__":
    for experiment, condition in GOLDEN:
        record = run(config(experiment, condition=condition, profile="smoke"), device="cpu")
        print(records.write(record, FOLDER / f"{experiment}-{condition}.json"))
