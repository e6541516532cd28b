"""The claims of the paper and of the news article as data.

What is said in our own words, where, with which numbers, and which runs test it. The paper: Subramaniam et
al., Training the Untrainable, NeurIPS 2025. The news: MIT News, 18 December 2025, its claims counted in
order. Numbers are as printed; "in the figure only" where text and tables print none. No result of ours
stands here.
"""

from dataclasses import dataclass, field

from ..experiments import CONDITIONS


@dataclass(frozen=True)
class Claim:
    """One claim.

    It is tested by runs of `experiment` in `condition` with exactly the `overrides`, in `regime` ("": every
    one with runs). against: a condition to compare with, with exactly `against_overrides`; "": the fair
    base. worse: the claim is one of harm. needs: how the base must fail for the claim to be about anything.
    reason: why no experiment can test it, if none can.

    >>> claim = CLAIMS[0]
    >>> claim.source, claim.experiment, claim.condition, claim.controls[:2]
    ('table 2', 'copy-paste', 'trained', ('identity', 'data-gram'))
    """

    id: str
    source: str
    statement: str
    paper: str
    experiment: str = ""
    condition: str = ""
    regime: str = ""
    overrides: dict = field(default_factory=dict)
    metric: str = "test_accuracy"
    against: str = ""
    against_overrides: dict = field(default_factory=dict)
    worse: bool = False
    needs: str = ""
    reason: str = ""

    @property
    def controls(self):
        """The controls of a guided condition, at its own timing.

        None for other conditions, for harm, or for how well a target aligns.
        """
        if self.condition not in CONDITIONS or self.worse or self.metric == "misalignment":
            return ()
        return tuple(c.name for c in CONDITIONS[self.condition].controls() if c.name != self.against)


def untested(id, source, statement, reason, paper=""):
    """A claim that is listed although no experiment can test it."""
    return Claim(id, source, statement, paper, reason=reason)


OPINION = "an opinion"
PLAN = "a plan, or work to come"
IMAGES = "no record holds a model's answers to single images"
LARGE = {"depth": 6, "width": 1024, "guide_width": 1024}  # the large recurrent net and its guide
LM = {"experiment": "language-model", "metric": "test_perplexity"}


def _ends(prefix, source, experiment, base, values):
    """Claims about guiding the first or last k layers, against the fair base; values: {layers: number}."""
    claims = []
    for layers, number in values.items():
        noun = "layer" if layers.endswith("-1") else "layers"
        statement = f"An untrained guide on the {layers.replace('-', ' ')} {noun} only helps"
        claims.append(Claim(f"{prefix}-{layers}", source, statement, f"{base} -> {number}", experiment,
                            "untrained", overrides={"layers": layers}))
    return claims


TABLE_2 = [
    Claim("t2-copy-trained", "table 2", "A trained Transformer guide helps an RNN to copy",
          "14.35 -> 23.27 %", "copy-paste", "trained"),
    Claim("t2-copy-untrained", "table 2", "An untrained Transformer guide helps an RNN to copy",
          "14.35 -> 42.56 %", "copy-paste", "untrained"),
    Claim("t2-copy-order", "table 2", "For copying, an untrained guide beats a trained one",
          "42.56 against 23.27 %", "copy-paste", "untrained", against="trained"),
    Claim("t2-copy-alone", "table 2", "The Transformer itself copies far better than the RNN",
          "96.98 against 14.35 %", "copy-paste", "guide-alone"),
    untested("t2-copy-guide", "table 2", "The untrained Transformer itself cannot copy",
             "no run scores an untrained guide by itself", "1.04 %"),
    Claim("t2-parity-trained", "table 2", "A trained RNN guide helps a Transformer with parity",
          "71.98 -> 78.49 %", "parity", "trained"),
    Claim("t2-parity-untrained", "table 2",
          "An untrained RNN guide leaves a Transformer below its base in parity",
          "71.98 -> 70.38 %", "parity", "untrained", worse=True),
    Claim("t2-parity-order", "table 2", "For parity, a trained guide beats an untrained one",
          "78.49 against 70.38 %", "parity", "trained", against="untrained"),
    Claim("t2-parity-alone", "table 2", "The RNN itself solves parity better than the Transformer",
          "100 against 71.98 %", "parity", "guide-alone"),
    untested("t2-parity-guide", "table 2", "The untrained RNN itself fails at parity",
             "no run scores an untrained guide by itself", "2.32 %, not possible for a fair two-way score"),
    Claim("t2-lm-trained", "table 2", "A trained Transformer guide lowers an RNN's perplexity",
          "69.19 -> 40.01", condition="trained", **LM),
    Claim("t2-lm-untrained", "table 2", "An untrained Transformer guide lowers an RNN's perplexity",
          "69.19 -> 59.61", condition="untrained", **LM),
    Claim("t2-lm-order", "table 2", "In language, a trained guide beats an untrained one",
          "40.01 against 59.61", condition="trained", against="untrained", **LM),
    Claim("t2-lm-alone", "table 2", "The Transformer itself has a lower perplexity than the RNN",
          "34.15 against 69.19", condition="guide-alone", **LM),
    Claim("t2-lm-large-trained", "table 2", "The same for a large RNN: trained guide",
          "89.13 -> 36.91", condition="trained", overrides=LARGE, **LM),
    Claim("t2-lm-large-untrained", "table 2", "The same for a large RNN: untrained guide",
          "89.13 -> 47.17", condition="untrained", overrides=LARGE, **LM),
    untested("t2-lm-guide", "table 2", "The untrained Transformer itself predicts nothing",
             "no run scores an untrained guide by itself", "5.19e5"),
]

