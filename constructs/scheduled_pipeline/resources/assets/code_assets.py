"""Put the uploads of a compiled pipeline into the CDK's asset bucket, under names that SageMaker can use."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from weakref import WeakKeyDictionary

from aws_cdk import CfnResource, FileAssetPackaging, IStackSynthesizer, Stack, Stage
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.files import digest_of
from scheduled_pipeline.definition.model import Upload, UploadedFile
from scheduled_pipeline.resources.role_policy import Statement, allow

FORMER_KEYS = "scheduled-pipeline:former-code-keys"
"""Context key: true to let roles read code also where it was before it got a folder for each pipeline."""


def code_folder(name: str) -> str:
    """Return the folder of the asset bucket for the code of a pipeline, or of the pipelines of a fleet.

    It stays when the code changes, and so does what the role is allowed; an execution that is running goes on
    to read the code that it was started with.
    """
    return f"scheduled-pipeline/{name}"


@dataclass(frozen=True)
class CodeAssets:
    """Where the uploads of one pipeline are after deployment.

    Attributes:
        bucket_name: the bucket of the CDK's file assets; empty when there is nothing in it.
        bucket_prefix: what the stack's synthesizer puts before each key, or nothing.
        folder: the folder of all keys, below that; see ``code_folder``.
        keys: the S3 keys of all files, such as ``<folder>/<digest>/code/step.py``.
        folder_keys: those of them that belong to a folder.
        former_folders: where they were before there was ``folder``.
    """

    bucket_name: str
    bucket_prefix: str
    folder: str
    keys: tuple[str, ...]
    folder_keys: tuple[str, ...]
    former_folders: tuple[str, ...]

    @classmethod
    def add(cls, scope: Construct, uploads: Sequence[Upload], folder: str) -> CodeAssets:
        """Stage ``uploads`` in the cloud assembly and add them to the stack's assets.

        The ``Asset`` construct would rename a file to its hash, and a step's entry point
        ``/opt/ml/processing/input/code/preprocess.py`` would not exist; a source hash with a slash
        keeps the name. A directory is one asset a file under one digest.

        Args:
            scope: the pipeline.
            uploads: what its definition refers to.
            folder: from ``code_folder``.

        Raises:
            ValueError: a staged file is gone, or has other content than when it was compiled.
        """
        keys: list[str] = []
        folder_keys: list[str] = []
        bucket_name = prefix = ""
        for upload in uploads:
            for file in upload.files:
                key = "/".join(filter(None, (folder, upload.digest, upload.name, file.relative_path)))
                bucket_name, location = _add_file(scope, key, file)
                prefix = location.removesuffix(key)
                keys.append(location)
                if file.relative_path:
                    folder_keys.append(location)
        former = tuple(dict.fromkeys(upload.former_digest for upload in uploads))
        return cls(bucket_name, prefix, folder, tuple(keys), tuple(folder_keys), former)

    @property
    def bindings(self) -> dict[str, str]:
        """What stands in the place of the asset bucket's placeholder in a definition."""
        if not self.keys:
            return {}
        return {f"{placeholders.ASSET_BUCKET}/": f"{self.bucket_name}/{self.bucket_prefix}{self.folder}/"}

    def keep_from_collection(self, resource: CfnResource, *, in_template: bool) -> None:
        """Name in the template what it does not name otherwise.

        ``cdk gc`` deletes from the asset bucket what no template of the account mentions. The definition
        names single files, and folders without the files in them.

        Args:
            resource: gets the names as metadata.
            in_template: whether the definition is in the template, and not in S3.
        """
        unnamed = self.folder_keys if in_template else self.keys
        if unnamed:
            resource.add_metadata("scheduled-pipeline:code", list(unnamed))

    def read_statements(self, scope: Construct) -> list[Statement]:
        """Return what it takes to read the pipeline's code, and to list nothing else of the asset bucket."""
        if not self.keys:
            return []
        stack = Stack.of(scope)
        former = str(scope.node.try_get_context(FORMER_KEYS)).lower() == "true"
        readable = [self.folder, *(self.former_folders if former else ())]
        folders = [f"{self.bucket_prefix}{folder}/*" for folder in readable]
        bucket_arn = stack.format_arn(service="s3", region="", account="", resource=self.bucket_name)
        return [
            allow(["s3:GetObject"], [f"{bucket_arn}/{folder}" for folder in folders]),
            allow(["s3:ListBucket"], [bucket_arn], {"StringLike": {"s3:prefix": folders}}),
        ]


