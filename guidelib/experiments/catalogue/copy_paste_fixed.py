"""The same with sequences of one length, of which a guide's geometry then says nothing."""

from dataclasses import replace

from .copy_paste import EXPERIMENT as VARYING

EXPERIMENT = replace(
    VARYING,
    name="copy-paste-fixed",
    lengths=False,
    sizes=VARYING.sizes | {
        "smoke": VARYING.sizes["smoke"] | {"shortest": 4, "longest": 4},
        "fast": VARYING.sizes["fast"] | {"shortest": 12, "longest": 12, "epochs": 16, "guide_epochs": 16},
        "full": VARYING.sizes["full"] | {"shortest": 30, "longest": 30},
        "paper": VARYING.sizes["paper"] | {"shortest": 30, "longest": 30},
    },
    candidates={
        ("untrainable", "fast"): tuple(
            {"shortest": length, "longest": length} for length in (10, 12, 16)),
    },
)
