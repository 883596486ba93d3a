"""Numbers as people read them."""

from collections import Counter


def interval_text(interval):
    """Both ends of an interval of shares."""
    return f"{interval[0]:.3f}\N{EN DASH}{interval[1]:.3f}"


def figure_text(value, decimals, unit):
    """Write a number and its unit; from 100 on without decimals, so that tables stay narrow."""
    return f"{value:.{decimals if value < 100 else 0}f} {unit}"


def size_text(n_bytes):
    """Write a size in kB, MB or GB."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB")):
        if n_bytes >= scale:
            return figure_text(n_bytes / scale, 1, unit)
    return f"{n_bytes / 1e3:.0f} kB"


def count_text(number):
    """Write a large count with three digits and a letter: 2.35 M."""
    for scale, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= scale:
            return f"{number / scale:.3g} {letter}"
    return str(number)


def time_text(seconds):
    """Write a duration in ms or s."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def rank_texts(ranks):
    """Write ranks, those that several models share with an equals sign.

    Parameters
    ----------
    ranks : dict of str to int
        Rank of each model.

    Returns
    -------
    texts : dict of str to str
        ``"1"``, or ``"1="`` where the rank is shared.
    """
    shared = Counter(ranks.values())
    return {name: f"{rank}=" if shared[rank] > 1 else str(rank) for name, rank in ranks.items()}


def drawn_text(text):
    r"""Write a text so that matplotlib draws just that: no formula between dollars, and nothing that is no character.

    Parameters
    ----------
    text : object
        A label or a name of somebody else's.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skkws._runtime.text import drawn_text
    >>> print(drawn_text("a $100$ word"))
    a \$100\$ word
    """
    return str(text).encode("utf-8", "replace").decode().replace("$", r"\$")


def plural(n, noun):
    """Write a number and what it counts."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
