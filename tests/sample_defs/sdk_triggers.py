"""One trigger as a notebook makes it: ``put_triggers`` of the SageMaker SDK on a pipeline that is there.

Run as a program, as importing the SDK takes seconds. Standard input is a JSON object with region, pipeline,
name and roles; a line is printed for each role: what ``put_triggers`` returns or raises, with its own check
of the role.
"""

from __future__ import annotations

import json
import sys


def put(region: str, pipeline: str, name: str, roles: list[str]) -> None:
    """Put one and the same trigger with each role."""
    import boto3
    from sagemaker.core.helper.iam_role_resolver import RoleValidationError
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.triggers import PipelineSchedule

    session = Session(boto_session=boto3.Session(region_name=region), sagemaker_config={})
    made = Pipeline(name=pipeline, steps=[], sagemaker_session=session)
    for role in roles:
        try:
            arns = made.put_triggers([PipelineSchedule(name=name, cron="0 3 * * ? *")], role_arn=role)
            print(json.dumps({"arns": arns}))
        except RoleValidationError as error:
            print(json.dumps({"refused": str(error)}))


if __name__ == "__main__":
    put(**json.load(sys.stdin))