TABLE_3 = [
    Claim("t3-deep-fcn-trained", "table 3", "A trained ResNet-18 guide helps a deep fully connected net",
          "1.65 -> 7.50 % top-5", "deep-fcn", "trained"),
    Claim("t3-deep-fcn-untrained", "table 3", "An untrained ResNet-18 guide helps a deep fully connected net",
          "1.65 -> 13.10 % top-5", "deep-fcn", "untrained"),
    Claim("t3-deep-fcn-order", "table 3", "For the deep net an untrained guide beats a trained one",
          "13.10 against 7.50 % top-5", "deep-fcn", "untrained", against="trained"),
    Claim("t3-deep-fcn-alone", "table 3",
          "The ResNet-18 itself does far better than the deep fully connected net",
          "89.24 against 1.65 % top-5", "deep-fcn", "guide-alone"),
    Claim("t3-wide-fcn-trained", "table 3", "A trained ResNet-18 guide helps a wide fully connected net",
          "34.09 -> 43.01 % top-5", "wide-fcn", "trained"),
    Claim("t3-wide-fcn-untrained", "table 3", "An untrained ResNet-18 guide helps a wide fully connected net",
          "34.09 -> 39.47 % top-5", "wide-fcn", "untrained"),
    Claim("t3-wide-fcn-order", "table 3", "For the wide net a trained guide beats an untrained one",
          "43.01 against 39.47 % top-5", "wide-fcn", "trained", against="untrained"),
    Claim("s5-wide-fcn-order", "section 5", "For the wide net an untrained guide beats a trained one",
          "the text says so; table 3 has 39.47 and 43.01 %", "wide-fcn", "untrained", against="trained"),
    Claim("t3-wide-fcn-alone", "table 3",
          "The ResNet-18 itself does better than the wide fully connected net",
          "89.24 against 34.09 % top-5", "wide-fcn", "guide-alone"),
    Claim("t3-convnet-trained", "table 3", "A trained ResNet-50 guide helps a deep net without skips",
          "70.02 -> 78.91 % top-5", "deep-convnet", "trained"),
    Claim("t3-convnet-untrained", "table 3",
          "An untrained ResNet-50 guide leaves a deep net without skips below its base",
          "70.02 -> 68.17 % top-5", "deep-convnet", "untrained", worse=True),
    Claim("t3-convnet-order", "table 3", "For the net without skips a trained guide beats an untrained one",
          "78.91 against 68.17 % top-5", "deep-convnet", "trained", against="untrained"),
    Claim("t3-convnet-alone", "table 3", "The ResNet-50 itself does better than the net without skips",
          "92.99 against 70.02 % top-5", "deep-convnet", "guide-alone"),
    untested("t3-guides", "table 3", "The untrained ResNets themselves are at chance",
             "no run scores an untrained guide by itself", "0.24 and 0.54 % top-5, chance 0.5"),
]

TABLE_5 = [
    Claim("t5-all", "table 5",
          "An untrained guide on all layers helps a deep fully connected net on CIFAR-10",
          "60.58 -> 70.15 %", "deep-fcn", "untrained"),
    *_ends("t5", "table 5", "deep-fcn", "60.58",
           {"last-1": "67.18 %", "last-2": "68.03 %", "last-5": "67.50 %", "last-10": "69.31 %",
            "first-1": "65.11 %", "first-2": "73.34 %", "first-5": "79.58 %", "first-10": "79.22 %"}),
    Claim("t5-first-5-all", "table 5", "Guiding the first five layers beats guiding all",
          "79.58 against 70.15 %", "deep-fcn", "untrained", overrides={"layers": "first-5"},
          against="untrained"),
    Claim("t5-first-5-last-5", "table 5", "Guiding the first five layers beats guiding the last five",
          "79.58 against 67.50 %", "deep-fcn", "untrained", overrides={"layers": "first-5"},
          against="untrained", against_overrides={"layers": "last-5"}),
    untested("t5-several", "table 5", "Several guide layers for each target layer help less than one",
             "no setting spreads guide layers so", "68.14 against 70.15 %"),
]

