"""The completion script for bash, 3.2 (macOS) and later."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from keyrules.completion.words import HEAD, Command, Kind, Values

_SCRIPT = r"""
_keyrules() {
    local IFS=$' \t\n' word cur raw head value command="" option="" kind="" choices="" i
    local -a words
    words=()
    COMPREPLY=()
    # Readline breaks words at = and :, which belong to a word here.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]})) && [[ $word == [=:]* || ${words[${#words[@]} - 1]} == *[=:] ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    i=$((${#words[@]} - 1))
    cur=${words[i]}
    raw=${COMP_WORDS[COMP_CWORD]}
    [[ $raw == [=:]* ]] && raw=""
    for word in "${words[@]:0:i}"; do
        [[ $word == -* ]] || { command=$word; break; }
    done
    head="" value=$cur
    if [[ $cur == --*=* ]]; then
        option=${cur%%=*} head="${cur%%=*}=" value=${cur#*=}
    elif ((i > 1)); then
        option=${words[i - 1]}
        case "$command ${words[i - 2]}" in
            @TWICE@) option=${words[i - 2]} ;;
        esac
    fi
    case "$command $option" in
@VALUES@
        *)
            head="" value=$cur
            if [[ $cur == -* ]]; then
                case $command in
@OPTIONS@
                esac
            else
                case $command in
@ARGUMENTS@
                esac
            fi
            ;;
    esac
    if [[ $kind == output && $value == *=* ]]; then
        kind=files head+="${value%%=*}=" value=${value#*=}
    fi
    case $kind in
        words | output)
            while IFS= read -r word; do
                COMPREPLY+=("$head$word")
            done < <(compgen -W "$choices" -- "$value")
            ;;
        files)
            while IFS= read -r word; do
                COMPREPLY+=("$head$word")
            done < <(compgen -f -- "$value")
            compopt -o filenames 2>/dev/null
            ;;
    esac
    ((${#COMPREPLY[@]})) || return 0
    COMPREPLY=("${COMPREPLY[@]#"${cur%"$raw"}"}")
    [[ ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _keyrules keyrules
"""


def bash_script(commands: Sequence[Command], version: str) -> str:
    """The script for these commands."""
    by_values: dict[Values, list[str]] = {}
    twice = []
    for command in commands:
        for option in command.options:
            patterns = [shlex.quote(f"{command.name} {flag}") for flag in option.flags]
            if option.values:
                by_values.setdefault(option.values[0], []).extend(patterns)
            if len(option.values) > 1:
                twice += patterns
    flags = {
        command.name: Values(Kind.WORDS, tuple(flag for option in command.options for flag in option.flags))
        for command in commands
    }
    arguments = {command.name: command.arguments for command in commands if command.arguments is not None}
    parts = {
        "TWICE": " | ".join(twice),
        "VALUES": _cases(8, ((" | ".join(patterns), values) for values, patterns in by_values.items())),
        "OPTIONS": _cases(20, ((shlex.quote(name), values) for name, values in flags.items())),
        "ARGUMENTS": _cases(20, ((shlex.quote(name), values) for name, values in arguments.items())),
    }
    script = _SCRIPT
    for name, text in parts.items():
        script = script.replace(f"@{name}@", text)
    return HEAD.format(version=version, shell="bash") + script


def _cases(indent: int, values: Iterable[tuple[str, Values]]) -> str:
    """A line of a `case` for each pattern, which sets what completes the value."""
    return "\n".join(
        f"{' ' * indent}{pattern}) kind={value.kind.value} choices={shlex.quote(' '.join(value.words))} ;;"
        for pattern, value in values
    )