@dataclass(frozen=True)
class TextAsset:
    """A text that is in the CDK's asset bucket after deployment.

    Attributes:
        bucket_name: the bucket.
        key: its key there, made from its content.
        path: where it is in the cloud assembly, seen from the template.
    """

    bucket_name: str
    key: str
    path: str

    @classmethod
    def add(cls, scope: Construct, text: str, *, suffix: str) -> TextAsset:
        """Stage ``text`` in the cloud assembly and add it to the stack's assets."""
        data = text.encode()
        key = f"{hashlib.sha256(data).hexdigest()}{suffix}"
        path = _stage(scope, key, lambda target: target.write_bytes(data))
        return cls(*_publish(scope, key, path), path)


def _add_file(scope: Construct, key: str, file: UploadedFile) -> tuple[str, str]:
    """Add one file; returns the bucket's name and the key it gets there."""
    if not file.staged_path.exists():
        raise ValueError(f"{scope.node.path}: the file {file.staged_path} to upload does not exist")
    found = digest_of(str(file.staged_path))
    if found != file.sha256:
        raise ValueError(
            f"{scope.node.path}: the file {file.staged_path} to upload is not what was compiled: its content "
            f"has the SHA-256 {found}, not {file.sha256}; synthesize again"
        )
    return _publish(scope, key, _stage(scope, key, lambda target: shutil.copyfile(file.staged_path, target)))


def _publish(scope: Construct, key: str, staged: str) -> tuple[str, str]:
    stack = Stack.of(scope)
    source_hash = key.removesuffix(PurePosixPath(key).suffix)  # the CDK adds the suffix again
    _bind(stack)
    location = stack.synthesizer.add_file_asset(
        source_hash=source_hash, packaging=FileAssetPackaging.FILE, file_name=staged, display_name=key
    )
    if not location.object_key.endswith(key):
        raise ValueError(
            f"{scope.node.path}: the stack's synthesizer, {type(stack.synthesizer).__name__}, "
            "gives files names of its own; code needs the DefaultStackSynthesizer or one derived from it"
        )
    return location.bucket_name, location.object_key


_bound: WeakKeyDictionary[IStackSynthesizer, Stack] = WeakKeyDictionary()


def _bind(stack: Stack) -> None:
    """Bind the stack's synthesizer to the stack, once.

    The stack has bound a copy of one that was made in Python, and hands out the one that is not. One
    that the CDK made is bound, and says so.

    Raises:
        ValueError: it is bound to another stack.
    """
    synthesizer = stack.synthesizer
    if _bound.setdefault(synthesizer, stack) is not stack:
        raise ValueError(
            f"{stack.node.path}: its synthesizer is that of another stack; give each stack one of its own"
        )
    with contextlib.suppress(RuntimeError):
        synthesizer.bind(stack)


def _stage(scope: Construct, key: str, write: Callable[[Path], object]) -> str:
    """Put a file into the cloud assembly, which has to be deployable from another machine.

    Returns the path relative to the assembly of the stack's stage.
    """
    stage = Stage.of(scope)
    assert stage is not None  # a stack is always in an app
    target = Path(stage.asset_outdir) / f"asset.{key}"
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.new")
    write(aside)
    aside.replace(target)  # so that half a file is never taken for a whole one
    return os.path.relpath(target, stage.outdir)
