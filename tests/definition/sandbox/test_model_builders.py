"""A model with inference code compiles to the same bytes everywhere, and has its code."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab
from compiling import CompileFunction, compile_function

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.validation.validate import validate

SAMPLES = Path(__file__).resolve().parents[2] / "sample_defs"
FUNCTIONS = [
    *("absolute", "relative", "registered", "registered_with_a_script_alone", "of_a_parameter"),
    *("with_a_spec", "in_a_folder_of_its_own"),
]
# What the container of TorchServe does with the pickle, where there is no module of the project.
LOAD = "import cloudpickle, sys; spec, _ = cloudpickle.load(sys.stdin.buffer); print(spec.invoke(21, None))"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], CompiledPipeline]]:
    """Compile in another checkout, with another folder for temporary files."""
    folder = tmp_path_factory.mktemp("checkout") / "of-another-name"
    shutil.copytree(SAMPLES / "code", folder / "code")
    for name in ("model_builders.py", "step_type_parts.py"):
        shutil.copy(SAMPLES / name, folder)
    temporary = tmp_path_factory.mktemp("other-temporary")
    with pytest.MonkeyPatch.context() as patched:
        lab = Lab(folder, CompiledCache(folder / ".scheduled-pipeline"))

        def compile_elsewhere(function: str) -> CompiledPipeline:
            with patched.context() as entered:
                lab.enter(entered)
                entered.setattr(tempfile, "tempdir", str(temporary))
                return compile_function(lab.compiler, function)

        yield compile_elsewhere
    lab.compiler.close()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_is_the_same_everywhere(
    compiler: Compiler,
    compiled: CompileFunction,
    elsewhere: Callable[[str], CompiledPipeline],
    function: str,
) -> None:
    first = _bytes(compiled(f"model_builders:{function}"))
    assert _bytes(compile_function(compiler, f"model_builders:{function}")) == first
    assert _bytes(elsewhere(f"model_builders:{function}")) == first


def test_a_path_may_be_absolute_or_relative(compiled: CompileFunction) -> None:
    assert _bytes(compiled("model_builders:absolute")) == _bytes(compiled("model_builders:relative"))


@pytest.mark.parametrize("function", ["absolute", "registered", "of_a_parameter"])
def test_a_step_packs_the_code_with_the_model(compiled: CompileFunction, function: str) -> None:
    result = compiled(f"model_builders:{function}")
    (pack,) = [step for step in result.document["Steps"] if "RepackModel" in step["Name"]]
    assert pack["Arguments"]["HyperParameters"]["source_dir"] == "code"
    (code,) = [
        upload
        for upload in result.uploads
        if upload.placeholder_uri in str(pack) and "step.py" in {file.relative_path for file in upload.files}
    ]
    assert {"_repack_model.py", "library/answers.py"} <= {file.relative_path for file in code.files}
    assert validate(result.document) == ()


@pytest.mark.process
def test_a_spec_is_complete_without_its_module(compiled: CompileFunction, tmp_path: Path) -> None:
    result = compiled("model_builders:with_a_spec")
    (upload,) = result.uploads
    contents = _archive(upload.files[0].staged_path)
    assert contents["code/requirements.txt"] == b"numpy==2.1.0\n"
    environment = result.document["Steps"][0]["Arguments"]["PrimaryContainer"]["Environment"]
    assert environment["LOCAL_PYTHON"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = [sys.executable, "-I", "-c", LOAD]
    done = subprocess.run(
        command,
        input=contents["code/serve.pkl"],
        capture_output=True,
        check=False,
        env={"AWS_DEFAULT_REGION": "eu-west-1", "HOME": str(tmp_path)},
    )
    assert (done.stdout.strip(), done.returncode) == (b"42", 0), done.stderr


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("with_the_dependencies_of_the_machine", r"name them: dependencies=\{'requirements'"),
        ("with_a_placeholder", "holds what is only known when the stack is deployed.*pass it by env_vars"),
        ("without_a_folder", "leaves out the entry_script of a source_code that has no source_dir"),
        ("of_a_model_that_is_there", "give s3_model_data_url as ParameterString"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_what_to_write(
    compiled: CompileFunction, function: str, message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        compiled(f"model_builders:{function}")


def _bytes(compiled: CompiledPipeline) -> tuple[Any, ...]:
    files = {
        f"{upload.placeholder_uri}/{file.relative_path}": file.sha256
        for upload in compiled.uploads
        for file in upload.files
    }
    return compiled.document, files


def _archive(path: Path) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
    return found
