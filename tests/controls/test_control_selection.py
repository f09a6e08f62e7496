"""What `--framework` and `--control` run: rules, thresholds, and what the rows still claim."""

from __future__ import annotations

import pytest

from keyrules.controls.citations import citations
from keyrules.controls.listing import framework_table, render
from keyrules.controls.model import Coverage, Frameworks, Relation, coverage
from keyrules.controls.selection import FrameworkSelection, framework_selections, split_control
from keyrules.controls.tables import load_frameworks
from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.selection import select
from keyrules.records import replace

PACK = load_pack()
FRAMEWORKS = load_frameworks(PACK)


def run(
    name: str, control: str | None = None, settings: tuple[str, ...] = (), plane: Plane = Plane.LIVE
) -> FrameworkSelection:
    (chosen,) = framework_selections(PACK, FRAMEWORKS, [(name, control)], settings, plane)
    return chosen


def limits(chosen: FrameworkSelection) -> tuple[str, ...]:
    """The notes about limits: those on the edition itself left out."""
    return tuple(note for note in chosen.notes if note != FRAMEWORKS.standing(chosen.edition))


def rules(chosen: FrameworkSelection) -> list[str]:
    return [rule.id.removeprefix("KEY_AWS_") for rule in chosen.selection.rules]


def value(chosen: FrameworkSelection, rule_id: str, parameter: str) -> object:
    rule = chosen.selection.rule(rule_id)
    assert rule is not None
    return chosen.selection.value(rule, parameter)


class TestThresholds:
    @pytest.mark.parametrize(("edition", "days"), [("1.2.0", 90), ("1.3.0", 90), ("1.4.0", 45), ("7.0.0", 45)])
    def test_idle_days_are_those_of_the_edition(self, edition: str, days: int) -> None:
        chosen = run(f"cis_aws_{edition}")
        assert value(chosen, "KEY_AWS_002", "max_idle_days") == days
        assert value(chosen, "KEY_AWS_013", "max_idle_days") == days
        assert limits(chosen) == ()

    def test_the_first_key_within_45_days(self) -> None:
        chosen = run("source_pages", "AWS_IAM_50")
        assert rules(chosen) == ["001"]
        assert value(chosen, "KEY_AWS_001", "max_age_days") == 45
        assert value(chosen, "KEY_AWS_001", "slots") == (1,)
        assert [row.relation for row in chosen.rows] == [Relation.IMPLEMENTS]

    def test_the_tightest_bound_of_a_framework_is_in_force(self) -> None:
        """IAM.8 asks for 90 days and IAM.22 for 45: a key that is idle for 60 days does not break IAM.8."""
        chosen = run("aws_security_hub")
        assert value(chosen, "KEY_AWS_002", "max_idle_days") == 45
        assert chosen.stricter == {("IAM.8", "KEY_AWS_002"), ("IAM.8", "KEY_AWS_013"), ("IAM.7", "KEY_AWS_024")}
        assert any("stricter than max_idle_days<=90 of IAM.8" in note for note in limits(chosen))
        assert value(run("aws_security_hub", "IAM.8"), "KEY_AWS_002", "max_idle_days") == 90

    def test_the_slots_of_all_controls_are_looked_at(self) -> None:
        assert value(run("source_pages"), "KEY_AWS_001", "slots") == (1, 2)

    def test_rules_are_those_that_the_framework_names(self) -> None:
        for key in ("cis_aws_6.0.0", "cis_aws_7.0.0"):
            assert [f"KEY_AWS_{number}" for number in rules(run(key))] == list(FRAMEWORKS.edition(key).rules)
        assert "003" in rules(run("cis_aws_6.0.0")) and "003" not in rules(run("cis_aws_7.0.0"))
        assert "017" in rules(run("cis_aws_1.2.0")), "a framework turns on a rule that is off by default"

    def test_the_selection_passes_through_select_unchanged(self) -> None:
        chosen = run("cis_aws_1.2.0").selection
        again = select(PACK, framework=chosen)
        assert (again.rules, dict(again.overrides)) == (chosen.rules, dict(chosen.overrides))


