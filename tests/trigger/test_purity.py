"""What starts a pipeline must be known without the CDK, the SageMaker SDK or AWS's client."""

import subprocess
import sys
from pathlib import Path

import pytest

TRIGGER = Path(__file__).parents[2] / "constructs" / "scheduled_pipeline" / "trigger"
HEAVY = {"jsii", "aws_cdk", "constructs", "sagemaker", "boto3", "botocore"}


@pytest.mark.process
def test_the_modules_import_neither_the_cdk_nor_the_sdk() -> None:
    modules = sorted(f"scheduled_pipeline.trigger.{path.stem}" for path in TRIGGER.glob("*.py"))
    program = (
        f"import sys, importlib; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": str(TRIGGER.parents[1])},
    ).stdout
    assert len(modules) > 10
    assert not HEAVY & set(loaded.split())
