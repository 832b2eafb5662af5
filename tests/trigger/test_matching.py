"""Which objects and executions a pattern lets through, as far as it tells."""

from typing import Any

import pytest

from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.matching.overlap import Overlap
from scheduled_pipeline.trigger.matching.own_events import of_own_executions, of_own_training_jobs
from scheduled_pipeline.trigger.matching.s3_filter import WrittenKeys, watched_objects

NEVER, POSSIBLE, CERTAIN = Overlap
S3 = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
TOKEN = "${Token[TOKEN.123]}"


def keys(*filters: Any, **more: Any) -> dict[str, Any]:
    detail = {"bucket": {"name": ["raw"]}, "object": {"key": list(filters)}, **more}
    return {**S3, "detail": detail}


@pytest.mark.parametrize(
    ("key", "written", "found"),
    [
        ({"prefix": "raw/"}, WrittenKeys(prefix="raw/out/"), CERTAIN),
        ({"prefix": "raw/"}, WrittenKeys(prefix="raw/"), CERTAIN),
        ({"prefix": "raw/out/"}, WrittenKeys(prefix="raw/"), POSSIBLE),
        ({"prefix": "raw/"}, WrittenKeys(prefix="out/"), NEVER),
        ({"prefix": "raw/"}, WrittenKeys(prefix="raw-out/"), NEVER),
        ({"prefix": "raw"}, WrittenKeys(prefix="raw-out/"), CERTAIN),
        ({"prefix": "raw/"}, WrittenKeys(prefix=""), POSSIBLE),
        ({"suffix": ".csv"}, WrittenKeys(prefix="out/"), POSSIBLE),
        ({"suffix": ".csv"}, WrittenKeys(prefix="out/", endings=(".out",)), NEVER),
        ({"suffix": ".out"}, WrittenKeys(prefix="out/", endings=(".out",)), CERTAIN),
        ({"suffix": ".csv.out"}, WrittenKeys(prefix="out/", endings=(".out",)), POSSIBLE),
        ({"wildcard": "raw/*.csv"}, WrittenKeys(prefix="raw/out/"), POSSIBLE),
        ({"wildcard": "raw/*.csv"}, WrittenKeys(prefix="raw/out/", endings=(".tar.gz",)), NEVER),
        ({"wildcard": "raw/*.gz"}, WrittenKeys(prefix="raw/out/", endings=(".tar.gz",)), CERTAIN),
        ({"wildcard": "raw/*/a/*.gz"}, WrittenKeys(prefix="raw/out/", endings=(".tar.gz",)), POSSIBLE),
        ({"wildcard": "raw\\*/*"}, WrittenKeys(prefix="raw*/out/"), CERTAIN),
        ("raw/a.csv", WrittenKeys(prefix="raw/"), POSSIBLE),
        ("raw/a.csv", WrittenKeys(prefix="raw/a.csv", exact=True), CERTAIN),
        ("raw/a.csv", WrittenKeys(prefix="raw/b.csv", exact=True), NEVER),
        ({"prefix": "raw/"}, WrittenKeys(prefix="raw/b.csv", exact=True), CERTAIN),
        ({"prefix": "raw/b.csv/"}, WrittenKeys(prefix="raw/b.csv", exact=True), NEVER),
        ({"anything-but": {"prefix": "raw/"}}, WrittenKeys(prefix="raw/"), POSSIBLE),
        ({"prefix": TOKEN}, WrittenKeys(prefix="raw/"), POSSIBLE),
        ({"prefix": f"in/{TOKEN}"}, WrittenKeys(prefix="raw/"), NEVER),
        ({"prefix": TOKEN}, WrittenKeys(prefix=f"{TOKEN}/out/"), CERTAIN),
    ],
)
def test_a_filter_of_keys(key: Any, written: WrittenKeys, found: Overlap) -> None:
    watched = watched_objects(keys(key))
    assert watched is not None
    assert watched.overlap(written) is found


def test_of_several_filters_one_is_enough() -> None:
    watched = watched_objects(keys({"prefix": "a/"}, {"prefix": "out/"}))
    assert watched is not None
    assert watched.overlap(WrittenKeys(prefix="out/")) is CERTAIN