class TestOverrides:
    def test_a_looser_limit_makes_the_row_partial(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.14", ("KEY_AWS_001.max_age_days=91",))
        assert value(chosen, "KEY_AWS_001", "max_age_days") == 91
        assert [row.relation for row in chosen.rows] == [Relation.PARTIAL, Relation.NOT_COVERED]
        assert coverage(chosen.rows) is Coverage.PART
        assert limits(chosen) == (
            "KEY_AWS_001.max_age_days=91 is looser than max_age_days<=90 of 1.14, "
            "so the control is partly assessed at most.",
        )

    def test_the_limit_itself_changes_nothing(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.14", ("KEY_AWS_001.max_age_days=90",))
        assert (coverage(chosen.rows), limits(chosen), chosen.stricter) == (Coverage.FULL, (), frozenset())

    def test_a_stricter_limit_still_implements_and_says_so(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.14", ("KEY_AWS_001.max_age_days=89",))
        assert coverage(chosen.rows) is Coverage.FULL
        assert chosen.stricter == {("1.14", "KEY_AWS_001")}
        assert "stricter" in limits(chosen)[0]

    def test_one_loose_half_opens_the_whole(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.12", ("KEY_AWS_002.max_idle_days=46",))
        assert coverage(run("cis_aws_3.0.0", "1.12").rows) is Coverage.FULL
        assert coverage(chosen.rows) is Coverage.PART

    def test_fewer_slots_than_the_control_means_are_looser(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.14", ("KEY_AWS_001.slots=1",))
        assert coverage(chosen.rows) is Coverage.PART
        assert "slots=1 is looser than slots=1,2" in limits(chosen)[0]

    def test_more_slots_than_the_control_means_are_stricter(self) -> None:
        chosen = run("source_pages", "AWS_IAM_50", ("KEY_AWS_001.slots=1,2",))
        assert coverage(chosen.rows) is Coverage.FULL
        assert chosen.stricter == {("AWS_IAM_50", "KEY_AWS_001")}

    @pytest.mark.parametrize(
        ("values", "covered", "stricter"),
        [
            ((91,), Coverage.PART, False),
            ((90,), Coverage.FULL, False),
            ((30,), Coverage.FULL, True),
            ((30, 91), Coverage.PART, False),
        ],
    )
    def test_a_limit_for_some_users_counts_for_the_control(
        self, values: tuple[int, ...], covered: Coverage, stricter: bool
    ) -> None:
        for_some = {("KEY_AWS_001", "max_age_days"): values}
        (chosen,) = framework_selections(PACK, FRAMEWORKS, [("cis_aws_3.0.0", "1.14")], (), Plane.LIVE, for_some)
        assert value(chosen, "KEY_AWS_001", "max_age_days") == 90
        assert coverage(chosen.rows) is covered
        assert (("1.14", "KEY_AWS_001") in chosen.stricter) is stricter
        assert bool(limits(chosen)) is (values != (90,)) and all("for some users" in note for note in limits(chosen))

    def test_other_controls_are_left_alone(self) -> None:
        loose = {row.control: row for row in run("cis_aws_3.0.0", None, ("KEY_AWS_003.overlap_days=1",)).rows}
        assert loose["1.14"].relation is Relation.IMPLEMENTS
        assert loose["1.13"].relation is Relation.NOT_COVERED

    def test_evidence_stays_evidence(self) -> None:
        chosen = run("nist_csf_1.1", "PR.AC-1", ("KEY_AWS_001.max_age_days=400",))
        assert {row.relation for row in chosen.rows} == {Relation.SUPPORTS}
        assert "looser" in limits(chosen)[0] and "assessed" not in limits(chosen)[0]


class TestPlanes:
    def test_code_never_decides_what_the_account_decides(self) -> None:
        for edition in FRAMEWORKS.editions:
            try:
                chosen = run(edition.key, plane=Plane.CODE)
            except UsageError:
                continue
            for row in chosen.rows:
                if row.relation in (Relation.IMPLEMENTS, Relation.PARTIAL):
                    rule = chosen.selection.rule(row.rule)
                    assert rule is not None and rule.planes == {Plane.CODE}

    def test_rotation_on_code_is_evidence(self) -> None:
        chosen = run("cis_aws_3.0.0", "1.14", plane=Plane.CODE)
        assert [row.relation for row in chosen.rows] == [Relation.SUPPORTS]
        assert "the live account decides" in chosen.rows[0].why

    def test_a_control_whose_rules_do_not_run_is_not_covered(self) -> None:
        rows = {row.control: row for row in run("cis_aws_3.0.0", plane=Plane.CODE).rows}
        assert rows["1.12"].relation is Relation.NOT_COVERED
        assert rows["1.12"].why == "KEY_AWS_013 does not run on the code plane."
        live = {row.control: row for row in run("aws_security_hub").rows}
        assert live["ECS.8"].relation is Relation.NOT_COVERED

    def test_every_control_keeps_at_least_one_row(self) -> None:
        for edition in FRAMEWORKS.editions:
            chosen = run(edition.key)
            assert tuple(dict.fromkeys(row.control for row in chosen.rows)) == edition.controls
            assert not any(row.rule and chosen.selection.rule(row.rule) is None for row in chosen.rows)


class TestContradicts:
    @pytest.fixture
    def forbidding(self) -> Frameworks:
        """CIS 1.2.0 as if its 1.11 forbade what KEY_AWS_017 demands."""
        edition = FRAMEWORKS.edition("cis_aws_1.2.0")
        rows = [
            replace(row, relation=Relation.CONTRADICTS, bounds=(), why="It bans it.") if row.control == "1.11" else row
            for row in edition.rows
        ]
        return replace(FRAMEWORKS, editions=(replace(edition, rows=tuple(rows)), FRAMEWORKS.edition("cis_aws_3.0.0")))

    def test_the_rule_never_runs_and_the_reason_is_a_note(self, forbidding: Frameworks) -> None:
        (chosen,) = framework_selections(PACK, forbidding, [("cis_aws_1.2.0", None)])
        assert "017" in rules(run("cis_aws_1.2.0")) and "017" not in rules(chosen)
        assert chosen.notes[1:] == (
            "KEY_AWS_017 never runs for cis_aws_1.2.0, because 1.11 forbids what it demands: It bans it.",
        )
        (row,) = [row for row in chosen.rows if row.control == "1.11"]
        assert (row.relation, row.rule, row.why) == (Relation.NOT_COVERED, "", "It bans it.")

    def test_a_control_that_only_forbids_cannot_be_run(self, forbidding: Frameworks) -> None:
        with pytest.raises(UsageError, match="on the live plane: It bans it"):
            framework_selections(PACK, forbidding, [("cis_aws_1.2.0", "1.11")])

    def test_it_is_listed_cited_by_nothing_and_decides_nothing(self, forbidding: Frameworks) -> None:
        edition = forbidding.edition("cis_aws_1.2.0")
        assert coverage(edition.rows_of("1.11")) is Coverage.NONE
        assert citations(forbidding, ["KEY_AWS_017"], ["cis_aws_1.2.0"]) == {"KEY_AWS_017": ()}
        assert "contradicts" in render(framework_table(forbidding, edition), "text", {})


class TestEditions:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("cis_aws_7.0.0", ()),
            ("cis_aws_6.0.0", ("cis_aws_6.0.0 is superseded by cis_aws_7.0.0.",)),
            (
                "cis_aws_1.4.0",
                ("cis_aws_1.4.0 is superseded by cis_aws_1.5.0; the newest edition here is cis_aws_7.0.0.",),
            ),
            ("nist_800_53_r4", ("nist_800_53_r4 was withdrawn on 2021-09-23 and is superseded by nist_800_53_r5.",)),
            (
                "nist_800_171_r2",
                (
                    "nist_800_171_r2 was withdrawn on 2024-05-14 and is superseded by nist_800_171_r3. "
                    "DoD keeps revision 2 in force for CMMC (class deviation 2024-O0013).",
                ),
            ),
            ("cis_aws_latest", ("cis_aws_latest is cis_aws_7.0.0 in this version of keyrules.",)),
        ],
    )
    def test_how_it_stands_and_what_an_alias_means_is_said(self, name: str, said: tuple[str, ...]) -> None:
        assert run(name).notes == said

    def test_an_alias_and_its_edition_are_one(self) -> None:
        chosen = framework_selections(PACK, FRAMEWORKS, [("cis_aws_latest", None), ("cis_aws_7.0.0", "2.12")])
        assert [each.edition.key for each in chosen] == ["cis_aws_7.0.0"]
        assert chosen[0].notes == ("cis_aws_latest is cis_aws_7.0.0 in this version of keyrules.",)

    def test_fedramp_never_runs_what_it_forbids(self) -> None:
        for level in ("low", "moderate", "high"):
            chosen = run(f"fedramp_r5_{level}")
            assert "017" not in rules(chosen)
            assert chosen.notes[0] == (
                f"KEY_AWS_017 never runs for fedramp_r5_{level}, because IA-5(1) forbids what it demands: "
                "FedRAMP forbids password policies that make users change their passwords after a time "
                "(part ia-5.1_fr_smt.1)."
            )
        assert "017" not in rules(run("fedramp_r5_li_saas")) and not run("fedramp_r5_li_saas").notes

    @pytest.mark.parametrize(("level", "days"), [("moderate", 90), ("high", 35)])
    def test_fedramp_sets_its_own_limits(self, level: str, days: int) -> None:
        chosen = run(f"fedramp_r5_{level}")
        assert value(chosen, "KEY_AWS_002", "max_idle_days") == value(chosen, "KEY_AWS_013", "max_idle_days") == days


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "control", "expected"),
        [
            ("cis_aws_3.1.0", None, "did you mean cis_aws_"),
            ("cis_aws_3.0.0", "1.20", "on the live plane: No rule"),
            ("cis_aws_3.0.0", "1.140", r"did you mean 1\.14\?"),
            ("cis_aws_5.0.0", "1.22", r"in cis_aws_4\.0\.1 it is 'Full access .*', which is 1\.21 here"),
            ("cis_aws_7.0.0", "1.12", "'A user has at most one active access key', which is not in this edition"),
            ("pci_dss_4.0.1", "8.1.4", r"in pci_dss_3\.2\.1 it is 'Inactive accounts .*', which is 8\.2\.6 here"),
        ],
    )
    def test_a_control_that_cannot_be_run(self, name: str, control: str | None, expected: str) -> None:
        with pytest.raises(UsageError, match=expected):
            run(name, control)

    def test_a_control_of_the_other_plane(self) -> None:
        with pytest.raises(UsageError, match="on the code plane: KEY_AWS_002, KEY_AWS_013 are for the other plane"):
            run("cis_aws_3.0.0", "1.12", plane=Plane.CODE)

    def test_the_form_of_a_control(self) -> None:
        assert split_control("cis_aws_3.0.0:1.10") == ("cis_aws_3.0.0", "1.10")
        for text in ("cis_aws_3.0.0", ":1.10", "cis_aws_3.0.0:"):
            with pytest.raises(UsageError, match="FRAMEWORK:ID"):
                split_control(text)