TABLE_6 = [
    *_ends("t6", "table 6", "copy-paste", "14.35",
           {"last-1": "38.19 %", "last-2": "41.55 %", "last-3": "42.33 %",
            "first-1": "27.59 %", "first-2": "28.15 %", "first-3": "33.93 %"}),
    Claim("t6-last-first", "table 6", "For copying, guiding the last layer beats guiding the first",
          "38.19 against 27.59 %", "copy-paste", "untrained", overrides={"layers": "last-1"},
          against="untrained", against_overrides={"layers": "first-1"}),
    Claim("t6-one", "table 6", "One guide layer for each RNN layer helps to copy",
          "14.35 -> 36.11 %", "copy-paste", "untrained", overrides={"match": "reference"}),
    Claim("t6-several", "table 6", "Several guide layers for each RNN layer beat one",
          "42.56 against 36.11 %", "copy-paste", "untrained", against="untrained",
          against_overrides={"match": "reference"}),
]

ANALYSES = [
    Claim("s3-layers", "section 3", "More guided layers work better",
          "70.15 (all) against 67.18 % (last), but 79.58 % (first five)", "deep-fcn", "untrained",
          against="untrained", against_overrides={"layers": "last-1"}),
    untested("s3-task", "section 3", "What the guide was trained for does not matter",
             "no run has a guide that was trained for another task"),
    untested("b2-batch", "appendix B.2", "A larger batch makes a better estimate, so guidance works better",
             "batch size changes the training as well"),
    Claim("f4-accuracy", "figure 4",
          "Aligned on noise to an untrained ResNet-18 for 300 steps, then trained alone, the deep net learns",
          "in the figure only", "deep-fcn", "untrained-warm-up"),
    Claim("f4-overfitting", "figure 4", "After such a warm-up the deep net does not overfit as the base does",
          "in the figure only", "deep-fcn", "untrained-warm-up", metric="gap_last", needs="overfits"),
    Claim("f4-loss", "figure 4", "After such a warm-up the training loss ends lower",
          "in the figure only", "deep-fcn", "untrained-warm-up", metric="train_loss"),
    untested("f4-equal", "figure 4", "The warm-up does as well as guidance throughout",
             "the rule decides differences, not equality"),
    Claim("v1-stopped-trained", "project page, 2024",
          "Guided by a trained net for the first steps on data only, the deep net keeps the benefit",
          "validation loss at the end about 8.05 -> 5.73", "deep-fcn", "trained-stopped"),
    Claim("v1-stopped-untrained", "project page, 2024",
          "Guided by an untrained net for the first steps on data only, the deep net keeps the benefit",
          "validation loss at the end about 8.05 -> 6.07", "deep-fcn", "untrained-stopped"),
    Claim("v1-stopped-order", "project page, 2024", "Let go early, a trained guide beats an untrained one",
          "validation loss about 5.73 against 6.07", "deep-fcn", "trained-stopped",
          against="untrained-stopped"),
    Claim("v1-stopped-throughout", "project page, 2024",
          "A trained guide that is let go early beats one that stays",
          "validation loss about 5.73 against 6.35", "deep-fcn", "trained-stopped", against="trained"),
    Claim("f5-trained", "figure 5", "Guidance by a trained net beats distillation from it",
          "in the figure only", "deep-fcn", "trained", against="distilled"),
    Claim("f5-untrained", "figure 5", "Guidance by an untrained net beats distillation from it",
          "in the figure only", "deep-fcn", "untrained", against="distilled-untrained"),
    Claim("h-trained", "appendix H", "Distillation from a trained teacher helps the deep net a little",
          "in the figure only", "deep-fcn", "distilled"),
    untested("h-overfits", "appendix H", "Distilled from a trained teacher, the deep net still overfits",
             "the rule decides differences, not equality"),
    Claim("h-untrained", "appendix H",
          "Distillation from an untrained teacher lowers the accuracy of the deep net",
          "a drop, said to be not significant", "deep-fcn", "distilled-untrained", worse=True),
    Claim("d-overfitting", "appendix D, figure 6",
          "A guide that is fed noise throughout prevents overfitting",
          "in the figure only", "deep-fcn", "untrained-noise-fed", metric="gap_last", needs="overfits"),
    Claim("d-accuracy", "appendix D, figure 6", "A guide that is fed noise throughout helps the deep net",
          "in the figure only", "deep-fcn", "untrained-noise-fed"),
    Claim("d-order", "appendix D, figure 6",
          "A guide that is fed noise helps less than one that is fed the data",
          "number not given", "deep-fcn", "untrained-noise-fed", against="untrained", worse=True),
    Claim("e-deep-fcn", "appendix E",
          "The deep net aligns more easily to an untrained ResNet than to a trained one",
          "in the figure only", "deep-fcn", "untrained", against="trained", metric="misalignment"),
    Claim("e-convnet", "appendix E",
          "The net without skips aligns more easily to an untrained ResNet than to a trained one",
          "in the figure only", "deep-convnet", "untrained", against="trained", metric="misalignment"),
    Claim("e-parity", "appendix E", "In parity it is the trained guide that is easier to align to",
          "in the figure only", "parity", "trained", against="untrained", metric="misalignment"),
    untested("e-layers", "appendix E, figure 9", "Early layers align sooner and further than late ones",
             "compares layers within a run, not runs",
             "misalignment 0.74 -> 0.62 (block 15), 0.76 -> 0.69 (block 43)"),
    Claim("f-vit-trained", "appendix F", "A trained ViT-B/16 guides the deep net too",
          "accuracy not printed", "deep-fcn-vit", "trained"),
    Claim("f-vit-untrained", "appendix F", "An untrained ViT-B/16 guides the deep net too",
          "accuracy not printed", "deep-fcn-vit", "untrained"),
    untested("f-kappa", "appendix F",
             "Nets with different guides err alike, far more than guided net and base do",
             IMAGES, "error consistency 0.49 against 0.04"),
    untested("f-kappa-distilled", "appendix F, figure 13",
             "Distillation from the two teachers makes errors less alike than guidance does",
             IMAGES, "0.26 against 0.49"),
    untested("f10", "figure 10", "ResNet-18 and ViT-B/16 are more alike in early layers than in late ones",
             "no run compares two guides"),
    untested("i1-theory", "appendix I.1", "Bounds from stitching, kernels and compression explain guidance",
             "pointers to theory, without a prediction"),
    untested("i2-dimension", "appendix I.2, figures 14 and 15",
             "By step 300 base and trained-guide nets fall to low dimension, an untrained guide keeps it",
             "records hold the dimension at start and end, not at step 300", "in the figures only"),
    Claim("i2-regulariser", "appendix I.2",
          "A regulariser of intrinsic dimension, without any guide, helps as well as one",
          "1.65 -> 14.65 % top-5, guidance 13.10; its settings are not published", "deep-fcn",
          "dimension-kept"),
    untested("i3-decoding", "appendix I.3, figure 16",
             "The classes cannot be decoded from an untrained guide's layers",
             "no record holds a decoder; tutorial 06 makes some", "at most 0.8 %, chance 0.1"),
    Claim("j-rsa-trained", "appendix J", "With RSA in the place of CKA, a trained guide helps",
          "1.65 -> 11.02 % top-5", "deep-fcn", "trained", overrides={"similarity": "rsa"}),
    Claim("j-rsa-untrained", "appendix J", "With RSA in the place of CKA, an untrained guide helps",
          "1.65 -> 11.74 % top-5", "deep-fcn", "untrained", overrides={"similarity": "rsa"}),
    Claim("j-ridge-trained", "appendix J", "With ridge regression in the place of CKA, a trained guide helps",
          "1.65 -> 9.46 % top-5", "deep-fcn", "trained", overrides={"similarity": "ridge"}),
    Claim("j-ridge-untrained", "appendix J",
          "With ridge regression in the place of CKA, an untrained guide helps",
          "1.65 -> 15.69 % top-5", "deep-fcn", "untrained", overrides={"similarity": "ridge-100"}),
    Claim("j-order", "appendix J", "A similarity with more freedom works better: ridge beats CKA",
          "15.69 against 13.10 % top-5", "deep-fcn", "untrained", overrides={"similarity": "ridge-100"},
          against="untrained"),
    untested("k-credit", "appendix K", "Guidance helps because many layers get a direct signal",
             "argued in words; no measurement is proposed"),
    untested("s6-initialisation", "section 6",
             "A good initialisation of such nets exists, though nobody can write it down yet",
             "no experiment can show that something is not known"),
]

