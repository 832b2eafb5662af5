"""Functions with ``@step`` compile the same everywhere, and run where nothing of the project is."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from compiling import CompileFunction
from step_container import EXECUTION_ID, StepContainer

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.validation.validate import validate

if TYPE_CHECKING:
    from local_aws import LocalAws

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "sample_defs"
PIPELINES = [
    *("chain", "with_a_condition", "after_a_processing_step"),
    *("with_dependencies", "with_a_checkpoint", "with_submodules", "without_a_role"),
]
Container = Callable[[str], StepContainer]


@pytest.fixture(scope="module")
def compile_sample(compiled: CompileFunction) -> CompileFunction:
    return lambda function: compiled(f"function_pipelines:{function}")


def _step(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = next(step for step in document["Steps"] if step["Name"] == name)
    arguments: dict[str, Any] = found["Arguments"]
    return arguments


class TestADefinition:
    @pytest.mark.parametrize("function", PIPELINES)
    def test_is_valid(self, compile_sample: CompileFunction, function: str) -> None:
        assert validate(compile_sample(function).document) == ()

    def test_has_the_code_as_an_upload_and_the_results_in_the_artifact_bucket(
        self, compile_sample: CompileFunction
    ) -> None:
        compiled = compile_sample("chain")
        step = _step(compiled.document, "Measure")
        code = next(one for one in step["InputDataConfig"] if one["ChannelName"] == "step_function")
        upload = next(
            one
            for one in compiled.uploads
            if one.placeholder_uri == code["DataSource"]["S3DataSource"]["S3Uri"]
        )
        assert [file.relative_path for file in upload.files] == [
            f"{part}/{name}"
            for part in ("arguments", "function")
            for name in ("metadata.json", "payload.pkl")
        ]
        assert step["OutputDataConfig"]["S3OutputPath"]["Std:Join"]["Values"] == [
            f"s3://{placeholders.ARTIFACT_BUCKET}/sample",
            *("Measure", "code", {"Get": "Execution.PipelineExecutionId"}, "results"),
        ]

    def test_gives_a_step_without_a_role_that_of_the_pipeline(self, compile_sample: CompileFunction) -> None:
        step = _step(compile_sample("without_a_role").document, "Count")
        assert step["RoleArn"] == placeholders.role("aws")

    def test_holds_no_path_of_this_machine_in_what_is_pickled(self, compile_sample: CompileFunction) -> None:
        for function in PIPELINES:
            for upload in compile_sample(function).uploads:
                for file in upload.files:
                    assert str(ROOT).encode() not in file.staged_path.read_bytes()

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (
                "holds_the_bucket",
                r"'closure' of @step holds itself what is only known when .* pass it to the",
            ),
            (
                "passes_the_bucket_in_a_list",
                r"'count' of @step holds in its arguments, inside an object what",
            ),
            ("holds_the_context", r"the context is of no use in a container; pass to the function what"),
            ("with_spark", r"'count' of @step has a spark_config, .* run it in a processing step"),
        ],
    )
    def test_is_not_made_of_what_would_fail_when_it_runs(
        self, compile_sample: CompileFunction, function: str, message: str
    ) -> None:
        with pytest.raises(DefinitionError, match=message):
            compile_sample(function)

    def test_is_not_taken_from_an_object_whose_functions_are_pickled_already(self) -> None:
        text = json.dumps({"Environment": {"REMOTE_FUNCTION_SECRET_KEY": "key"}})
        pipeline = SimpleNamespace(name="sample", steps=[], definition=lambda: text)
        with pytest.raises(
            DefinitionError, match=r"pipeline 'sample' has functions with @step, .* in a build"
        ):
            PipelineDefinition.from_sdk(pipeline)


@pytest.mark.process
def test_the_example_of_the_document_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "function-steps.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "documented.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    compiler = Compiler()
    compiled = compiler.compile(
        PipelineDefinition.from_function("documented:build"),
        region="eu-west-1",
        partition="aws",
        pipeline_name="sample",
        values={"ImageUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image:1"},
    )
    compiler.close()
    assert [step["Name"] for step in compiled.document["Steps"]] == ["Check", "Count"]
    assert validate(compiled.document) == ()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes out in one folder."""
    folder = tmp_path_factory.mktemp("one") / "folder"
    _copy_samples(folder)
    return _compile_apart(folder, PIPELINES, seed=1)


@pytest.mark.process
class TestTheSameBytes:
    def test_come_out_in_another_folder_home_order_and_hash_seed_and_with_byte_code(
        self, made: dict[str, Any], tmp_path: Path
    ) -> None:
        other = tmp_path / "other" / "folder"
        _copy_samples(other)
        found = [
            _compile_apart(other, ["function_order:build", *PIPELINES[::-1]], seed=2),
            _compile_apart(other, PIPELINES, seed=3),  # there is byte code now
        ]
        del found[0]["function_order:build"]
        assert made == found[0] == found[1]

    def test_depend_on_the_helpers_of_a_function(self, made: dict[str, Any], tmp_path: Path) -> None:
        _copy_samples(tmp_path)
        helpers = tmp_path / "function_helpers.py"
        helpers.write_text(helpers.read_text().replace("total / len(numbers)", "total / (len(numbers) + 1)"))
        assert _compile_apart(tmp_path, ["chain"], seed=1)["chain"] != made["chain"]


def _copy_samples(target: Path) -> None:
    for folder in ("code", "dependencies"):
        shutil.copytree(SAMPLES / folder, target / folder)
    for file in ("function_helpers.py", "function_order.py", "function_pipelines.py", "step_type_parts.py"):
        shutil.copyfile(SAMPLES / file, target / file)


