"""The stages of a rotation: each from its evidence, and never a step that cuts off a caller."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from rotation_worlds import World

from keyrules.keys.stages import DESTRUCTIVE, LAG, Action, Limits, Observation, Seen, Stage, Step, steps

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
BORN = NOW - timedelta(days=900)
C = Limits().longest


def at(days: float) -> datetime:
    return NOW - timedelta(days=days)


def seen(age: float, used: float | None = None, active: bool = True) -> Seen:
    """A key by its age and last use in days before NOW."""
    return Seen(at(age), active, None if used is None else at(used))


def decide(*keys: Seen, earlier: tuple[float, ...] = (), limits: Limits | None = None) -> list[Step]:
    """The steps of keys that looked the same at earlier moments, given in days before NOW."""
    history = [Observation(at(days), keys) for days in (*earlier, 0)]
    return steps(history, limits or Limits(), BORN)


def stages(*keys: Seen, earlier: tuple[float, ...] = ()) -> list[Stage]:
    return [step.stage for step in decide(*keys, earlier=earlier)]


class TestOneKey:
    def test_young_and_in_use(self) -> None:
        assert stages(seen(30, 1)) == [Stage.NONE]

    def test_old_and_in_use(self) -> None:
        (step,) = decide(seen(100, 1))
        assert (step.stage, step.action, step.since) == (Stage.DUE, Action.CREATE, at(10))

    def test_exactly_as_old_as_allowed(self) -> None:
        assert stages(seen(90, 1)) == [Stage.NONE]

    def test_not_used_for_long_and_seen_once(self) -> None:
        (step,) = decide(seen(400, 300))
        assert (step.stage, step.action, step.not_before) == (
            Stage.UNCLEAR,
            Action.OBSERVE,
            NOW + timedelta(days=45),
        )

    def test_not_used_for_long_and_seen_all_the_time(self) -> None:
        assert [s.action for s in decide(seen(400, 300), earlier=(45, 20))] == [Action.DEACTIVATE]
        assert stages(seen(400, 300), earlier=(44, 20)) == [Stage.UNCLEAR]

    def test_a_gap_longer_than_the_cycle_ends_what_is_known(self) -> None:
        assert stages(seen(400, 300), earlier=(60, 32)) == [Stage.UNCLEAR]

    def test_never_used_counts_from_creation(self) -> None:
        assert stages(seen(400), earlier=(45, 20)) == [Stage.IDLE]

    def test_inactive(self) -> None:
        (step,) = decide(seen(400, 300, active=False), earlier=(20,))
        assert (step.stage, step.since, step.not_before) == (Stage.DEACTIVATED, at(20), at(20) + LAG + C)
        assert stages(seen(400, 300, active=False), earlier=(32, 20)) == [Stage.DELETE]

    def test_a_key_that_was_used_while_it_was_inactive_was_not(self) -> None:
        history = [Observation(at(40), (seen(400, 300, False),)), Observation(at(15), (seen(400, 16, False),))]
        history.append(Observation(NOW, (seen(400, 16, False),)))
        assert [step.stage for step in steps(history, Limits(), BORN)] == [Stage.DEACTIVATED]


class TestTwoKeys:
    def test_the_younger_was_never_used(self) -> None:
        assert stages(seen(100, 1), seen(2)) == [Stage.CREATED, Stage.CREATED]

    def test_past_the_grace_the_owner_is_asked(self) -> None:
        assert [step.action for step in decide(seen(100, 1), seen(31))] == [Action.ASK] * 2

    def test_both_are_used(self) -> None:
        assert stages(seen(100, 1), seen(20, 0.5)) == [Stage.MOVING, Stage.NONE]

    def test_the_order_of_slots_says_nothing(self) -> None:
        assert stages(seen(20, 0.5), seen(100, 1)) == [Stage.NONE, Stage.MOVING]

    def test_the_older_is_quiet(self) -> None:
        keys = (seen(100, 40), seen(60, 0.5))
        (older, _) = decide(*keys, earlier=(31, 15))
        assert (older.stage, older.action) == (Stage.QUIET, Action.DEACTIVATE)

    @pytest.mark.parametrize("earlier", [(), (30, 15), (60, 31.5)], ids=["one look", "too short", "a gap"])
    def test_quiet_takes_observations_that_span_the_cycle(self, earlier: tuple[float, ...]) -> None:
        (older, _) = decide(seen(100, 70), seen(90, 0.5), earlier=earlier)
        assert (older.stage, older.action) == (Stage.UNCLEAR, Action.OBSERVE)

    def test_both_in_use_for_two_cycles(self) -> None:
        history = [Observation(at(days), (seen(400, days + 1), seen(200, days + 1))) for days in (80, 62, 40, 20, 0)]
        found = steps(history, Limits(), BORN)
        assert [(step.stage, step.action) for step in found] == [(Stage.BLOCKED, Action.ASK)] * 2

    def test_the_older_is_off(self) -> None:
        assert stages(seen(100, 40, False), seen(50, 0.5)) == [Stage.DEACTIVATED, Stage.NONE]

    def test_the_older_was_off_for_the_cycle(self) -> None:
        (older, _) = decide(seen(100, 70, False), seen(60, 0.5), earlier=(32, 16))
        assert (older.stage, older.action) == (Stage.DELETE, Action.DELETE)

    def test_what_took_its_place_must_be_in_use_since(self) -> None:
        assert stages(seen(100, 70, False), seen(60, 35), earlier=(32, 16))[0] is Stage.DEACTIVATED

    def test_the_older_is_off_and_the_younger_was_never_used(self) -> None:
        assert stages(seen(100, 40, False), seen(50))[0] is Stage.ROLL_BACK

    def test_a_leftover_holds_the_slot(self) -> None:
        assert stages(seen(100, 1), seen(50, None, False)) == [Stage.BLOCKED, Stage.DEACTIVATED]


class TestContradictions:
    def test_two_keys_of_one_second(self) -> None:
        assert stages(seen(100, 40), seen(100, 1), earlier=(31, 15)) == [Stage.UNCLEAR] * 2

    def test_ids_tell_them_apart(self) -> None:
        keys = (seen(100, 1)._replace(key_id="A"), seen(100, 1)._replace(key_id="B"))
        assert Stage.UNCLEAR not in [step.stage for step in steps([Observation(NOW, keys)], Limits(), BORN)]

    def test_a_user_that_was_created_anew_has_no_history(self) -> None:
        keys = (seen(400, 300),)
        history = [Observation(at(days), keys) for days in (50, 25, 0)]
        assert [step.stage for step in steps(history, Limits(), at(10))] == [Stage.UNCLEAR]

    def test_a_last_use_that_goes_back_ends_the_history(self) -> None:
        history = [Observation(at(50), (seen(400, 60),)), Observation(at(25), (seen(400, 300),))]
        history.append(Observation(NOW, (seen(400, 300),)))
        assert [step.stage for step in steps(history, Limits(), BORN)] == [Stage.UNCLEAR]

    def test_a_use_after_the_observation(self) -> None:
        assert stages(seen(100, -1)) == [Stage.UNCLEAR]

    def test_the_cycle_is_never_below_eight_days(self) -> None:
        limits = Limits(timedelta(days=1), idle=timedelta(0))
        history = [Observation(at(days), (seen(100, 9),)) for days in (7, 0)]
        assert [step.action for step in steps(history, limits, BORN)] != [Action.DEACTIVATE]


def test_no_step_ever_cuts_off_a_caller_within_the_cycle() -> None:
    """Random histories of two slots; that each stage comes up says that they are worth walking."""
    taken, met = 0, set()
    for seed in range(150):
        for cycle in (8, 31, 91):
            world = World(seed, cycle)
            for action, needed in world.run():
                taken += action in DESTRUCTIVE
                assert not needed, (seed, cycle, action)
            met |= world.stages
    assert taken > 500
    assert met == set(Stage)


def test_the_walk_would_notice_a_wait_that_is_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cycle shorter than that of the callers somebody is cut off."""
    monkeypatch.setattr("rotation_worlds.Limits", lambda cycle: Limits(cycle / 4))
    assert any(needed for seed in range(60) for _, needed in World(seed, 91).run())
