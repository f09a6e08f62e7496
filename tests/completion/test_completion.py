"""Shell completion, by the shells themselves: what TAB does to a line, and that the scripts miss no option."""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanning import PROJECT

from keyrules.arguments import every_parser
from keyrules.cli import main
from keyrules.commands.completion import SHELLS
from keyrules.completion.pack_names import FRAMEWORK_COLUMNS, PackNames, read_names
from keyrules.completion.words import Kind, commands
from keyrules.controls.tables import load_frameworks
from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.stamp import rules_path
from keyrules.reports.report_formats import formats_of

PACK = load_pack()
NAMES = read_names(rules_path())
COMMANDS = commands(every_parser(), NAMES)
RULES = [rule.id for rule in PACK.rules]
# The line as typed, and what one TAB makes of it; the folder holds deploy.tf, `my file.tf` and the folder modules.
LINES = {
    "keyrules au": "keyrules audit ",
    "keyrules --v": "keyrules --version ",
    "keyrules scan --fail-on cri": "keyrules scan --fail-on critical ",
    "keyrules scan --fail-on=cri": "keyrules scan --fail-on=critical ",
    "keyrules scan --rule KEY_AWS_003 --rule KEY_AWS_017": "keyrules scan --rule KEY_AWS_003 --rule KEY_AWS_017 ",
    "keyrules scan dep": "keyrules scan deploy.tf ",
    "keyrules scan my": r"keyrules scan my\ file.tf ",
    "keyrules scan mod": "keyrules scan modules/",
    "keyrules scan --baseline dep": "keyrules scan --baseline deploy.tf ",
    "keyrules scan --format sari": "keyrules scan --format sarif ",
    "keyrules scan --format sarif=dep": "keyrules scan --format sarif=deploy.tf ",
    "keyrules scan --format=sarif=dep": "keyrules scan --format=sarif=deploy.tf ",
    "keyrules scan --framework cis_aws_3": "keyrules scan --framework cis_aws_3.0.0 ",
    "keyrules scan --control cis_aws_3": "keyrules scan --control cis_aws_3.0.0:",
    "keyrules scan --set KEY_AWS_001.max": "keyrules scan --set KEY_AWS_001.max_age_days=",
    "keyrules audit --due": "keyrules audit --due-within ",
    "keyrules rules KEY_AWS_017": "keyrules rules KEY_AWS_017 ",
    "keyrules controls --diff cis_aws_3.0.0 cis_aws_5": "keyrules controls --diff cis_aws_3.0.0 cis_aws_5.0.0 ",
    "keyrules controls --format markd": "keyrules controls --format markdown ",
    "keyrules config --format js": "keyrules config --format json ",
    "keyrules completion z": "keyrules completion zsh ",
    "keyrules dirs dep": "keyrules dirs dep",
    "keyrules scan --as-of dep": "keyrules scan --as-of dep",
    "keyrules nothing dep": "keyrules nothing dep",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "work/modules").mkdir(parents=True)
    for name in ("deploy.tf", "my file.tf"):
        (folder / "work" / name).touch()
    for shell in SHELLS:
        (folder / shell).write_text(script(shell))
    return folder


def script(shell: str) -> str:
    """What `keyrules completion` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "keyrules", "completion", shell],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


class Terminal:
    """An interactive shell in a terminal of its own. `setup` binds Ctrl-T to print the line between << and >>."""

    def __init__(self, command: list[str], setup: str, cwd: Path) -> None:
        self._main, side = pty.openpty()
        # Wide enough that no line is ever broken.
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 1000, 0, 0))
        environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        self._shell = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, cwd=cwd, env=environment, start_new_session=True
        )
        os.close(side)
        self._send(f"{setup}; echo '<<'ready'>>'\n")
        assert self._answer() == "ready"

    def after_tab(self, line: str) -> str:
        """The line that a TAB at its end makes."""
        self._send(f"{line}\t\x14")
        return self._answer()

    def close(self) -> None:
        """Ends the shell."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._main)

    def _send(self, text: str) -> None:
        os.write(self._main, text.encode())

    def _answer(self) -> str:
        seen = ""
        while not (found := re.search("<<((?:keyrules|ready).*?)>>", seen)):
            ready, _, _ = select.select([self._main], [], [], 60)
            assert ready, f"the shell says nothing after {seen!r}"
            seen += os.read(self._main, 65536).decode(errors="replace")
        return found[1]


SETUP = {
    "bash": (
        ["bash", "--noprofile", "--norc", "-i"],
        r"""bind 'set bell-style none'; source ../bash; """
        r"""bind -x '"\C-t": printf "<<%s>>\n" "$READLINE_LINE"; READLINE_LINE=""'""",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        r"""unsetopt beep; autoload -Uz compinit; compinit -u -D; source ../zsh; """
        r"""_show() { zle -I; print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N _show; bindkey '^T' _show""",
    ),
}


@pytest.fixture(scope="module", params=SETUP)
def terminal(request: pytest.FixtureRequest, folder: Path) -> Iterator[Terminal]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    terminal = Terminal(*SETUP[request.param], cwd=folder / "work")
    yield terminal
    terminal.close()


