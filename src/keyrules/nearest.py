"""What somebody meant who wrote something that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(wrong: str, known: Iterable[str], cutoff: float = 0.7, unless_tied: bool = False) -> str:
    """The known word that is nearest, whatever its case, of those at least as like as `cutoff` (0 to 1).

    Empty where none is; with `unless_tied` also where several are as near, because it would be a guess.
    """
    # Only a refusal needs it, and the import costs more than a scan with nothing to evaluate.
    from difflib import SequenceMatcher, get_close_matches

    words = {word.casefold(): word for word in known}
    close = get_close_matches(wrong.casefold(), words, n=2, cutoff=cutoff)
    ratios = [SequenceMatcher(None, each, wrong.casefold()).ratio() for each in close]
    tied = unless_tied and ratios.count(max(ratios, default=0)) > 1
    return words[close[0]] if close and not tied else ""


def did_you_mean(wrong: str, known: Iterable[str], cutoff: float = 0.7, unless_tied: bool = False) -> str:
    """The same as a question, `did you mean KNOWN? `, or nothing."""
    word = nearest(wrong, known, cutoff, unless_tied)
    return f"did you mean {word}? " if word else ""
