"""A finding of the baseline that is gone is resolved only where the run would have found it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from evaluations import ACCOUNT, AS_OF, RULES, code_finding, live_finding, make_evaluation

from keyrules.model import EvaluationError, Finding, Input, Location, Plane, Rule, ScanScope, Status
from keyrules.records import replace
from keyrules.run.baseline.looked_at import looked_at_input, seen_on_code, seen_on_live
from keyrules.run.baseline.places import Places
from keyrules.run.baseline.reading import Baseline, Entry

MODULE = "terraform"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    monkeypatch.chdir(tmp_path / "tree")


def entry(finding: Finding) -> Entry:
    """A finding as the baseline has it."""
    return Entry(finding, finding.fingerprint, AS_OF)


def saw(
    path: str,
    folders: Sequence[str] = (),
    files: Sequence[str] = (),
    *,
    rule: Rule = RULES[0],
    address: str = "aws_iam_access_key.ci",
    now: Sequence[tuple[str, str]] = (),
    then: Sequence[tuple[str, str]] = (),
    errors: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    excluded: Callable[[str], bool] | None = None,
    deleted: bool = False,
) -> bool:
    """Whether a scan of folders and files would have found a finding at the path; `now` and `then` are inputs.

    The file is there, unless `deleted`.
    """
    if not deleted and path != "<stdin>":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    evaluation = make_evaluation(
        *findings,
        scope=ScanScope(tuple(folders), tuple(files)),
        inputs=tuple(Input(kind, name) for kind, name in now),
        errors=tuple(EvaluationError(name, "unparsable", "Cannot be parsed.") for name in errors),
    )
    baseline = Baseline("b.json", AS_OF, tuple(Input(kind, name) for kind, name in then), {})
    finding = code_finding(rule, location=Location(path, 1, 2, address))
    return seen_on_code(evaluation, baseline, here(), excluded)(entry(finding))


def here() -> Places:
    """Paths that start at the working directory."""
    return Places(str(Path.cwd()))


class TestCode:
    @pytest.mark.parametrize(
        ("path", "folders", "files", "expected"),
        [
            ("infra/main.tf", ["."], [], True),
            ("infra/main.tf", ["infra"], [], True),
            ("infra/a/b.yaml", ["infra"], [], True),
            ("infra-old/main.tf", ["infra"], [], False),
            ("main.tf", ["infra"], [], False),
            ("../shared/main.tf", ["."], [], False),
            ("../shared/main.tf", [".."], [], True),
            ("infra/main.tf", [], ["infra/main.tf"], True),
            ("infra/other.tf", [], ["infra/main.tf"], False),
            ("infra/other.tf", ["infra"], ["x.yaml"], True),
            ("<stdin>", [], ["<stdin>"], True),
            ("<stdin>", ["."], [], False),
            ("infra/.terraform/modules/x/main.tf", ["."], [], False),
            ("infra/.terraform/modules/x/main.tf", ["infra/.terraform"], [], True),
            ("infra/stack.unusual", ["."], [], False),
            ("infra/stack.unusual", [], ["infra/stack.unusual"], True),
            ("infra/stack.cfg", ["."], [], False),
            ("infra/STACK.YAML", ["."], [], True),
            ("infra/plan", ["."], [], True),
        ],
    )
    def test_places(self, path: str, folders: list[str], files: list[str], expected: bool) -> None:
        assert saw(path, folders, files) is expected

    def test_absolute_paths_outside_of_the_working_directory(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = tmp_path_factory.mktemp("other")
        assert saw(f"{other}/main.tf", [str(other)])
        assert not saw(f"{other}/main.tf", ["."])

    def test_a_plan_of_an_unusual_name_is_read_by_name_only(self) -> None:
        assert not saw("plan.txt", ["."], then=[("plan", "plan.txt")])
        assert saw("plan.txt", [], ["plan.txt"], then=[("plan", "plan.txt")])
        assert saw("plan.json", ["."], then=[("plan", "plan.json")])

    def test_a_folder_behind_a_link_is_walked_where_the_link_is_named(self) -> None:
        Path("../real").mkdir()
        Path("link").symlink_to("../real")
        assert not saw("../real/main.tf", ["."])
        assert saw("../real/main.tf", ["link"])
        assert not saw("../real/main.tf", ["link"], excluded=lambda path: path.endswith("/tree/link/main.tf"))
        assert not saw("../real/.terraform/main.tf", ["link"])

    def test_rules_that_did_not_run(self) -> None:
        assert not saw("main.tf", ["."], rule=replace(RULES[0], id="KEY_AWS_099"))

    def test_what_was_left_out(self, tmp_path: Path) -> None:
        def examples(path: str) -> bool:
            return path.startswith(f"{tmp_path}/tree/examples/")

        assert not saw("examples/main.tf", ["."], excluded=examples)
        assert saw("main.tf", ["."], excluded=examples)

    def test_texts_of_every_kind_for_hard_coded_credentials(self) -> None:
        assert saw("deploy.sh", ["."], rule=RULES[3])
        assert not saw("deploy.exe", ["."], rule=RULES[3])
        assert not saw("deploy.sh", ["."])

    @pytest.mark.parametrize("status", [Status.UNKNOWN, Status.EXEMPT])
    def test_instances_of_a_block_that_is_open_now(self, status: Status) -> None:
        block = code_finding(RULES[0], status, location=Location("main.tf", 1, 2, "aws_iam_access_key.ci"))
        assert not saw("main.tf", ["."], address="aws_iam_access_key.ci[1]", findings=[block])
        assert not saw("main.tf", ["."], address='aws_iam_access_key.ci["a"]', findings=[block])
        assert saw("main.tf", ["."], address="aws_iam_access_key.other", findings=[block])

    @pytest.mark.parametrize(
        ("folders", "files", "then", "expected"),
        [
            # The module was called by a root that this run did not look at.
            (["modules"], [], [(MODULE, "envs/prod")], False),
            (["modules", "envs"], [], [(MODULE, "envs/prod")], True),
            (["modules", "envs/prod"], [], [(MODULE, "envs/prod"), (MODULE, "envs/test")], False),
            (["."], [], [(MODULE, "envs/prod"), (MODULE, "envs/test")], True),
            # It was a root itself.
            (["modules"], [], [(MODULE, "envs/prod"), (MODULE, "modules/user")], True),
            # A single file is evaluated as its callers below the working directory call it.
            ([], ["modules/user/main.tf"], [(MODULE, "envs/prod")], True),
            ([], ["modules/user/main.tf"], [(MODULE, "../envs/prod")], False),
        ],
    )
    def test_a_called_module_is_judged_as_its_callers_call_it(
        self, folders: list[str], files: list[str], then: list[tuple[str, str]], expected: bool
    ) -> None:
        assert saw("modules/user/main.tf", folders, files, then=then) is expected

    @pytest.mark.parametrize(
        ("path", "error", "expected"),
        [
            ("infra/main.tf", "infra/main.tf", False),
            ("infra/main.tf", "infra/broken.tf", False),
            ("infra/main.tf", "infra", False),
            ("infra/main.tf", "other/broken.tf", True),
            ("infra/main.tf", "other", True),
            ("infra/main.tf", "infra/stack.yaml", True),
            ("infra/stack.yaml", "infra/broken.tf", True),
            ("infra/stack.yaml", "infra/stack.yaml", False),
            ("infra/main.tf", "modules/user/broken.tf", False),
            ("modules/user/main.tf", "infra/broken.tf", False),
            ("modules/user/main.tf", "other", False),
            ("locked/main.tf", "locked", False),
        ],
    )
    def test_what_could_not_be_evaluated(self, path: str, error: str, expected: bool) -> None:
        roots = [(MODULE, "infra"), (MODULE, "other")]
        assert saw(path, ["."], now=roots, then=roots, errors=[error]) is expected

    def test_a_file_that_is_gone_leaves_no_doubt(self) -> None:
        assert saw("infra/main.tf", ["."], deleted=True, errors=["infra/broken.tf"])
        assert saw("modules/user/main.tf", ["modules"], deleted=True, then=[(MODULE, "envs/prod")])
        assert not saw("infra/main.tf", ["envs"], deleted=True)

    def test_a_text_is_read_for_itself(self) -> None:
        assert saw("infra/main.tf", ["."], rule=RULES[3], errors=["infra/broken.tf"])
        assert saw("modules/user/main.tf", ["modules"], rule=RULES[3], then=[(MODULE, "envs/prod")])
        assert not saw("infra/main.tf", ["."], rule=RULES[3], errors=["infra/main.tf"])

    def test_inputs_that_were_looked_at(self) -> None:
        looked = looked_at_input(make_evaluation(scope=ScanScope(("envs",), ("a.yaml",))), here())
        names = ["envs", "envs/prod", "modules/user", "a.yaml", "b.yaml"]
        assert [name for name in names if looked(Input(MODULE, name))] == ["envs", "envs/prod", "a.yaml"]

    def test_gone(self) -> None:
        Path("a.tf").touch()
        Path("link").symlink_to("nowhere")
        names = ["a.tf", "link", "b.tf", "a.tf/c", "no/where", "<stdin>", "x\0y", "n" * 300]
        assert [name for name in names if here().gone(name)] == ["b.tf", "a.tf/c", "no/where"]


OTHER = "444455556666"
REPORT, SECOND = (
    Input("credential_report", "a.csv", account=ACCOUNT),
    Input("credential_report", "b.csv", account=OTHER),
)


class TestLive:
    @pytest.mark.parametrize(
        ("inputs", "errors", "gaps", "expected"),
        [
            ([REPORT], [], {}, True),
            ([SECOND], [], {}, False),
            ([replace(REPORT, account=None)], [], {}, False),
            ([replace(REPORT, account=f"{OTHER},{ACCOUNT}")], [], {}, True),
            ([REPORT, SECOND], ["b.csv"], {}, True),
            ([REPORT, SECOND], ["a.csv"], {}, False),
            ([REPORT, replace(REPORT, name="c.csv")], ["c.csv"], {}, False),
            ([REPORT], [], {"KEY_AWS_001": (ACCOUNT,)}, False),
            ([REPORT], [], {"KEY_AWS_001": (OTHER,), "KEY_AWS_008": (ACCOUNT,)}, True),
        ],
    )
    def test_accounts(
        self, inputs: list[Input], errors: list[str], gaps: dict[str, tuple[str, ...]], expected: bool
    ) -> None:
        evaluation = make_evaluation(
            plane=Plane.LIVE,
            inputs=tuple(inputs),
            errors=tuple(EvaluationError(name, "row", "A row is wrong.") for name in errors),
            gaps=gaps,
        )
        assert seen_on_live(evaluation)(entry(live_finding())) is expected

    def test_rules_that_did_not_run(self) -> None:
        evaluation = make_evaluation(plane=Plane.LIVE, inputs=(REPORT,), rules=RULES[1:])
        assert not seen_on_live(evaluation)(entry(live_finding()))
