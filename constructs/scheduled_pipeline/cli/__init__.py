"""What an operator asks at the command line: `scheduled-pipeline`.

`assembly` reads what `cdk synth` wrote, with `intrinsics` for values that only the deployment knows; `starts`
finds in it what starts a pipeline on a clock; `forecast` knows when; `next_runs` is the command, `output` its
three forms. Needs neither the CDK nor the SageMaker SDK.
"""
