"""What the first few seeds of a comparison show, and what all of them do."""

from ..evidence import named, percent, student_t_interval
from ..evidence.effects import by_seed
from ..figures import PALETTE
from ._explorer import Explorer


def seeds(records, *, against="base"):
    """Differences in test accuracy from another condition, a point a seed, and the interval of the first few.

    records: of `against` and of the conditions to choose from, on at least two seeds that all of them share.
    ValueError without such seeds.
    """
    scores = {condition: {seed: r["metrics"]["test_accuracy"] for seed, r in runs.items()}
              for condition, runs in by_seed(records).items()}
    shared = sorted(set.intersection(*map(set, scores.values()))) if scores else []
    if against not in scores or len(scores) < 2 or len(shared) < 2:
        raise ValueError(f"runs of {against!r} and of another condition are compared on two seeds at least; "
                         f"received {sorted(scores)}, which share the seeds {shared}: pass runs of both")
    base = scores.pop(against)
    apart = {named(condition, short=True): [100 * (score[seed] - base[seed]) for seed in shared]
             for condition, score in scores.items()}
    most = len(shared)
    every = [0.0, *(d for differences in apart.values() for d in differences)]
    beyond = 0.3 * max(max(every) - min(every), 1.0)
    least, highest = min(every) - beyond, max(every) + beyond
    after = most + 1.5  # where the mean is drawn

    def draw(panels):
        (ax,) = panels
        ax.axhline(0, color="black", linewidth=1)
        (seen,) = ax.plot([], [], "o", color=PALETTE["guided"], label="looked at")
        (later,) = ax.plot([], [], "o", color=PALETTE["base"], fillstyle="none", label="not looked at")
        (mean,) = ax.plot([], [], "D", color=PALETTE["guided"], markersize=6)
        (interval,) = ax.plot([], [], "-", color=PALETTE["guided"], linewidth=2)
        title = ax.set_title("")
        places = list(range(1, most + 1))
        ax.set(xlim=(0.4, most + 2.1), ylim=(least, highest), xlabel="seeds", xticks=[*places, after],
               xticklabels=[*map(str, shared), "mean"], ylabel="points")
        ax.legend(loc="lower left", fontsize="small", ncols=2)

        def move(condition, looked_at):
            n, differences = int(looked_at), apart[condition]
            seen.set_data(places[:n], differences[:n])
            later.set_data(places[n:], differences[n:])
            centre, low, high = student_t_interval(differences[:n])
            mean.set_data([after], [centre])
            interval.set_data([after, after], [max(low, least), min(high, highest)])
            title.set_text(f"{condition} less {named(against, short=True)}")
            found = percent(centre / 100, low / 100, high / 100, signed=True)
            return (f"{condition} less {named(against, short=True)}, the first {n} of {most} seeds: {found} "
                    f"points; the interval {place(low, high)}.")

        return [seen, later, mean, interval, title], move

    counts = list(range(2, most + 1))
    few = counts[len(counts) // 4]
    near_0 = min(apart, key=lambda condition: abs(sum(apart[condition])))
    return Explorer(
        draw, controls={"condition": ("condition", list(apart)), "looked_at": ("seeds looked at", counts)},
        frames=[{"looked_at": few}, *({"condition": near_0, "looked_at": n} for n in (few, most))],
        alt="Differences in test accuracy by seed, and the mean of the first few with its interval.")


def place(low, high):
    """Where an interval lies."""
    if low > 0:
        return "lies above 0"
    return "lies below 0" if high < 0 else "contains 0"