@pytest.mark.parametrize("line", LINES)
def test_tab_completes_the_line(terminal: Terminal, line: str) -> None:
    # zsh offers the `=` of a long option and takes it back when a blank is typed.
    assert terminal.after_tab(line) in (LINES[line], LINES[line].replace("--due-within ", "--due-within="))


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_the_same(folder: Path) -> None:
    asked = "".join(f"echo '<<'; complete -C '{line}'\n" for line in LINES)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source ../fish\n{asked}"],
        cwd=folder / "work",
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""
    answers = [answer.splitlines() for answer in done.stdout.split("<<\n")[1:]]
    for (line, completed), answer in zip(LINES.items(), answers, strict=True):
        words = [candidate.partition("\t")[0] for candidate in answer]
        last = "" if completed == line else completed.replace("\\ ", "?").split()[-1].replace("?", " ")
        # What an option's own name begins like is offered as well.
        assert ([word for word in words if word == last] or words) == ([last] if last else []), line


def offered(shell_script: Path, words: list[str]) -> list[str]:
    """COMPREPLY of the bash function for words as readline breaks them."""
    lines = [f"source {shell_script}", 'COMP_WORDS=("$@")', "COMP_CWORD=$(($# - 1))", "_keyrules"]
    lines.append(r'''printf '%s\n' "${COMPREPLY[@]}"''')
    done = subprocess.run(["bash", "-c", "\n".join(lines), "bash", *words], capture_output=True, check=True, text=True)
    return done.stdout.splitlines() if done.stdout != "\n" else []


def test_bash_offers_everything_that_there_is(folder: Path) -> None:
    bash = folder / "bash"
    assert offered(bash, ["keyrules", ""]) == [command.name for command in COMMANDS[1:]]
    for command in COMMANDS[1:]:
        flags = [flag for option in command.options for flag in option.flags]
        assert offered(bash, ["keyrules", command.name, "-"]) == flags
    assert offered(bash, ["keyrules", "scan", "--rule", ""]) == RULES
    assert offered(bash, ["keyrules", "audit", "--skip-rule", "="]) == RULES
    assert offered(bash, ["keyrules", "audit", "--format", ""]) == list(formats_of(Plane.LIVE))
    assert offered(bash, ["keyrules", "scan", "--format", "json", "=", "x"]) == []


def test_no_script_misses_an_option_or_a_word() -> None:
    # zsh takes a colon for a separator.
    scripts = {shell: script(shell).replace(r"\:", ":") for shell in SHELLS}
    for command in COMMANDS:
        for option in command.options:
            words = [word for value in option.values for word in value.words]
            assert [word for word in words for text in scripts.values() if word not in text] == []
            for flag in option.flags:
                kind, name = ("l", flag[2:]) if flag.startswith("--") else ("s", flag[1:])
                assert re.search(rf"[ ']{flag}[ ']", scripts["bash"])
                assert f"'*{flag}" in scripts["zsh"]
                assert rf"'__keyrules_in \'{command.name}\'' -{kind} {name} " in scripts["fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_never_runs_keyrules_and_is_the_same_each_time(shell: str) -> None:
    text = script(shell)
    assert text == script(shell)
    assert re.findall(r"(?:\$\(|`|\(|^\s*)keyrules .*", text, re.MULTILINE) == []


def test_every_format_that_is_offered_is_one(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        for option in command.options:
            if "--format" in option.flags and option.values[0].kind is Kind.WORDS:
                assert len(option.values[0].words) > 1
                for word in option.values[0].words:
                    main([command.name, "--format", word])
                    assert "is not a format" not in capfd.readouterr().err


def test_the_names_are_those_of_the_pack() -> None:
    frameworks = load_frameworks(PACK)
    keys = [edition.key for edition in frameworks.editions]
    assert NAMES.parameters == {rule.id: tuple(rule.parameters) for rule in PACK.rules}
    assert list(NAMES.editions[: len(keys)]) == keys
    aliases = NAMES.editions[len(keys) :]
    assert "cis_aws_latest" in aliases and all(frameworks.edition(alias).key in keys for alias in aliases)
    assert list(NAMES.parameters) == RULES
    assert any(NAMES.parameters.values())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("scope: x\nparameters: {}\nrationale: y\n", ()),
        (
            "parameters:\n  days: {default: 1}\n  slots: {default: [1, 2]}\nrationale: >-\n  note: {x}\n",
            ("days", "slots"),
        ),
        ("rationale: x\n", None),
        ("parameters:\nrationale: x\n", None),
        ("parameters: {days: {default: 1}}\n", None),
        ("parameters:\n  days:\n    default: 1\n", None),
        ("parameters:\n  days: {default: 1}\n    minimum: 1\n", None),
        ("parameters:\n  # Why.\n  days: {default: 1}\n", None),
    ],
)
def test_a_name_is_never_passed_over(tmp_path: Path, text: str, names: tuple[str, ...] | None) -> None:
    (tmp_path / "controls").mkdir()
    (tmp_path / "controls/frameworks.csv").write_text(
        f"{','.join(FRAMEWORK_COLUMNS)}\nx{',' * (len(FRAMEWORK_COLUMNS) - 1)}\n"
    )
    rule = tmp_path / "KEY_AWS_001.yaml"
    rule.write_text(text)
    if names is None:
        with pytest.raises(UsageError, match=f"^{re.escape(str(rule))}: `parameters` must be {{}} or hold one"):
            read_names(str(tmp_path))
    else:
        assert read_names(str(tmp_path)) == PackNames({"KEY_AWS_001": names}, ("x",))


def test_a_new_placeholder_must_be_explained() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--colour", metavar="COLOUR")
    with pytest.raises(LookupError, match="keyrules scan --colour: nothing says what completes COLOUR"):
        commands({"": ("", argparse.ArgumentParser()), "scan": ("", parser)}, NAMES)


def test_an_unknown_shell_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "keyrules: 'csh' is not a shell that can be completed; use one of bash, zsh, fish\n"