NEWS = [
    Claim("n1", "news 1", "A net called untrainable can learn with help",
          "1.65 -> 13.10 % top-5", "deep-fcn", "untrained"),
    Claim("n2", "news 2", "A brief alignment improves an unsuitable net dramatically",
          "in figure 4 only", "deep-fcn", "untrained-warm-up"),
    untested("n3", "news 3", "Many weak nets merely start from a bad point",
             "a hypothesis about causes, drawn from one target; figure 4 is its only test"),
    untested("n4", "news 4-6", "The target matches the guide's inner representations, not its outputs",
             "describes the method"),
    Claim("n7", "news 7", "A trained guide passes on what it has learned, on top of its structure",
          "7.50 (trained) against 13.10 % (untrained)", "deep-fcn", "trained", against="untrained"),
    untested("n8", "news 8-9", "The results surprise; similarity made poor nets work", OPINION),
    untested("n10", "news 10", "Is guidance needed throughout, or is it an initialisation?",
             "a question; see figure 4"),
    untested("n11", "news 11-12", "A net practises on noise with another for a few steps, as one stretches",
             "describes figure 4"),
    Claim("n13-overfitting", "news 13", "Practised on noise, nets that overfit at once stay stable",
          "in figure 4 only", "deep-fcn", "untrained-warm-up", metric="gap_last", needs="overfits"),
    Claim("n13-loss", "news 13", "Practised on noise, such nets reach a lower training loss",
          "in figure 4 only", "deep-fcn", "untrained-warm-up", metric="train_loss"),
    Claim("n14", "news 14", "A short session benefits the net to the end of its training",
          "in figure 4 only", "deep-fcn", "untrained-warm-up", metric="test_accuracy_last"),
    Claim("n16", "news 15-16", "From an untrained teacher, distillation fails completely",
          "appendix H: a drop, not significant", "deep-fcn", "distilled-untrained", worse=True),
    Claim("n17-deep-fcn", "news 17", "An untrained guide gives strong gains: deep fully connected net",
          "1.65 -> 13.10 % top-5", "deep-fcn", "untrained"),
    Claim("n17-wide-fcn", "news 17", "An untrained guide gives strong gains: wide fully connected net",
          "34.09 -> 39.47 % top-5", "wide-fcn", "untrained"),
    Claim("n17-convnet", "news 17", "An untrained guide gives strong gains: net without skips",
          "70.02 -> 68.17 % top-5", "deep-convnet", "untrained"),
    Claim("n17-copy", "news 17", "An untrained guide gives strong gains: copying",
          "14.35 -> 42.56 %", "copy-paste", "untrained"),
    Claim("n17-parity", "news 17", "An untrained guide gives strong gains: parity",
          "71.98 -> 70.38 %", "parity", "untrained"),
    Claim("n17-lm", "news 17", "An untrained guide gives strong gains: language",
          "69.19 -> 59.61", condition="untrained", **LM),
    Claim("n18", "news 18",
          "It is the guide's structure that helps: more than a random net of the target's own family",
          "not compared", "deep-fcn", "untrained", against="same-family"),
    Claim("n18-warm-up", "news 18", "The same for the warm-up",
          "not compared", "deep-fcn", "untrained-warm-up", against="same-family-warm-up"),
    untested("n19", "news 19-20", "Success depends less on the data than on the position in parameter space",
             "speculation, without a prediction"),
    untested("n21", "news 21-22",
             "Alignment separates structure from learned knowledge, and shows which failures are failures "
             "of initialisation",
             "an aspiration"),
    untested("n23", "news 23-25", "Ease of guiding may measure distances between architectures", PLAN),
    untested("n26", "news 26", "Untrainable nets are not doomed", "repeats news 1"),
    Claim("n27-overfitting", "news 27", "Guidance avoids overfitting",
          "in the curves of section 5 only", "deep-fcn", "untrained", metric="gap_last", needs="overfits"),
    Claim("n27-standard", "news 27", "Guidance brings a weak net level with a modern one",
          "13.10 against 89.24 % top-5", "deep-fcn", "untrained", against="guide-alone"),
    untested("n28", "news 28", "The team will study which elements matter", PLAN),
    untested("n29", "news 29", "A tool to understand, and perhaps to shape, the foundations of learning",
             OPINION),
    untested("n30", "news 30-33",
             "A net can inherit another's advantages without losing its own, from small untrained guides",
             OPINION),
    untested("n34", "news 34-36", "Authors, funders, conference", "not about nets"),
]

CLAIMS = (*TABLE_2, *TABLE_3, *TABLE_5, *TABLE_6, *ANALYSES, *NEWS)
