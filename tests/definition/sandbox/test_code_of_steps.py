"""Each step runs the code that it was given, and nothing that was uploaded is lost without a word."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    compiler = Compiler()
    yield compiler
    compiler.close()


def _compile(compiler: Compiler, function: str) -> CompiledPipeline:
    return compiler.compile(
        PipelineDefinition.from_function(f"colliding_pipelines:{function}"),
        region="eu-west-1",
        partition="aws",
        pipeline_name="sample",
        values={},
    )


def _code_of(compiled: CompiledPipeline, step: str) -> str:
    """The script that a step is given, out of the upload that its arguments name."""
    (arguments,) = [str(entry["Arguments"]) for entry in compiled.document["Steps"] if entry["Name"] == step]
    found = []
    for upload in compiled.uploads:
        if upload.placeholder_uri in arguments:
            for file in upload.files:
                content = file.staged_path.read_bytes()
                if content[:2] == b"\x1f\x8b":
                    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                        member = archive.extractfile("main.py")
                        assert member is not None
                        found.append(member.read().decode())
                elif file.relative_path == "main.py":
                    found.append(content.decode())
    (code,) = found
    return code


@pytest.mark.parametrize("function", ["default_names", "same_names", "trainers"])
def test_two_steps_of_one_name_keep_their_own_code(compiler: Compiler, function: str) -> None:
    compiled = _compile(compiler, function)
    assert [_code_of(compiled, step) for step in ("First", "Second")] == [
        "print('First')\n",
        "print('Second')\n",
    ]


def test_one_key_with_two_contents_is_refused(compiler: Compiler) -> None:
    with pytest.raises(DefinitionError, match=r"code/settings\.txt.*uploaded twice, with different content"):
        _compile(compiler, "one_place_for_both")


@pytest.mark.parametrize("function", ["by_a_client", "by_a_resource", "by_an_object"])
def test_an_upload_that_no_step_reads_is_refused(compiler: Compiler, function: str) -> None:
    with pytest.raises(DefinitionError, match=r"extra/.* was uploaded, but no step reads it from there"):
        _compile(compiler, function)
