import re
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from scheduled_pipeline.trigger.event import EventTrigger

TOKEN = "${Token[TOKEN.123]}"
READY = {"source": ["my.app"], "detail-type": ["Data Ready"]}


def trigger(**options: Any) -> EventTrigger:
    return EventTrigger.pattern(READY, **options)


class TestS3ObjectCreated:
    def test_a_bucket_alone(self) -> None:
        assert EventTrigger.s3_object_created(bucket_name="raw-data").event_pattern == {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": ["raw-data"]}},
        }

    @pytest.mark.parametrize(
        ("ends", "key"),
        [
            ({"prefix": "raw/"}, {"prefix": "raw/"}),
            ({"suffix": ".csv"}, {"suffix": ".csv"}),
            ({"prefix": "raw/", "suffix": ".csv"}, {"wildcard": "raw/*.csv"}),
            ({"prefix": "a\\b", "suffix": "/_SUCCESS"}, {"wildcard": "a\\\\b*/_SUCCESS"}),
        ],
    )
    def test_both_ends_of_a_key_must_match_together(self, ends: dict[str, str], key: dict[str, str]) -> None:
        event_pattern = EventTrigger.s3_object_created(bucket_name="raw-data", **ends).event_pattern  # type: ignore[arg-type]
        assert event_pattern is not None
        assert event_pattern["detail"]["object"] == {"key": [key]}

    def test_a_bucket_name_may_be_a_token(self) -> None:
        event_pattern = EventTrigger.s3_object_created(bucket_name=TOKEN).event_pattern
        assert event_pattern is not None
        assert event_pattern["detail"]["bucket"] == {"name": [TOKEN]}

    @pytest.mark.parametrize("name", ["", "ab", "Raw", "arn:aws:s3:::raw", "s3://raw", "a_b", "-ab"])
    def test_what_is_no_bucket_name_is_refused(self, name: str) -> None:
        with pytest.raises(
            ValueError,
            match=re.escape(
                f"bucket_name must be the name of a bucket, 3 to 63 of a-z 0-9 . -, got {name!r}"
            ),
        ):
            EventTrigger.s3_object_created(bucket_name=name)

    @pytest.mark.parametrize(
        ("ends", "message"),
        [
            (
                {"prefix": "s3://raw/x/"},
                "prefix must be part of a key, without bucket, got 's3://raw/x/': write prefix='x/'",
            ),
            ({"suffix": "s3://raw/x.csv"}, "suffix must be part of a key, without bucket"),
            ({"prefix": "/raw/"}, "got '/raw/': keys begin without a slash, write prefix='raw/'"),
            (
                {"suffix": "*.csv"},
                "suffix must be taken as it is, without *, got '*.csv': write suffix='.csv'",
            ),
            ({"prefix": "raw/*"}, "got 'raw/*': write prefix='raw/'"),
            ({"prefix": "raw/*.csv"}, "got 'raw/*.csv': write prefix='raw/' and suffix='.csv'"),
            ({"prefix": "raw/**/a*.csv"}, "use EventTrigger.pattern with"),
            ({"suffix": "*"}, "got '*': leave suffix out"),
        ],
    )
    def test_a_filter_that_no_key_is_likely_to_pass_is_refused_with_what_is_meant(
        self, ends: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            EventTrigger.s3_object_created(bucket_name="raw", **ends)  # type: ignore[arg-type]


class TestSageMakerEvents:
    @pytest.mark.parametrize(
        ("made", "detail_type", "detail"),
        [
            (
                EventTrigger.endpoint_state_change(endpoint_name="my-endpoint", status="OUT_OF_SERVICE"),
                "SageMaker Endpoint State Change",
                {"EndpointName": ["my-endpoint"], "EndpointStatus": ["OUT_OF_SERVICE"]},
            ),
            (
                EventTrigger.training_job_state_change(
                    name_prefix="abalone-", status=["Completed", "Failed"]
                ),
                "SageMaker Training Job State Change",
                {"TrainingJobName": [{"prefix": "abalone-"}], "TrainingJobStatus": ["Completed", "Failed"]},
            ),
            (
                EventTrigger.pipeline_execution_status_change(pipeline_name="Abalone", status="Succeeded"),
                "SageMaker Model Building Pipeline Execution Status Change",
                {
                    "pipelineArn": [{"suffix": {"equals-ignore-case": ":pipeline/Abalone"}}],
                    "currentPipelineExecutionStatus": ["Succeeded"],
                },
            ),
            (
                EventTrigger.model_package_approval(model_package_group_name="abalone"),
                "SageMaker Model Package State Change",
                {
                    "ModelPackageGroupName": ["abalone"],
                    "ModelApprovalStatus": ["Approved"],
                    "UpdatedModelPackageFields": ["ModelApprovalStatus"],
                },
            ),
        ],
    )
    def test_the_pattern_has_the_names_of_the_events(
        self, made: EventTrigger, detail_type: str, detail: dict[str, Any]
    ) -> None:
        assert made.event_pattern == {
            "source": ["aws.sagemaker"],
            "detail-type": [detail_type],
            "detail": detail,
        }

    @pytest.mark.parametrize(
        "made",
        [
            EventTrigger.endpoint_state_change(),
            EventTrigger.training_job_state_change(),
            EventTrigger.pipeline_execution_status_change(),
        ],
    )
    def test_with_nothing_given_any_change_starts_it(self, made: EventTrigger) -> None:
        assert made.event_pattern is not None
        assert "detail" not in made.event_pattern

    def test_with_no_status_any_change_of_the_approval_starts_it(self) -> None:
        made = EventTrigger.model_package_approval(status=())
        assert made.event_pattern is not None
        assert made.event_pattern["detail"] == {"UpdatedModelPackageFields": ["ModelApprovalStatus"]}

    def test_a_name_may_be_a_token(self) -> None:
        EventTrigger.endpoint_state_change(endpoint_name=TOKEN)

    def test_a_status_as_the_api_writes_it_is_refused_with_the_name_that_events_use(self) -> None:
        with pytest.raises(ValueError, match="got 'InService': events write it IN_SERVICE"):
            EventTrigger.endpoint_state_change(status="InService")

    @pytest.mark.parametrize(
        ("factory", "options", "message"),
        [
            ("training_job_state_change", {"status": "Succeeded"}, "status must be of InProgress Completed"),
            ("pipeline_execution_status_change", {"status": "succeeded"}, "events write it Succeeded"),
            ("model_package_approval", {"status": ["Approved", "Maybe"]}, "got 'Maybe'"),
            ("endpoint_state_change", {"endpoint_name": "a_b"}, "endpoint_name must be 1 to 63 of"),
            ("training_job_state_change", {"name_prefix": "-a"}, "name_prefix must be 1 to 63 of"),
            (
                "pipeline_execution_status_change",
                {"pipeline_name": "a b"},
                "pipeline_name must be 1 to 256 of",
            ),
            ("model_package_approval", {"model_package_group_name": ""}, "model_package_group_name must be"),
        ],
    )
    def test_what_no_event_has_is_refused(self, factory: str, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            getattr(EventTrigger, factory)(**options)


class TestRulesOnASchedule:
    def test_a_cron_has_six_fields_and_is_normalised(self) -> None:
        assert EventTrigger.cron("00 3 ? * mon-fri *").schedule_expression == "cron(0 3 ? * MON-FRI *)"
        with pytest.raises(ValueError, match="cron must have six fields"):
            EventTrigger.cron("0 3 * * ?")

    def test_a_rate_is_an_interval(self) -> None:
        assert EventTrigger.rate(timedelta(hours=1)).schedule_expression == "rate(1 hour)"
        assert EventTrigger.rate((1, "days")).schedule_expression == "rate(1 day)"

    def test_a_custom_bus_is_refused_with_the_reason(self) -> None:
        message = re.escape("got 'mine': EventBridge runs rate(1 hour) on the default bus only")
        with pytest.raises(ValueError, match=message):
            EventTrigger.rate((1, "hour"), event_bus_name="mine")
        EventTrigger.rate((1, "hour"), event_bus_name="default")

    def test_a_bus_that_is_a_token_is_refused_too(self) -> None:
        with pytest.raises(ValueError, match="event_bus_name must be left out of a rule on a schedule"):
            EventTrigger.cron("0 3 * * ? *", event_bus_name=TOKEN)

    def test_there_is_no_zone(self) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'timezone'"):
            EventTrigger.cron("0 3 * * ? *", timezone="Asia/Tokyo")  # type: ignore[call-arg]


class TestParameters:
    def test_static_and_dynamic_values_are_told_apart(self) -> None:
        made = trigger(
            parameters={"Input": "$.detail.object.key", "Count": 3, "Full": False, "Price": "$5", "Empty": ""}
        )
        assert made.pipeline_parameters == (
            ("Input", "$.detail.object.key"),
            ("Count", "3"),
            ("Full", "False"),
            ("Price", "$5"),
            ("Empty", ""),
        )
        assert made.dynamic_parameters == {"Input"}

    @pytest.mark.parametrize("name", ["A", "a-b", "a_b", "9", "a" * 256, TOKEN])
    def test_names_that_rules_take(self, name: str) -> None:
        trigger(parameters={name: "1"})

    def test_a_value_with_a_token_is_not_checked_before_it_is_known(self) -> None:
        trigger(parameters={"A": f"$.detail.{TOKEN}[", "B": f"{TOKEN}/$.detail.key"})

    @pytest.mark.parametrize("name", ["", "-a", "a-", "_a", "a b", "a.b", "a" * 257])
    def test_names_that_rules_refuse(self, name: str) -> None:
        with pytest.raises(ValueError, match="parameters name must be 1 to 256 characters"):
            trigger(parameters={name: "1"})

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("x" * 1025, "must be 0 to 1024 characters, got 1025"),
            ("s3://bucket/$.detail.object.key", "must be a path and nothing else to be read from the event"),
            ("<aws.scheduler.scheduled-time>", "must not use the context attributes of schedules"),
            ("$.detail object", "must be a path of dots, letters"),
        ],
    )
    def test_values_that_would_not_do_what_they_say(self, value: str, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(f"parameters['A'] {message}")):
            trigger(parameters={"A": value})

    def test_a_rule_on_a_schedule_has_no_detail_to_read(self) -> None:
        with pytest.raises(ValueError, match=re.escape("got '$.detail.key': a schedule has no detail")):
            EventTrigger.rate((1, "hour"), parameters={"A": "$.detail.key"})
        EventTrigger.rate((1, "hour"), parameters={"A": "$.time"})

    def test_a_path_that_the_pattern_rules_out_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"the pattern says that detail\.bucket\.name is a value"):
            EventTrigger.s3_object_created(bucket_name="raw", parameters={"A": "$.detail.bucket.name.first"})


