"""What ``ScheduledPipeline`` refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import CfnParameter, Token
from template_parts import (
    NIGHTLY,
    NewStack,
)

from scheduled_pipeline import PipelineDefinition, PipelineSchedule, ScheduledPipeline


class TestRefuses:
    """Each slip at synth, naming the construct, the field, the value and what is allowed."""

    @pytest.fixture
    def build(self, new_stack: NewStack, definition: PipelineDefinition) -> Callable[..., ScheduledPipeline]:
        stack = new_stack()

        def build(construct_id: str = "Training", **arguments: Any) -> ScheduledPipeline:
            return ScheduledPipeline(stack, construct_id, **{"definition": definition, **arguments})

        return build

    def test_a_name_that_sagemaker_refuses(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            ValueError, match=r"Stack/Training.*pipeline_name must be 1 to 256 letters, .* got 'my_name'"
        ):
            build(pipeline_name="my_name")

    def test_a_name_that_is_known_at_deploy_time_only(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        name = CfnParameter(stack, "Name").value_as_string
        with pytest.raises(ValueError, match="Stack/Training: pipeline_name must be known at synth"):
            ScheduledPipeline(stack, "Training", definition=definition, pipeline_name=name)

    def test_a_description_that_is_too_long(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(ValueError, match="description must be at most 3072 characters, got 3073"):
            build(description="x" * 3073)

    @pytest.mark.parametrize("number", [0, -1])
    def test_a_parallelism_below_one(self, build: Callable[..., ScheduledPipeline], number: int) -> None:
        with pytest.raises(ValueError, match=f"max_parallel_steps must be 1 or more, got {number}"):
            build(max_parallel_steps=number)

    def test_two_pipelines_of_one_name(self, build: Callable[..., ScheduledPipeline]) -> None:
        build(pipeline_name="same")
        expected = "Stack/Second: the pipeline name 'same' is already taken by Stack/Training"
        with pytest.raises(ValueError, match=expected):
            build("Second", pipeline_name="same")

    def test_two_pipelines_that_differ_in_letter_case_alone(
        self, build: Callable[..., ScheduledPipeline]
    ) -> None:
        build(pipeline_name="Train")
        with pytest.raises(ValueError, match="the pipeline name 'train' is already taken by Stack/Training"):
            build("Second", pipeline_name="train")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"execution_role": "arn:aws:iam::1:role/r"},
                "execution_role must be an iam.IRole, such as Role.from",
            ),
            ({"scheduler_role": "r"}, "scheduler_role must be an iam.IRole"),
            ({"artifact_bucket": "b"}, "artifact_bucket must be an s3.IBucket"),
            ({"dead_letter_queue": "q"}, "dead_letter_queue must be an sqs.IQueue"),
            ({"encryption_key": "k"}, "encryption_key must be a kms.IKey"),
            ({"schedule_group": "g"}, "schedule_group must be a scheduler.IScheduleGroup"),
            ({"schedules": [NIGHTLY]}, "schedules must be a mapping of names to schedules"),
            ({"schedules": {1: NIGHTLY}}, "schedules must have strings as names, got 1"),
            ({"events": "S3"}, "events must be a mapping of names to triggers"),
            ({"values": ["a"]}, "values must be a mapping of names to values"),
            ({"pipeline_name": 5}, "pipeline_name must be a string, got 5"),
            ({"description": 5}, "description must be a string, got 5"),
            ({"max_parallel_steps": "5"}, "max_parallel_steps must be a whole number, got '5'"),
            ({"max_parallel_steps": 2.5}, "max_parallel_steps must be a whole number, got 2.5"),
        ],
    )
    def test_an_argument_of_a_wrong_type(
        self, build: Callable[..., ScheduledPipeline], arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(TypeError, match=f"^Stack/Training: {message}"):
            build(**arguments)

    def test_two_schedules_of_one_name(self, build: Callable[..., ScheduledPipeline]) -> None:
        same = PipelineSchedule.rate(timedelta(hours=1), name="same")
        expected = r"Stack/Training/Schedules/B: the schedule name 'same' is already taken by .*/Schedules/A"
        with pytest.raises(ValueError, match=expected):
            build(schedules={"A": same, "B": same})

    def test_a_derived_name_that_another_schedule_has(self, build: Callable[..., ScheduledPipeline]) -> None:
        given = PipelineSchedule.rate(timedelta(hours=1), name="p-B")
        with pytest.raises(ValueError, match="the schedule name 'p-B' is already taken"):
            build(pipeline_name="p", schedules={"A": given, "B": NIGHTLY})

    @pytest.mark.parametrize("key", ["", "a b", "x" * 65, "a/b"])
    def test_a_key_that_cannot_be_in_a_name(self, build: Callable[..., ScheduledPipeline], key: str) -> None:
        with pytest.raises(ValueError, match=r"Stack/Training: schedule '.*': the name must be 1 to 64 of"):
            build(schedules={key: NIGHTLY})

    def test_a_key_that_is_taken(self, build: Callable[..., ScheduledPipeline]) -> None:
        training = build(schedules={"A": NIGHTLY})
        with pytest.raises(ValueError, match="schedule 'A': there is a trigger of that name already"):
            training.add_schedule("A", NIGHTLY)

    def test_what_is_no_schedule(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            TypeError, match="Stack/Training: schedule 'A': schedule must be a PipelineSchedule"
        ):
            build(schedules={"A": "rate(1 hour)"})

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            (
                {"Dat": "x"},
                "the pipeline has no parameter 'Dat'; did you mean 'Date'. it has Date, Count, Limit",
            ),
            ({"Count": "one"}, "parameter 'Count' is of type Integer, got 'one'"),
            ({"Count": "1_000"}, "parameter 'Count' is of type Integer, got '1_000'"),
            ({"Count": 1.5}, "parameter 'Count' is of type Integer, got '1.5'"),
            ({"Limit": "high"}, "parameter 'Limit' is of type Float, got 'high'"),
            ({"Full": "yes"}, "parameter 'Full' is of type Boolean, got 'yes'"),
            ({"Mode": "c"}, "parameter 'Mode' must be one of 'a', 'b', got 'c'"),
        ],
    )
    def test_parameters_that_do_not_fit_the_pipeline(
        self, build: Callable[..., ScheduledPipeline], parameters: dict[str, Any], message: str
    ) -> None:
        schedule = PipelineSchedule.rate(timedelta(hours=1), parameters=parameters)
        with pytest.raises(ValueError, match=f"Stack/Training: schedule 'A': {message}"):
            build(schedules={"A": schedule})

    def test_a_schedule_that_leaves_out_a_parameter_without_default(
        self, build: Callable[..., ScheduledPipeline], small_definition: dict[str, Any]
    ) -> None:
        needs = [*small_definition["Parameters"], {"Name": "Needed", "Type": "String"}]
        definition = PipelineDefinition.from_json({**small_definition, "Parameters": needs})
        with pytest.raises(ValueError, match="schedule 'A': must give Needed: a parameter without a default"):
            build(definition=definition, schedules={"A": NIGHTLY})

    def test_a_value_of_another_type(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            TypeError, match=r"Stack/Training: values\['A'\] must be a string, a number or a boolean"
        ):
            build(values={"A": ["list"]})

    def test_a_number_that_is_known_at_deploy_time_only(
        self, build: Callable[..., ScheduledPipeline]
    ) -> None:
        number = Token.as_number({"Ref": "Number"})
        with pytest.raises(ValueError, match=r"values\['A'\] is a number that is known at deploy time only"):
            build(values={"A": number})

    def test_a_function_in_a_stack_without_a_region(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None, region=None)
        with pytest.raises(
            ValueError, match=r"Stack/Training: the Region of the stack is not known.*env=Environment"
        ):
            ScheduledPipeline(stack, "Training", definition="sample_pipelines:script")

    def test_a_build_function_that_calls_aws_naming_the_construct(self, new_stack: NewStack) -> None:
        with pytest.raises(
            ValueError, match=r"(?s)^Stack/Training: the build function .*refused the AWS call s3:"
        ):
            ScheduledPipeline(new_stack(), "Training", definition="sample_pipelines:calls_aws")

    def test_a_build_function_that_names_its_pipeline_otherwise(self, new_stack: NewStack) -> None:
        with pytest.raises(ValueError, match=r"named its pipeline 'Other', but it is deployed as 'mine'"):
            ScheduledPipeline(
                new_stack(),
                "Training",
                definition="sample_pipelines:names_it_otherwise",
                pipeline_name="mine",
            )
