"""The app: every stage with its stacks, checked by cdk-nag."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.findings import fail_on_findings
from stacks.pipeline_stage import PipelineStage
from stacks.stages import STAGES


def main() -> None:
    """Synthesize all stages."""
    app = App()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for settings in STAGES:
        PipelineStage(app, settings=settings)
    fail_on_findings(app.synth())


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:  # a slip in a stack or a pipeline: its message says where and what
        raise SystemExit(f"error: {error}") from None
