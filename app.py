"""The app: every stage with its stacks, checked by cdk-nag. The one place that reads the clock."""

from datetime import UTC, datetime

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.endings import fail_on_findings, slips_in_one_sentence
from stacks.pipeline_stage import PipelineStage
from stacks.stages import STAGES


def main() -> None:
    """Synthesize all stages."""
    app = App(context={"scheduled-pipeline:now": datetime.now(UTC).isoformat()})  # for warnings only
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for settings in STAGES:
        PipelineStage(app, settings=settings)
    fail_on_findings(app.synth())


if __name__ == "__main__":
    with slips_in_one_sentence():
        main()