def test_what_more_a_pattern_asks_for_makes_it_uncertain() -> None:
    watched = watched_objects(keys({"prefix": "out/"}, reason=["CopyObject"]))
    assert watched is not None
    assert watched.overlap(WrittenKeys(prefix="out/")) is POSSIBLE


@pytest.mark.parametrize(
    ("pattern", "buckets", "named"),
    [
        (EventTrigger.s3_object_created(bucket_name="raw").event_pattern, ("raw",), True),
        ({**S3, "resources": ["arn:aws:s3:::raw"]}, ("raw",), True),
        (S3, (), False),
        ({**S3, "detail": {"bucket": {"name": [{"prefix": "raw"}]}}}, (), False),
        (
            {
                "source": ["aws.s3"],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {"requestParameters": {"bucketName": ["raw"], "key": [{"prefix": "a/"}]}},
            },
            ("raw",),
            True,
        ),
    ],
)
def test_the_buckets_of_a_pattern(pattern: dict[str, Any], buckets: tuple[str, ...], named: bool) -> None:
    watched = watched_objects(pattern)
    assert watched is not None
    assert (watched.buckets, watched.named) == (buckets, named)


@pytest.mark.parametrize(
    "pattern",
    [None, {"source": ["my.app"]}, {"source": ["aws.s3"], "detail-type": ["Object Deleted"]}],
)
def test_a_pattern_that_waits_for_no_object(pattern: dict[str, Any] | None) -> None:
    assert watched_objects(pattern) is None


def status_change(*arns: Any, detail_type: str = "Execution Status Change") -> dict[str, Any]:
    kind = f"SageMaker Model Building Pipeline {detail_type}"
    detail = {"detail": {"pipelineArn": list(arns)}} if arns else {}
    return {"source": ["aws.sagemaker"], "detail-type": ["Other", kind], **detail}


ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (status_change(f"{ARN}training"), CERTAIN),
        (status_change(f"{ARN}Training"), CERTAIN),
        (status_change(f"{ARN}training", detail_type="Execution Step Status Change"), CERTAIN),
        (status_change(f"{ARN}other"), NEVER),
        (status_change(f"{ARN}other-training"), NEVER),
        (status_change(f"{ARN}other", f"{ARN}training"), CERTAIN),
        (status_change({"suffix": "/training"}), CERTAIN),
        (status_change({"suffix": {"equals-ignore-case": ":pipeline/Training"}}), CERTAIN),
        (status_change({"suffix": "/retraining"}), NEVER),
        (status_change({"equals-ignore-case": f"{ARN}TRAINING"}), CERTAIN),
        (status_change({"prefix": f"{ARN}train"}), POSSIBLE),
        (status_change({"prefix": f"{ARN}other"}), NEVER),
        (status_change({"wildcard": "*:pipeline/t*"}), POSSIBLE),
        (status_change({"anything-but": f"{ARN}other"}), POSSIBLE),
        (status_change(), POSSIBLE),
        ({"source": ["my.app"], "detail-type": ["Data Ready"]}, NEVER),
        (None, NEVER),
    ],
)
def test_executions_of_the_pipeline_itself(pattern: dict[str, Any] | None, found: Overlap) -> None:
    assert of_own_executions(pattern, "Training") is found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, CERTAIN),
        ({"status": "Completed"}, CERTAIN),
        ({"status": ["Failed", "Stopped"]}, POSSIBLE),
        ({"name_prefix": "pipelines-"}, CERTAIN),
        ({"name_prefix": "pipelines-a1b2"}, POSSIBLE),
        ({"name_prefix": "abalone-"}, NEVER),
    ],
)
def test_training_jobs_of_the_pipeline_itself(options: dict[str, Any], found: Overlap) -> None:
    made = EventTrigger.training_job_state_change(**options)
    assert of_own_training_jobs(made.event_pattern, ["pipelines-"]) is found
    assert of_own_training_jobs(made.event_pattern, []) is NEVER
