import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.assembly import AssemblyError, read_assembly

Write = Callable[..., Path]
BUCKET = {"Bucket": {"Type": "AWS::S3::Bucket"}}


def test_a_stack_is_found_through_the_manifest_with_its_name_and_region(write_assembly: Write) -> None:
    (stack,) = read_assembly(write_assembly(BUCKET, stack="Dev-Training"))
    assert stack.name == "Dev-Training"
    assert stack.resources == BUCKET
    assert str(stack.scope.text({"Ref": "AWS::Region"})) == "eu-west-1"
    assert str(stack.scope.text({"Ref": "AWS::StackName"})) == "Dev-Training"
    assert str(stack.scope.text({"Ref": "AWS::AccountId"})) == "<AWS::AccountId>"


def test_a_template_that_the_manifest_does_not_name_is_not_read(write_assembly: Write) -> None:
    folder = write_assembly(BUCKET)
    (folder / "Old.template.json").write_text("no longer in the app")
    assert len(read_assembly(folder)) == 1


def test_the_assemblies_of_stages_are_read_in_the_order_of_the_manifest(write_assembly: Write) -> None:
    write_assembly(BUCKET, folder="cdk.out/assembly-A", stack="A-Stack")
    write_assembly(BUCKET, folder="cdk.out/assembly-B/assembly-C", stack="C-Stack")
    top = _write_manifest_of_stages(write_assembly(BUCKET, folder="cdk.out/assembly-B"), "assembly-C")
    _write_manifest_of_stages(top.parent, "assembly-B", "assembly-A")
    assert [stack.name for stack in read_assembly(top.parent)] == ["C-Stack", "A-Stack"]


def test_the_assembly_of_one_stage_can_be_read_alone(write_assembly: Write) -> None:
    folder = write_assembly(BUCKET, folder="cdk.out/assembly-A", stack="A-Stack")
    assert [stack.name for stack in read_assembly(folder)] == ["A-Stack"]


def test_a_nested_stack_is_read_with_the_parameters_that_it_is_given(write_assembly: Write) -> None:
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"Parameters": {"Region": {"Ref": "AWS::Region"}}},
        "Metadata": {"aws:asset:path": "Inner.nested.template.json"},
    }
    folder = write_assembly({"Inner": nested}, stack="Outer")
    (folder / "Inner.nested.template.json").write_text(json.dumps({"Resources": BUCKET}))
    outer, inner = read_assembly(folder)
    assert (outer.name, inner.name) == ("Outer", "Outer/Inner")
    assert str(inner.scope.text({"Ref": "Region"})) == "eu-west-1"
    assert str(inner.scope.text({"Ref": "AWS::StackName"})) == "<Inner>"


def test_a_template_without_resources_is_an_empty_stack(write_assembly: Write) -> None:
    folder = write_assembly({})
    (folder / "Stack.template.json").write_text("{}")
    assert read_assembly(folder)[0].resources == {}


def test_a_folder_that_does_not_exist_asks_for_a_synth(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"cdk\.out does not exist: run cdk synth first"):
        read_assembly(tmp_path / "cdk.out")


def test_a_folder_of_something_else_asks_for_a_synth(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="is not a cloud assembly: run cdk synth first"):
        read_assembly(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"manifest\.json is not valid JSON: .*line 1.*run cdk synth again"),
        ("[]", r"manifest\.json is not a JSON object"),
        ("{}", r"manifest\.json is not the manifest of a cloud assembly: it has no artifacts"),
        ('{"artifacts": []}', r"manifest\.json is not the manifest of a cloud assembly: it has no artifacts"),
        ('{"artifacts": {"A": {"type": "cdk:cloud-assembly"}}}', "is broken: A has no directoryName"),
        ('{"artifacts": {"S": {"type": "aws:cloudformation:stack"}}}', "is broken: S has no templateFile"),
        (
            '{"artifacts": {"A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}',
            "is broken: the assembly contains itself",
        ),
    ],
)
def test_a_broken_manifest_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(AssemblyError, match=message):
        read_assembly(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "is not a JSON object"),
        (b'{"Resources": []}', "is not a template of CloudFormation"),
        (b'{"Resources": {"Bucket": 5}}', "is not a template of CloudFormation"),
    ],
)
def test_a_broken_template_is_named(write_assembly: Write, content: bytes, message: str) -> None:
    folder = write_assembly(BUCKET)
    (folder / "Stack.template.json").write_bytes(content)
    with pytest.raises(AssemblyError, match=rf"Stack\.template\.json {message}"):
        read_assembly(folder)


def test_a_template_that_is_missing_is_named(write_assembly: Write) -> None:
    folder = write_assembly(BUCKET)
    (folder / "Stack.template.json").unlink()
    with pytest.raises(AssemblyError, match=r"Stack\.template\.json is missing .*: run cdk synth again"):
        read_assembly(folder)


def test_a_template_that_is_a_folder_cannot_be_read(write_assembly: Write) -> None:
    folder = write_assembly(BUCKET)
    (folder / "Stack.template.json").unlink()
    (folder / "Stack.template.json").mkdir()
    with pytest.raises(AssemblyError, match="cannot be read"):
        read_assembly(folder)


def test_a_stack_that_contains_itself_is_refused(write_assembly: Write) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "Stack.template.json"}}
    with pytest.raises(AssemblyError, match="the stack contains itself"):
        read_assembly(write_assembly({"Inner": nested}))


def _write_manifest_of_stages(folder: Path, *names: str) -> Path:
    artifacts: dict[str, Any] = {
        name: {"type": "cdk:cloud-assembly", "properties": {"directoryName": name}} for name in names
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    return folder
