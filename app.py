"""The app: every stage with its stacks, checked by cdk-nag. Only here are clock and environment read."""

import os
from datetime import UTC, datetime

from scheduled_pipeline import warm_up
from stacks.endings import fail_on_findings, slips_in_one_sentence


@slips_in_one_sentence()
def main() -> None:
    """Synthesize all stages; definitions are compiled while the CDK is imported."""
    warm_up(os.environ.get("CDK_CONTEXT_JSON"), regions=["us-east-1"])  # a Region left out is only slower
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from stacks.pipeline_stage import with_stages

    app = with_stages(App(context={"scheduled-pipeline:now": datetime.now(UTC).isoformat()}))  # for warnings
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    fail_on_findings(app.synth())


if __name__ == "__main__":
    main()
