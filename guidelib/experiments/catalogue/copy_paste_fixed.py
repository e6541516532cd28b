"""The same with sequences of one length, of which a guide's geometry then says nothing."""

from dataclasses import replace

from .copy_paste import EXPERIMENT as VARYING

EXPERIMENT = replace(
    VARYING,
    name="copy-paste-fixed",
    about="a recurrent net that copies sequences of one length; its guide is a Transformer",
    lengths=False,
    sizes=VARYING.sizes | {
        "smoke": VARYING.sizes["smoke"] | {"shortest": 4, "longest": 4},
        "fast": VARYING.sizes["fast"] | {"shortest": 10, "longest": 10},
        "full": VARYING.sizes["full"] | {"shortest": 30, "longest": 30},
        "paper": VARYING.sizes["paper"] | {"shortest": 30, "longest": 30},
    },
    compared={
        place: tuple(name for name in names if "length-gram" not in name)
        for place, names in VARYING.compared.items()
    },
    candidates={
        ("untrainable", "fast"): tuple(
            {"shortest": length, "longest": length, "epochs": epochs, "guide_epochs": epochs}
            for length, epochs in ((10, 8), (10, 16), (12, 16), (16, 16))),
    },
)
