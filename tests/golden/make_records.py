"""Make the golden smoke records again, after a deliberate change and a raised RECIPE: python tests/golden/make_records.py"""

from pathlib import Path

from guidelib.experiments import config, records, run

if __name__ == "__main__":
    for condition in ("base", "untrained-warm-up", "trained", "distilled-untrained", "sp-untrained", "identity-stopped"):
        record = run(config("deep-fcn", condition=condition, profile="smoke"), device="cpu")
        print(records.write(record, Path(__file__).parent / "records" / f"deep-fcn-{condition}.json"))
