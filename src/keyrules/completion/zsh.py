"""The completion script for zsh: a function for compinit that can be sourced as well."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from keyrules.completion.words import HEAD, Command, Kind, Option, Values

_SCRIPT = r"""
_keyrules_words() {
    compadd -S '' -- ${(M)@:#*[=:]}
    compadd -- ${@:#*[=:]}
}

_keyrules_output() {
    if compset -P '*='; then
        _files
    else
        compadd -- $@
    fi
}

_keyrules() {
    local curcontext=$curcontext state line
    local -a commands
    commands=(
@COMMANDS@
    )
    _arguments -C @TOP@ '1:COMMAND:->command' '*::ARGUMENT:->argument'
    case $state in
        command) _describe -t commands command commands ;;
        argument)
            case $words[1] in
@SPECS@
            esac
            ;;
    esac
}

if [[ $funcstack[1] == _keyrules ]]; then
    _keyrules "$@"
else
    compdef _keyrules keyrules
fi
"""
# What _arguments and _describe give a meaning to.
_SPECIAL = re.compile(r"[\\:\[\]]")


def zsh_script(commands: Sequence[Command], version: str) -> str:
    """The script for these commands."""
    top, *named = commands
    specs = []
    for command in named:
        lines = [*_specs(command), *([f"*:ARGUMENT:{_action(command.arguments)}"] if command.arguments else [])]
        quoted = " \\\n".join(f"{' ' * 20}{shlex.quote(line)}" for line in lines)
        specs.append(f"{' ' * 16}{command.name}) _arguments \\\n{quoted} ;;")
    parts = {
        "COMMANDS": "\n".join(f"{' ' * 8}{shlex.quote(f'{c.name}:{_escaped(c.summary)}')}" for c in named),
        "TOP": " ".join(shlex.quote(line) for line in _specs(top)),
        "SPECS": "\n".join(specs),
    }
    script = _SCRIPT
    for name, text in parts.items():
        script = script.replace(f"@{name}@", text)
    return "#compdef keyrules\n" + HEAD.format(version=version, shell="zsh") + script


def _specs(command: Command) -> Iterator[str]:
    """What _arguments takes: each flag by itself, as often as one likes."""
    for option in command.options:
        for flag in option.flags:
            yield _spec(option, flag)


def _spec(option: Option, flag: str) -> str:
    values = "".join(f":VALUE:{_action(value)}" for value in option.values)
    joined = "=" if len(option.values) == 1 and flag.startswith("--") else ""
    return f"*{flag}{joined}[{_escaped(option.summary)}]{values}"


def _action(values: Values) -> str:
    """What completes a value. The blank in front keeps _arguments from adding options of its own to the words."""
    if values.kind is Kind.FILES:
        return "_files"
    if values.kind is Kind.FREE:
        return " "
    words = " ".join(word.replace(":", r"\:") for word in values.words)
    return f" _keyrules_{values.kind.value} {words}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
