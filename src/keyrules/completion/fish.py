"""The completion script for fish, 3.0 and later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyrules.completion.words import HEAD, Command, Kind, Values

_FUNCTIONS = r"""
function __keyrules_in
    set -l words (commandline -opc) ''
    test "$words[2]" = "$argv[1]"
end

function __keyrules_output
    set -l value (string replace -r '^--[a-z-]+=' '' -- (commandline -ct))
    if string match -q '*=*' -- $value
        set -l parts (string split -m 1 = -- $value)
        for file in (__fish_complete_path $parts[2])
            echo $parts[1]=$file
        end
    else
        printf '%s\n' $argv
    end
end

complete -c keyrules -f
"""


def fish_script(commands: Sequence[Command], version: str) -> str:
    """The script for these commands."""
    named = [command for command in commands if command.name]
    lines = [f"{_in('')} -a {command.name} -d {_quoted(command.summary)}" for command in named]
    lines += [line for command in commands for line in _lines(command)]
    return HEAD.format(version=version, shell="fish") + _FUNCTIONS + "\n".join(lines) + "\n"


def _lines(command: Command) -> Iterator[str]:
    if command.arguments is not None and command.name:
        yield f"{_in(command.name)} {_values(command.arguments)}"
    for option in command.options:
        values = f" {_values(option.values[0])}" if option.values else ""
        for flag in option.flags:
            name = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
            yield f"{_in(command.name)} {name}{values} -d {_quoted(option.summary)}"


def _in(command: str) -> str:
    """What holds where that command was typed, or none yet."""
    return "complete -c keyrules -n " + _quoted(f"__keyrules_in {_quoted(command)}")


def _values(values: Values) -> str:
    """`-x` is a value that is no file, `-r -F` one that is."""
    if values.kind is Kind.FILES:
        return "-r -F"
    if values.kind is Kind.FREE:
        return "-x"
    words = " ".join(values.words)
    return f"-x -a {_quoted(f'(__keyrules_output {words})' if values.kind is Kind.OUTPUT else words)}"


def _quoted(text: str) -> str:
    """`text` in single quotes, in which fish knows two escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