def _compile_apart(folder: Path, functions: list[str], *, seed: int) -> dict[str, Any]:
    """Compile in another process, whose folder, home and hash seed are its own."""
    code = f"""
import json, sys
sys.path[:0] = [{str(folder)!r}, {str(ROOT / "constructs")!r}]
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
compiler = Compiler()
found = {{}}
for name in {functions!r}:
    made = compiler.compile(
        PipelineDefinition.from_function(name if ":" in name else "function_pipelines:" + name),
        region="eu-west-1", partition="aws", pipeline_name="sample", values={{}},
    )
    found[name] = [made.body, [[u.digest, u.name] for u in made.uploads]]
compiler.close()
print(json.dumps(found))
"""
    environment = {**os.environ, "HOME": str(folder), "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder, env=environment
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


_buckets = itertools.count()


@pytest.fixture
def container(compile_sample: CompileFunction, local_aws: LocalAws, tmp_path: Path) -> Container:
    def container(function: str) -> StepContainer:
        bucket = f"step-functions-{next(_buckets)}"
        local_aws.client("s3").create_bucket(Bucket=bucket)
        compiled = compile_sample(function)
        uploads = {upload.placeholder_uri: upload for upload in compiled.uploads}
        body = placeholders.substitute(compiled.body, {placeholders.ARTIFACT_BUCKET: bucket})

        def files(uri: str) -> dict[str, bytes]:
            return {file.relative_path: file.staged_path.read_bytes() for file in uploads[uri].files}

        return StepContainer(json.loads(body), files, local_aws, tmp_path, bucket)

    return container


def _run(container: StepContainer, *steps: str) -> None:
    for step in steps:
        done = container.run(step)
        assert done.returncode == 0, done.stderr


def _result(container: StepContainer, step: str) -> Any:
    return pickle.loads(container.written()[f"sample/{step}/code/{EXECUTION_ID}/results/payload.pkl"])


class TestInItsContainer:
    """With the SDK's own scripts and loading code, where the project's modules are not."""

    def test_a_function_takes_what_another_has_returned(self, container: Container) -> None:
        chain = container("chain")
        _run(chain, "Measure", "Report")
        assert _result(chain, "Report") == {
            "text": '{"mean": 3.0}',
            "same class": True,
            "again": 3.0,
            "units": ["foot", "inch", "metre", "mile", "yard"],
            "place": "data.csv",
            "execution": EXECUTION_ID,
        }

    def test_an_argument_with_the_bucket_in_it_has_the_bucket_of_the_deployment(
        self, container: Container
    ) -> None:
        counted = container("with_a_placeholder")
        _run(counted, "Count")
        assert _result(counted, "Count") == len(f"s3://{counted.bucket}/raw/data.csv")

    def test_a_condition_finds_the_returned_value_as_json(self, container: Container) -> None:
        scored = container("with_a_condition")
        _run(scored, "Score")
        (condition,) = _step(scored.document, "Choose")["Conditions"]
        assert condition["LeftValue"]["Std:JsonGet"]["Path"] == "Result['scores'][1]"
        results = json.loads(scored.written()[f"sample/Score/code/{EXECUTION_ID}/results/results.json"])
        assert results == {"Result": {"scores": [3.5, 7.0]}, "Exception": None}

    def test_a_function_takes_a_property_of_a_processing_step(self, container: Container) -> None:
        counted = container("after_a_processing_step")
        _run(counted, "Count")
        assert _result(counted, "Count") == len(f"s3://{counted.bucket}/report")

    def test_dependencies_and_commands_come_before_the_function(self, container: Container) -> None:
        prepared = container("with_dependencies")
        done = prepared.run("Count")
        assert done.returncode == 0, done.stderr
        assert "Requirement already satisfied: cloudpickle" in done.stdout + done.stderr
        assert _result(prepared, "Count") == ["hello", "prepared"]

    def test_a_checkpoint_location_is_a_folder(self, container: Container) -> None:
        resumed = container("with_a_checkpoint")
        uri = resumed.arguments("Resume")["CheckpointConfig"]["S3Uri"]
        assert uri == f"s3://{resumed.bucket}/checkpoints"
        _run(resumed, "Resume")
        assert _result(resumed, "Resume") == "/opt/ml/checkpoints/"

    def test_a_function_that_holds_the_clock_has_the_real_one(self, container: Container) -> None:
        held = container("that_holds_the_clock")
        _run(held, "Held")
        assert _result(held, "Held") == ["float", "4", "True"]

    def test_the_project_is_not_there(self, container: Container, tmp_path: Path) -> None:
        environment = container("chain").environment(tmp_path)
        command = ["python", "-c", "import function_helpers"]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "No module named 'function_helpers'" in done.stderr

    def test_a_function_that_was_exchanged_is_not_run(self, container: Container) -> None:
        chain = container("chain")
        evil = pickle.dumps((print, ("exchanged",)))
        done = chain.run("Measure", exchange={"step_function/function/payload.pkl": evil})
        assert done.returncode != 0
        assert "function/payload.pkl is not what the definition of the pipeline was made with" in done.stderr
        assert not [key for key in chain.written() if "/results/" in key]

    def test_a_function_that_fails_fails_its_job(self, container: Container) -> None:
        failing = container("that_fails")
        done = failing.run("Fail")
        assert done.returncode != 0
        assert "LookupError: nothing there" in done.stderr
