import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from account_triggers import EVENT, EVERYTHING, FULL, PATTERN, call, listed, rule, schedule

from scheduled_pipeline import EventTrigger, PipelineSchedule
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.adoption import Adoption, adopt_triggers
from scheduled_pipeline.trigger.occurrences import occurrences

NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
HANDOVER = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)


def adopt(*records: TriggerRecord, handover: datetime | None = None) -> Adoption:
    return adopt_triggers(records, pipeline="training", now=NOW, handover=handover)


def run_code(adoption: Adoption) -> dict[str, Any]:
    """The names that the code defines."""
    names: dict[str, Any] = {}
    exec(compile(adoption.source, "adopted.py", "exec"), names)
    return names


def one(record: TriggerRecord, **options: Any) -> Any:
    """The only trigger of the code for one record, made by running the code."""
    names = run_code(adopt(record, **options))
    (trigger,) = {**names.get("schedules", {}), **names.get("events", {})}.values()
    return trigger


def test_a_full_schedule_keeps_every_property_that_a_stack_can_have() -> None:
    made = one(FULL)
    assert made == PipelineSchedule(
        expression=made.expression,
        timezone="Europe/Berlin",
        start=datetime(2027, 1, 1, 0, 0, 7, tzinfo=UTC),
        end=datetime(2028, 1, 1, tzinfo=UTC),
        flexible_time_window=timedelta(minutes=90),
        enabled=False,
        description="weekdays\nbefore \"work\" \\ 'early' \u2603",
        parameters={"Date": "<aws.scheduler.scheduled-time>", "Count": "2"},
        maximum_retry_attempts=0,
        maximum_event_age=timedelta(minutes=90),
    )
    assert made.expression.lower() == "cron(30 4 ? * mon-fri *)"


def test_a_full_rule_keeps_every_property_that_a_stack_can_have() -> None:
    assert one(EVENT) == EventTrigger.pattern(
        PATTERN,
        event_bus_name="lake",
        enabled=False,
        description="new data",
        parameters={"Date": "$.detail.object.key", "Mode": "b", "Count": "$.resources[0]"},
        maximum_event_age=timedelta(minutes=1),
    )
    assert one(EVENT).event_pattern == PATTERN


@pytest.mark.parametrize("expression", ["cron(0 3 * * ? *)", "cron(0 3 1W * ?)", "at(2027-01-04T09:00:30)"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_an_expression_and_its_zone_are_kept(expression: str, zone: str) -> None:
    made = one(schedule(expression, ScheduleExpressionTimezone=zone))
    assert made == PipelineSchedule(expression=expression, timezone=zone)


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("rate(1 day)", "rate(1 day)"),
        ("rate(60 minutes)", "rate(60 minutes)"),
        ("rate(24 hours)", "rate(24 hours)"),
        ("rate(90 minutes)", "rate(90 minutes)"),
        # AWS takes a plural for one, and the SDK writes it.
        ("rate(1 hours)", "rate(1 hour)"),
    ],
)
def test_a_rate_keeps_its_unit(expression: str, same: str) -> None:
    assert one(schedule(expression)).expression == same
    assert one(rule(ScheduleExpression=expression)).schedule_expression == same


@pytest.mark.parametrize(
    "expression",
    [
        "fortnightly(2)",
        "cron(0 20-2/3 * * ? *)",
        "cron(0 3 ? * MON/2 *)",
        "cron(",
        "rate(x)",
        "rate(999999999 days)",
        "rate(99999999999999 days)",
        "at(9999-12-31T23:59:59)",
    ],
)
def test_an_expression_that_cannot_be_written_is_left_out_and_shown_as_it_is(expression: str) -> None:
    zone: Any = {"ScheduleExpressionTimezone": "America/New_York"}
    for record in (schedule(expression, **zone), rule(ScheduleExpression=expression)):
        adoption = adopt(record, schedule(Name="other"))
        if record.kind == "schedule" or not expression.startswith("rate(999999999 "):  # which a rule takes
            assert len(adoption.adopted) == 1
            assert expression in adoption.left_out[0].reason


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("cron(0/30 20-2 ? * FRI-MON *)", "cron(0/30 20-23,0-2 ? * FRI-SAT,SUN-MON *)"),
        ("cron(0/60 3 * * ? *)", "cron(0 3 * * ? *)"),
    ],
)
def test_what_runs_on_aws_is_adopted_in_its_normal_form(expression: str, same: str) -> None:
    assert one(schedule(expression)).expression == same
    assert one(rule(ScheduleExpression=expression)).schedule_expression == same


def test_what_aws_has_by_default_is_not_written() -> None:
    assert '"Nightly": PipelineSchedule.cron("0 3 * * ? *"),\n' in adopt(schedule()).source


def test_the_start_of_a_cron_that_is_past_is_left_out_and_said() -> None:
    record = schedule(StartDate=datetime(2026, 1, 1, 3, 4, 5, tzinfo=UTC))
    assert one(record).start is None
    assert (
        "# Its start date 2026-01-01T03:04:05Z is past, so it says nothing any more." in adopt(record).source
    )


