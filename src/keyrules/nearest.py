"""What somebody meant who wrote something that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`did you mean KNOWN? ` with the nearest of the known words, or nothing where none is near."""
    # Only a refusal needs it, and the import costs more than a scan with nothing to evaluate.
    from difflib import get_close_matches

    close = get_close_matches(wrong.lower(), list(known), n=1, cutoff=0.7)
    return f"did you mean {close[0]}? " if close else ""