class TestTheRest:
    def test_with_nothing_else_given_everything_has_its_default(self) -> None:
        made = trigger()
        assert made.state == "ENABLED"
        assert made.pipeline_parameters == ()
        assert made.event_bus_name is None
        assert made.schedule_expression is None
        assert made.name is None

    def test_with_everything_given_everything_is_kept(self) -> None:
        made = trigger(
            event_bus_name="arn:aws:events:eu-west-1:111122223333:event-bus/mine",
            enabled=False,
            description="When data are ready",
            parameters={"Id": "$.id"},
            maximum_retry_attempts=0,
            maximum_event_age=timedelta(hours=1),
            name="on.data",
        )
        assert made.state == "DISABLED"
        assert made.maximum_event_age == timedelta(hours=1)
        assert made.event_bus_name is not None
        assert made.event_bus_name.endswith("/mine")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"event_bus_name": ""}, "event_bus_name must be 1 to 256 of"),
            ({"event_bus_name": "my bus"}, "event_bus_name must be 1 to 256 of"),
            ({"description": "x" * 513}, "description must be at most 512 characters"),
            ({"maximum_retry_attempts": 186}, "maximum_retry_attempts must be 0 to 185"),
            ({"maximum_event_age": timedelta(seconds=1)}, "maximum_event_age must be 60 to 86400"),
            ({"name": "a/b"}, "name must be 1 to 64 characters"),
        ],
    )
    def test_what_aws_refuses_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            trigger(**options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"event_bus_name": 1}, "event_bus_name must be a string"),
            ({"enabled": "yes"}, "enabled must be True or False"),
            ({"parameters": None}, "parameters must be a mapping"),
        ],
    )
    def test_a_value_of_another_type_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(TypeError, match=message):
            trigger(**options)

    @pytest.mark.parametrize("given", [{}, {"event_pattern": READY, "schedule_expression": "rate(1 hour)"}])
    def test_it_has_a_pattern_or_a_schedule(self, given: dict[str, Any]) -> None:
        with pytest.raises(
            ValueError, match="event_pattern or schedule_expression must be given, and not both"
        ):
            EventTrigger(**given)

    def test_it_shares_nothing_with_what_it_was_made_from(self) -> None:
        pattern = {"source": ["my.app"], "detail": {"kind": ["a"]}}
        made = EventTrigger.pattern(pattern)
        pattern["source"].append("other")  # type: ignore[attr-defined]
        assert made.event_pattern == {"source": ["my.app"], "detail": {"kind": ["a"]}}
        with pytest.raises(FrozenInstanceError):
            made.enabled = False  # type: ignore[misc]

    @pytest.mark.parametrize(
        ("made", "words"),
        [
            (trigger(), "on Data Ready from my.app"),
            (EventTrigger.s3_object_created(bucket_name="raw"), "on Object Created from aws.s3"),
            (EventTrigger.pattern({"source": ["a", "b"]}), "on events from a or b"),
            (EventTrigger.pattern({"detail": {"x": [1]}}), "on events"),
            (EventTrigger.pattern({"detail-type": ["x" * 600]}), "on events of several kinds"),
            (EventTrigger.cron("0 3 * * ? *"), "every day at 03:00 UTC"),
        ],
    )
    def test_it_describes_itself(self, made: EventTrigger, words: str) -> None:
        assert made.describe() == words