@pytest.mark.parametrize("anchor", [None, datetime(2026, 3, 1, 7, 13, 11, tzinfo=UTC)])
@pytest.mark.parametrize("handover", [None, HANDOVER])
def test_a_rate_goes_on_in_its_rhythm(anchor: datetime | None, handover: datetime | None) -> None:
    settings: dict[str, Any] = {} if anchor is None else {"StartDate": anchor}
    record = schedule("rate(7 hours)", **settings)
    earliest = handover or NOW + timedelta(days=1)
    made = one(record, handover=handover)
    begun = anchor or record.created
    assert begun is not None
    runs = occurrences(made.parsed, "UTC", after=earliest - timedelta(seconds=1), start=begun)
    assert made.start == next(runs)
    assert earliest <= made.start < earliest + timedelta(hours=7)


def test_a_start_that_is_to_come_is_kept() -> None:
    start = datetime(2027, 5, 1, tzinfo=UTC)
    for expression in ("rate(7 hours)", "cron(0 3 * * ? *)"):
        for handover in (None, HANDOVER):
            assert one(schedule(expression, StartDate=start), handover=handover).start == start


def test_a_start_that_is_to_come_but_before_the_handover_gives_way_to_it() -> None:
    start = HANDOVER - timedelta(days=1)
    assert one(schedule(StartDate=start), handover=HANDOVER).start == HANDOVER
    rate = one(schedule("rate(7 hours)", StartDate=start), handover=HANDOVER)
    assert rate.start == start + timedelta(hours=28)


def test_with_a_handover_nothing_new_runs_before_it() -> None:
    names = run_code(adopt(*EVERYTHING, handover=HANDOVER))
    for made in names["schedules"].values():
        assert not made.enabled or made.next_runs(1, after=NOW)[0] >= HANDOVER
    assert not any(made.enabled for made in names["events"].values())


def test_a_handover_does_not_give_a_disabled_schedule_a_start() -> None:
    assert one(schedule(State="DISABLED"), handover=HANDOVER).start is None


def test_a_one_time_schedule_before_the_handover_is_left_to_the_old_one() -> None:
    adoption = adopt(schedule("at(2026-12-01T06:29:00)"), handover=HANDOVER)
    assert (adoption.adopted, [left.spent for left in adoption.left_out]) == ((), [True])
    assert one(schedule("at(2026-12-01T06:30:00)"), handover=HANDOVER).expression == "at(2026-12-01T06:30:00)"


def test_a_universal_target_with_a_token_of_the_scheduled_time_is_idempotent() -> None:
    target = call(
        ClientRequestToken=32 * "t" + "<aws.scheduler.scheduled-time>",
        PipelineExecutionDisplayName="by-hand",
        PipelineVersionId="3",
        PipelineParameters=[{"Name": "Date", "Value": "<aws.scheduler.scheduled-time>"}],
    )
    assert one(schedule(target=target)) == PipelineSchedule.cron(
        "0 3 * * ? *",
        idempotent=True,
        display_name="by-hand",
        pipeline_version_id=3,
        parameters={"Date": PipelineSchedule.SCHEDULED_TIME},
    )


def test_a_universal_target_without_such_a_token_is_a_plain_start() -> None:
    assert one(schedule(target=call())) == PipelineSchedule.cron("0 3 * * ? *")
    fixed = adopt(schedule(target=call(ClientRequestToken=40 * "t")))
    assert not fixed.adopted[0].trigger.idempotent  # type: ignore[union-attr]
    assert "ClientRequestToken is not kept" in fixed.source


