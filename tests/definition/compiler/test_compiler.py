"""Build functions run in a child process that has nothing of its surroundings."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "sample_defs"
Compile = Callable[..., CompiledPipeline]


@pytest.fixture(scope="module")
def compile_sample(compiler: Compiler) -> Compile:
    def compile_sample(
        function: str, values: dict[str, Any] | None = None, show_output: bool = False
    ) -> CompiledPipeline:
        return compiler.compile(
            PipelineDefinition.from_function(function if ":" in function else f"sample_pipelines:{function}"),
            region="eu-west-1",
            partition="aws",
            pipeline_name="sample",
            values=values or {},
            show_output=show_output,
        )

    return compile_sample


def _error(compile_sample: Compile, function: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        compile_sample(function)
    return str(caught.value)


def _line(text: str) -> int:
    """The number of the first line of the samples that contains a text."""
    lines = (SAMPLES / "sample_pipelines.py").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


class TestTheDefinition:
    def test_has_what_the_sdk_wrote(self, compile_sample: Compile) -> None:
        document = compile_sample("script").document
        assert document["Version"] == "2020-12-01"
        assert [step["Name"] for step in document["Steps"]] == ["Process"]
        assert document["MlflowConfig"] is None

    def test_is_indented_json_with_one_value_a_line(self, compile_sample: Compile) -> None:
        body = compile_sample("script").body
        assert '            "InstanceType": "ml.m5.large",' in body.splitlines()

    def test_lists_its_parameters(self, compile_sample: Compile) -> None:
        (parameter,) = compile_sample("script").parameters
        assert (parameter.name, parameter.type, parameter.default) == ("Text", "String", "a")

    def test_has_placeholders_for_what_only_the_deployment_knows(self, compile_sample: Compile) -> None:
        (parameter,) = compile_sample("everything_of_the_context").parameters
        role = placeholders.role("aws")
        assert (
            parameter.default == f"{placeholders.ACCOUNT} eu-west-1 aws {placeholders.ARTIFACT_BUCKET} {role}"
        )

    def test_has_the_values_of_the_construct(self, compile_sample: Compile) -> None:
        compiled = compile_sample("with_values", {"DataBucket": "bucket", "Prefix": "a/b", "Count": 3})
        arguments = compiled.document["Steps"][0]["Arguments"]
        assert arguments["ProcessingInputs"][0]["S3Input"]["S3Uri"] == "s3://bucket/a/b/in.csv"
        assert arguments["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 3

    def test_does_not_depend_on_what_was_compiled_before(self, compile_sample: Compile) -> None:
        first = compile_sample("source_folder")
        compile_sample("packed_folder")
        assert compile_sample("source_folder") == first

    def test_does_not_depend_on_what_another_build_did_to_the_process(self, compile_sample: Compile) -> None:
        compile_sample("changes_its_process")
        assert compile_sample("shows_its_process").parameters[0].default == "[None, False, False]"

    def test_of_one_region_knows_nothing_of_another(self, compiler: Compiler) -> None:
        for region in ("eu-west-1", "us-west-2"):
            compiled = compiler.compile(
                PipelineDefinition.from_function("sample_pipelines:says_its_region"),
                region=region,
                partition="aws",
                pipeline_name="sample",
                values={},
            )
            assert compiled.parameters[0].default == f"{region} {region}"

    def test_says_which_values_were_read(self, compile_sample: Compile) -> None:
        values = {"DataBucket": "bucket", "Prefix": "a/b", "Count": 3, "Unread": 1}
        assert compile_sample("with_values", values).values_read == {"DataBucket", "Prefix", "Count"}


class TestUploads:
    @pytest.mark.parametrize(
        ("function", "names"),
        [
            ("script", [("step.py", [""])]),
            ("upload_data", [("step.py", [""]), ("settings.json", [""])]),
            ("upload_text", [("step.py", [""]), ("run.yaml", [""])]),
            ("reads_step_arguments", [("step.py", [""])]),
        ],
    )
    def test_are_recorded_under_their_own_names(
        self, compile_sample: Compile, function: str, names: list[tuple[str, list[str]]]
    ) -> None:
        uploads = compile_sample(function).uploads
        found = [(upload.name, [file.relative_path for file in upload.files]) for upload in uploads]
        assert sorted(found) == sorted(names)

    def test_of_a_folder_is_one_upload_of_all_its_files(self, compile_sample: Compile) -> None:
        code, drivers = compile_sample("source_folder").uploads
        assert code.name == "code"
        assert [file.relative_path for file in code.files] == [
            "library/answers.py",
            "settings.json",
            "step.py",
        ]
        assert "sm_train.sh" in {file.relative_path for file in drivers.files}

    def test_leaves_out_byte_code(self, compile_sample: Compile) -> None:
        files = [
            file.relative_path for upload in compile_sample("source_folder").uploads for file in upload.files
        ]
        assert not [name for name in files if "__pycache__" in name]

    def test_are_referred_to_by_their_content(self, compile_sample: Compile) -> None:
        compiled = compile_sample("script")
        (upload,) = compiled.uploads
        inputs = compiled.document["Steps"][0]["Arguments"]["ProcessingInputs"]
        assert inputs[0]["S3Input"]["S3Uri"] == f"s3://{placeholders.ASSET_BUCKET}/{upload.digest}/step.py"

    def test_keep_the_content(self, compile_sample: Compile) -> None:
        (upload,) = compile_sample("script").uploads
        assert upload.files[0].staged_path.read_bytes() == (SAMPLES / "code" / "step.py").read_bytes()

    def test_in_several_parts_are_put_together(self, compile_sample: Compile) -> None:
        large = next(
            upload for upload in compile_sample("upload_large_file").uploads if upload.name == "large.bin"
        )
        assert large.files[0].staged_path.read_bytes() == b"0123456789" * 900_000

    def test_of_an_archive_has_no_time_stamps_and_no_owners(self, compile_sample: Compile) -> None:
        folder = next(upload for upload in compile_sample("packed_folder").uploads if upload.name == "source")
        archive = next(file for file in folder.files if file.relative_path == "sourcedir.tar.gz")
        content = archive.staged_path.read_bytes()
        assert content[4:8] == b"\0\0\0\0"
        with tarfile.open(fileobj=io.BytesIO(content)) as members:
            assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}
            assert "library/answers.py" in members.getnames()

    def test_may_have_odd_names(self, compile_sample: Compile) -> None:
        (upload,) = compile_sample("odd_file_name").uploads
        assert upload.name == "mon café, v2.py"

    def test_that_no_step_reads_is_named(self, compile_sample: Compile) -> None:
        message = _error(compile_sample, "uploads_what_no_step_reads")
        assert "/settings/settings.json was uploaded, but no step reads it from there" in message

    def test_of_a_file_that_does_not_exist_names_the_function_and_the_file(
        self, compile_sample: Compile
    ) -> None:
        message = _error(compile_sample, "missing_file")
        assert message.startswith("the build function sample_pipelines:missing_file failed: ")
        assert f"{SAMPLES / 'code' / 'no_such_file.py'} wasn't found" in message


class TestTheNetwork:
    @pytest.mark.parametrize(
        ("function", "call", "line"),
        [
            ("calls_aws", "the AWS call s3:ListBuckets", "boto3.client("),
            (
                "calls_aws_through_the_session",
                "the AWS call sagemaker:ListModelPackages",
                "list_model_packages(",
            ),
            ("calls_a_web_site", "the look-up of the host example.com", "urlopen("),
            ("connects_by_address", "the connection to 192.0.2.1:443", "connection.connect("),
            ("catches_what_is_refused", "the AWS call sagemaker:ListModels", "list_models("),
            ("connects_to_a_local_socket", "the connection to '/var/run/docker.sock'", 'connect("/var'),
            ("runs_a_program", "the program git", "subprocess.run("),
        ],
    )
    def test_is_refused_naming_the_call_and_the_line(
        self, compile_sample: Compile, function: str, call: str, line: str
    ) -> None:
        message = _error(compile_sample, function)
        assert f"sample_pipelines:{function} raised" in message
        assert f"refused {call}, made at {SAMPLES / 'sample_pipelines.py'}:{_line(line)};" in message

    def test_is_not_used_by_the_sdk(
        self, compile_sample: Compile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        compile_sample("source_folder", show_output=True)
        assert "refused" not in capsys.readouterr().err


class TestErrors:
    def test_of_the_build_function_show_the_users_traceback_alone(self, compile_sample: Compile) -> None:
        message = _error(compile_sample, "raises")
        assert message.endswith("KeyError: 'instance type'")
        assert f"line {_line('return _helper_that_raises')}, in raises" in message
        assert "in _helper_that_raises" in message
        assert "builder.py" not in message
        assert "site-packages" not in message

    def test_name_a_value_that_was_not_given_and_those_that_were(self, compile_sample: Compile) -> None:
        with pytest.raises(DefinitionError, match=r"no value named 'Nope' .* values given: Count, Prefix"):
            compile_sample("missing_value", {"Prefix": "a", "Count": 1})

    def test_survive_a_build_function_that_exits(self, compile_sample: Compile) -> None:
        assert "SystemExit: enough" in _error(compile_sample, "exits")

    def test_show_the_output_of_a_process_that_died_and_leave_a_working_compiler(
        self, compile_sample: Compile
    ) -> None:
        message = _error(compile_sample, "kills_its_process")
        assert "ended with code 7 before it answered" in message
        assert "last words" in message
        assert compile_sample("script").pipeline_name == "sample"

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            ("returns_nothing", "must return a Pipeline of the SageMaker Python SDK, returned None"),
            ("no_such_function", "cannot be found: sample_pipelines has no 'no_such_function'"),
            ("NOT_A_FUNCTION", "is not a function, but 5"),
            ("no_such_module:build", "cannot be imported: there is no module 'no_such_module'"),
        ],
    )
    def test_say_what_is_wrong_with_the_function(
        self, compile_sample: Compile, function: str, message: str
    ) -> None:
        assert message in _error(compile_sample, function)

    def test_name_a_local_path_that_is_left_in_the_definition(self, compile_sample: Compile) -> None:
        assert "left a path of this machine in the definition" in _error(
            compile_sample, "leaves_a_local_path"
        )

    def test_name_a_folder_of_this_machine(self, compile_sample: Compile) -> None:
        message = _error(compile_sample, "leaves_its_folder")
        assert "in the definition, at Parameters[0].DefaultValue: " in message

    def test_name_a_number_that_is_none(self, compile_sample: Compile) -> None:
        assert "the definition is not JSON: NaN is no number in JSON" in _error(
            compile_sample, "is_not_a_number"
        )

    def test_end_a_question_to_the_user(self, compile_sample: Compile) -> None:
        assert "EOFError" in _error(compile_sample, "asks_the_user")

    def test_do_not_mix_up_answers_after_an_interrupt(self, compile_sample: Compile) -> None:
        def interrupt(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 1)
        try:
            with pytest.raises(KeyboardInterrupt):
                compile_sample("takes_its_time")
        finally:
            signal.signal(signal.SIGALRM, before)
        assert compile_sample("script").parameters[0].default == "a"

    def test_of_a_thread_that_goes_on_do_not_keep_the_process(self) -> None:
        started = time.monotonic()
        compiler = Compiler()
        compiler.compile(
            PipelineDefinition.from_function("sample_pipelines:leaves_a_thread_running"),
            region="eu-west-1",
            partition="aws",
            pipeline_name="sample",
            values={},
        )
        compiler.close()
        assert time.monotonic() - started < 45  # the thread sleeps for 60


class TestOutput:
    def test_of_the_sdk_and_the_function_is_kept_back(
        self, compile_sample: Compile, capfd: pytest.CaptureFixture[str]
    ) -> None:
        compile_sample("is_noisy")
        assert capfd.readouterr() == ("", "")

    def test_is_shown_when_asked_for_and_is_that_of_the_one_pipeline(
        self, compile_sample: Compile, capfd: pytest.CaptureFixture[str]
    ) -> None:
        compile_sample("is_noisy", show_output=True)
        shown = capfd.readouterr().err
        assert "printed by the build function" in shown
        compile_sample("script", show_output=True)
        assert "printed by the build function" not in capfd.readouterr().err


class TestHermeticity:
    def test_the_child_has_nothing_of_the_users_environment(self, tmp_path: Path) -> None:
        given = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "MY_SECRET", "https_proxy", "SHELL", "PYTHONSTARTUP")
        seen = _compile_elsewhere(tmp_path, dict.fromkeys(given, "of-the-user"), "shows_its_environment")
        assert "of-the-user" not in seen
        assert "'AWS_ACCESS_KEY_ID': 'offline'" in seen
        assert "('UTC', 'UTC')" in seen

    def test_a_users_configuration_is_ignored(self, tmp_path: Path) -> None:
        """A file that the SDK would read gives a default role and bucket; neither shows."""
        settings = tmp_path / ".config" / "sagemaker" / "config.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      Session:\n"
            "        DefaultS3Bucket: of-the-user\n  ProcessingJob:\n    Environment: {OF_THE_USER: '1'}\n",
            encoding="utf-8",
        )
        override = {
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
            "XDG_CONFIG_HOME": str(tmp_path / ".config"),
        }
        assert "of-the-user" not in _compile_elsewhere(tmp_path, override, "source_folder").lower()

    def test_the_same_bytes_in_another_place_time_zone_home_and_hash_seed(self, tmp_path: Path) -> None:
        results = []
        for number, (zone, seed) in enumerate([("Asia/Tokyo", "1"), ("America/New_York", "2")]):
            home = tmp_path / f"home{number}"
            home.mkdir()
            environment = {"TZ": zone, "PYTHONHASHSEED": seed, "HOME": str(home), "SECRET": str(number)}
            names = ("source_folder", "packed_folder", "shows_its_environment")
            results.append(_compile_elsewhere(home, environment, *names))
        assert results[0] == results[1]


_COMPILE = """
import json, sys
from scheduled_pipeline.definition.compiler.compiler import shared_compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
for name in sys.argv[1:]:
    compiled = shared_compiler().compile(
        PipelineDefinition.from_function("sample_pipelines:" + name),
        region="us-east-1", partition="aws", pipeline_name="sample", values={})
    print(json.dumps([compiled.body, [[u.digest, u.name] for u in compiled.uploads]]))
"""


def _compile_elsewhere(folder: Path, environment: dict[str, str], *functions: str) -> str:
    """Compile a copy of the samples that lies in another folder, in a new process."""
    copy = folder / "checkout"
    if not copy.exists():
        subprocess.run(["cp", "-r", str(SAMPLES), str(copy)], check=True)
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, *functions],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{copy}:{ROOT / 'constructs'}", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)[1] for line in done.stdout.splitlines()), "something was uploaded"
    return done.stdout
