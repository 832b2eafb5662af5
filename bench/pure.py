"""The parts that need no CDK: compile, validation, next runs and the import of the package."""

from __future__ import annotations

import json
import statistics

from bench.measure import RUNS, Row, python

_COMPILE = """
import json, sys, time
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
compiler = Compiler()
seconds = []
for _ in range(int(sys.argv[1]) + 1):
    started = time.perf_counter()
    compiler.compile(PipelineDefinition.from_function("pipeline_defs.abalone.pipeline:build"),
                     region="us-east-1", partition="aws", pipeline_name="bench", values={})
    seconds.append(time.perf_counter() - started)
compiler.close()
print(json.dumps(seconds))
"""
# The same definition in a process that forks for it and in place, the two taking turns.
_FORK = """
import gc, json, os, sys, tempfile, time
from pathlib import Path
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.compiler.source import FunctionReference
from scheduled_pipeline.definition.sandbox import forked
from scheduled_pipeline.definition.sandbox.builder import Builder
os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "-", "AWS_SECRET_ACCESS_KEY": "-"}
gc.disable()
builder = Builder()
builder.make_clients()
gc.freeze()
gc.enable()
wanted = CompileRequest(function=FunctionReference("pipeline_defs.abalone.pipeline", "build"),
                        region="us-east-1", partition="aws", pipeline_name="bench")
nobody, _ = os.pipe()
with tempfile.TemporaryDirectory() as folder:
    request = wanted.asked(Path(folder), 0)
    def work():
        return str(len(builder.build(request).definition))
    def fork():
        return forked.run_forked(work, seconds=300, trace=Path(folder, "trace"), hangup=nobody, private=[])
    work()
    seconds = {fork: [], work: []}
    for _ in range(4 * int(sys.argv[1])):
        for side in (fork, work):
            started = time.perf_counter()
            assert int(side()) > 1000
            seconds[side].append(time.perf_counter() - started)
print(json.dumps([seconds[fork], seconds[work]]))
"""
_IMPORT = "import time; s = time.perf_counter(); import scheduled_pipeline; print(time.perf_counter() - s)"
_VALIDATE = """
import json, sys, time
from scheduled_pipeline.definition.validation.validate import validate
step = {"Type": "Processing", "Arguments": {
    "RoleArn": "arn:aws:iam::111122223333:role/given",
    "AppSpecification": {"ImageUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"},
    "ProcessingResources": {"ClusterConfig":
        {"InstanceType": "ml.m5.large", "InstanceCount": {"Get": "Parameters.Count"}, "VolumeSizeInGB": 30}}}}
names = [f"Step{number}" for number in range(50)]
steps = [{**step, "Name": name, "DependsOn": names[max(0, at - 2):at]} for at, name in enumerate(names)]
document = {"Version": "2020-12-01", "Parameters": [{"Name": "Count", "Type": "Integer", "DefaultValue": 1}],
            "Steps": steps}
seconds = []
for _ in range(int(sys.argv[1]) + 1):
    started = time.perf_counter()
    assert validate(document) == ()
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds))
"""
_NEXT_RUNS = """
import json, sys, time
from datetime import datetime, timezone
from scheduled_pipeline import PipelineSchedule
after = datetime(2027, 1, 1, tzinfo=timezone.utc)
seconds = []
for _ in range(int(sys.argv[1]) + 1):
    schedule = PipelineSchedule.cron("0/15 8-17 ? * MON-FRI *", timezone="America/New_York")
    started = time.perf_counter()
    assert len(schedule.next_runs(1000, after=after)) == 1000
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds))
"""


def rows() -> list[Row]:
    """Measure in one process each, the first call apart from the others, and return medians."""
    first, *compiled = json.loads(python(_COMPILE, str(RUNS)))
    forked, in_place = (statistics.median(side) * 1000 for side in json.loads(python(_FORK, str(RUNS))))
    model, *validated = json.loads(python(_VALIDATE, str(RUNS)))
    _, *runs = json.loads(python(_NEXT_RUNS, str(RUNS)))
    imported = statistics.median(float(python(_IMPORT)) for _ in range(RUNS))
    milliseconds = statistics.median(validated) * 1000
    return [
        Row("compile of abalone, first: starts the child and imports the SDK", f"{first:.2f} s"),
        Row("compile of abalone, SDK imported", f"{statistics.median(compiled):.3f} s"),
        Row(
            "the same in a process of its own, more than in a shared one",
            f"{forked - in_place:.0f} ms",
            f"{forked:.0f} ms, {in_place:.0f} ms",
            "30 ms or less",
            forked - in_place <= 30,
        ),
        Row("validation of 50 steps, first: loads botocore's model", f"{model * 1000:.0f} ms"),
        Row(
            "validation of 50 steps, model loaded",
            f"{milliseconds:.1f} ms",
            "",
            "50 ms or less",
            milliseconds <= 50,
        ),
        Row("1,000 next runs of a cron in New York", f"{statistics.median(runs) * 1000:.1f} ms"),
        Row("import scheduled_pipeline", f"{imported:.3f} s"),
    ]