@pytest.mark.parametrize(
    ("record", "note"),
    [
        (schedule(target={"DeadLetterConfig": {"Arn": "arn:queue"}}), "dead_letter_queue="),
        (schedule(KmsKeyArn="arn:key"), "encrypted with arn:key: give encryption_key="),
        (schedule(ActionAfterCompletion="DELETE"), "CloudFormation has no ActionAfterCompletion"),
        (schedule(target={"Input": "{}"}), "its input is not kept"),
        (schedule(target=call(PipelineExecutionDisplayName="x")), "needs idempotent=True"),
        (schedule(target=call(ParallelismConfiguration={})), "give max_parallel_steps="),
        (schedule(target=call(MlflowExperimentName="x")), "MlflowExperimentName of its request is not kept"),
        (rule(EventPattern='{"source": ["a"]}', other_targets=2), "the rule has 2 more targets"),
        (
            rule(EventPattern='{"source": ["a"]}', State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
            "becomes ENABLED",
        ),
    ],
)
def test_what_cannot_be_kept_is_said_in_the_code(record: TriggerRecord, note: str) -> None:
    adoption = adopt(record)
    assert note in " ".join(adoption.adopted[0].notes)
    comments = [line.strip().removeprefix("# ") for line in adoption.source.splitlines() if "#" in line]
    assert note.lower() in " ".join(comments).lower()


@pytest.mark.parametrize(
    ("record", "reason", "spent"),
    [
        (schedule("at(2026-11-21T11:00:00)"), "never runs again", True),
        (schedule(EndDate=datetime(2026, 11, 1, tzinfo=UTC)), "never runs again", True),
        (schedule("cron(0 3 * * ? 2025)"), "never runs again", True),
        (schedule("rate(1 day)", EndDate=datetime(2026, 11, 1, tzinfo=UTC)), "never runs again", True),
        (
            schedule("rate(1 day)", EndDate=datetime(2026, 11, 22, tzinfo=UTC)),
            "it ends at 2026-11-22T00:00:00Z, and a new one can begin at 2026-11-23T08:20:30Z",
            False,
        ),
        (schedule("every day"), "its expression every day is not understood", False),
        (schedule("rate(0 hours)"), "its expression rate(0 hours) is not understood", False),
        (schedule(ScheduleExpressionTimezone="Mars/Base"), "timezone must be an IANA name", False),
        (schedule(target=listed(Date="$.time")), "a schedule has no event to read", False),
        (rule(EventPattern='{"source": [null]}'), "must not be None", False),
        (rule(EventPattern='{"a'), "not a JSON object", False),
        (
            rule(EventPattern='{"source": ["a"]}', ManagedBy="states.amazonaws.com"),
            "made it and keeps it",
            False,
        ),
    ],
)
def test_what_cannot_be_written_is_left_out_with_the_reason(
    record: TriggerRecord, reason: str, spent: bool
) -> None:
    adoption = adopt(record)
    (left,) = adoption.left_out
    assert reason in left.reason
    assert left.spent is spent
    assert run_code(adoption).keys() == {"__builtins__"}
    assert "# Left out: the " in adoption.source


def test_a_rule_on_events_and_on_a_schedule_becomes_two_triggers() -> None:
    record = rule(name="both", EventPattern='{"source": ["a"]}', ScheduleExpression="cron(0 3 * * ? *)")
    events = run_code(adopt(record))["events"]
    assert events == {
        "Both": EventTrigger.pattern({"source": ["a"]}),
        "Both2": EventTrigger.cron("0 3 * * ? *"),
    }


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["nightly"], ["Nightly"]),
        # The SDK's default name is that of the pipeline.
        (["Training"], ["Cron"]),
        (["training-nightly"], ["TrainingNightly"]),  # training-Nightly would be too near
        (["training_2-weekly.run"], ["2WeeklyRun"]),
        (["nightly", "nightly"], ["Nightly", "Nightly2"]),
        (
            ["Nightly", "training-nightly", "training-nightly2"],
            ["Nightly3", "TrainingNightly", "TrainingNightly2"],
        ),
        ([64 * "x", 64 * "X"], ["X" + 63 * "x", 60 * "X" + "2"]),
        (["---"], ["Cron"]),
    ],
)
def test_a_key_is_made_from_the_name_and_its_physical_name_is_free(names: list[str], keys: list[str]) -> None:
    records = [schedule(name=name, group=f"group{place}") for place, name in enumerate(names)]
    made = [one.key for one in adopt(*records).adopted]
    assert made == keys
    taken = {name.lower() for name in names}
    assert len({key.lower() for key in made}) == len(made)
    assert not taken & {f"training-{key}".lower() for key in made}


@pytest.mark.parametrize("handover", [None, HANDOVER])
def test_the_order_of_the_records_does_not_matter(handover: datetime | None) -> None:
    assert adopt(*EVERYTHING, handover=handover).source == adopt(*EVERYTHING[::-1], handover=handover).source


@pytest.mark.process
@pytest.mark.parametrize("length", ["88", "110"])
@pytest.mark.parametrize("handover", [None, HANDOVER])
def test_the_code_is_formatted_and_imports_what_it_needs(
    handover: datetime | None, length: str, tmp_path: Path
) -> None:
    path = tmp_path / "adopted.py"
    path.write_text(adopt(*EVERYTHING, handover=handover).source, encoding="utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E,F,I,W", "--ignore", "E501"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", length, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_text_of_an_account_gets_out_of_its_string_or_comment() -> None:
    evil = '"\n)\nraise SystemExit\n# \u2028\r\x00\x1b[2J\\'
    made = one(schedule(Description=evil, KmsKeyArn=evil, target=listed(Date=evil)))
    assert (made.description, made.parameters) == (evil, {"Date": evil})
    assert "\x1b" not in adopt(schedule(Description=evil, KmsKeyArn=evil)).source


@pytest.mark.parametrize("expression", ["cron(0 3 * * ? *)", "rate(1 day)"])
def test_what_ends_before_the_handover_need_not_be_written(expression: str) -> None:
    (left,) = adopt(schedule(expression, EndDate=HANDOVER - timedelta(days=1)), handover=HANDOVER).left_out
    assert left.reason.startswith("its last run is before the handover")
    assert left.spent
