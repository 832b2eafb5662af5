"""The code of a pipeline in the cloud assembly is the code that was compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack

from scheduled_pipeline.definition.model import Upload, UploadedFile
from scheduled_pipeline.resources.assets.code_assets import CodeAssets


@pytest.mark.parametrize("found", [b"print", b"", b"print(2)"])
def test_a_staged_file_with_other_content_is_refused(
    new_stack: Callable[..., Stack], tmp_path: Path, found: bytes
) -> None:
    sha256 = hashlib.sha256(b"print(1)").hexdigest()
    staged = tmp_path / sha256
    staged.write_bytes(found)
    upload = Upload("d" * 64, "step.py", (UploadedFile("", sha256, staged),))
    stack = new_stack()
    with pytest.raises(ValueError, match=f"the file {staged} to upload is not what was compiled: .* SHA-256"):
        CodeAssets.add(stack, [upload], "a")
    staged.write_bytes(b"print(1)")
    assert CodeAssets.add(stack, [upload], "a").keys == (f"a/{'d' * 64}/step.py",)
