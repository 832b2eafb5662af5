"""One stage of this app, which is two pipelines, without cdk-nag: what the construct itself costs."""

from __future__ import annotations

import os

from scheduled_pipeline import warm_up


def main() -> None:
    """Synthesize the stage."""
    warm_up(os.environ.get("CDK_CONTEXT_JSON"), regions=["us-east-1"])
    from aws_cdk import App

    from stacks.pipeline_stage import PipelineStage
    from stacks.stages import DEV

    app = App()
    PipelineStage(app, settings=DEV)
    app.synth()


if __name__ == "__main__":
    main()
