"""What an operator asks at the command line: `scheduled-pipeline`.

`assembly` reads what `cdk synth` wrote, with `intrinsics` for values that only the deployment knows; `starts`
finds in it what starts a pipeline on a clock; `forecast` knows when; `next_runs` is the command, `output` its
three forms.

`list`, `describe`, `delete` and `orphans` ask AWS: `aws` makes the clients, `aws_errors` the sentences;
`scan` finds triggers, each a `TriggerRecord`; `pipeline_lookup` and `owners` know what exists and what owns
it; `orphan_finder` and `deletion` do as they say; `trigger_output` prints.

`adopt` writes the triggers of an account as code: `adopted_schedule` and `adopted_rule` make the calls,
`adoption` the module, `python_source` its layout, `adoption_steps` what to do with it. `start` and `runs`
know the runs, `run_records`; `following` waits for one.

Needs neither the CDK nor the SageMaker SDK.
"""
