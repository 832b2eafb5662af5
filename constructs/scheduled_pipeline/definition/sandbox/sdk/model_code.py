"""What the SDK needs done to it before a model with inference code compiles to the same bytes everywhere.

Written against version 3.27. Its ``ModelBuilder`` works in one folder for all users of a machine, with a name
from the clock and the network card, and the step with which it adds code to a model of another step names the
folder of this machine that the code came from.
"""

from __future__ import annotations

import functools
import itertools
import platform
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.sandbox.reproducible import SOURCE_FOLDER

# Where all of the SDK's models are made, whoever makes them.
_SHARED_FOLDER = "/tmp/sagemaker/model-builder"
_PLACEHOLDER = re.compile(placeholders.ANY.encode())
_DEPENDENCIES = (
    "ModelBuilder would look for the dependencies of the inference code among the packages that this machine "
    "has, which differ from machine to machine; name them: dependencies={'requirements': 'requirements.txt'} "
    "or dependencies={'custom': ['numpy==2.1.0']}"
)
_NO_FOLDER = (
    "ModelBuilder leaves out the entry_script of a source_code that has no source_dir, and the container "
    "would run without it; give SourceCode(source_dir=..., entry_script=...), or no source_code"
)
_DOWNLOAD = (
    "download {} to pack its code with it; give s3_model_data_url as ParameterString(name=..., "
    "default_value=that URI), and a step of the pipeline packs them"
)


@cache
def prepare() -> None:
    """Patch the SDK, once a process."""
    from sagemaker.mlops.workflow import _utils
    from sagemaker.serve import model_builder
    from sagemaker.serve.detector import dependency_manager, pickler
    from sagemaker.serve.mode import sagemaker_endpoint_mode

    _stage_alike(_utils._RepackModelStep)
    _work_in_own_folder(model_builder.ModelBuilder)
    _keep_code(model_builder.ModelBuilder)
    _name_python_alike(sagemaker_endpoint_mode.SageMakerEndpointMode)
    pickler.cloudpickle = _Pickling()
    dependency_manager.subprocess = _NoPrograms()


def _stage_alike(step: Any) -> None:
    """Let the step that packs a model anew name its code alike; its container asks only if there is any."""
    original = step._prepare_for_repacking

    @functools.wraps(original)
    def prepare_for_repacking(self: Any) -> None:
        if self._staged_source_dir is not None:
            return
        original(self)
        staged = str(self._staged_source_dir)
        if not staged.lower().startswith("s3://"):
            self._source_dir = SOURCE_FOLDER

    step._prepare_for_repacking = prepare_for_repacking


def _work_in_own_folder(builder: Any) -> None:
    """Give each model a folder among this process's temporary files."""
    post_init, download = builder.__post_init__, builder.download_huggingface_model_metadata
    numbers = itertools.count()

    @functools.wraps(post_init)
    def own_post_init(self: Any) -> None:
        if _is_shared(self.model_path):
            self.model_path = str(_own_folder() / str(next(numbers)))
        post_init(self)

    @functools.wraps(download)
    def own_download(self: Any, model_id: str, folder: str, *args: Any, **kwargs: Any) -> Any:
        if _is_shared(folder):
            folder = str(_own_folder() / Path(folder).relative_to(_SHARED_FOLDER))
        return download(self, model_id, folder, *args, **kwargs)

    builder.__post_init__ = own_post_init
    builder.download_huggingface_model_metadata = own_download


def _is_shared(folder: object) -> bool:
    return isinstance(folder, str) and folder.startswith(f"{_SHARED_FOLDER}/")


def _own_folder() -> Path:
    return Path(tempfile.gettempdir(), "model-builder")


def _keep_code(builder: Any) -> None:
    """Refuse a model whose code the SDK would leave out, with a line in its log, or pack on this machine."""
    build, upload = builder._build_for_passthrough, builder._upload_code

    @functools.wraps(build)
    def build_with_folder(self: Any) -> Any:
        if self.entry_point and not self.source_dir:
            raise ValueError(_NO_FOLDER)
        return build(self)

    @functools.wraps(upload)
    def upload_without_model(self: Any, key_prefix: str, repack: bool = False) -> Any:
        if repack and self.entry_point and isinstance(self.s3_model_data_url, str):
            raise ValueError(f"ModelBuilder would {_DOWNLOAD.format(self.s3_model_data_url)}")
        return upload(self, key_prefix, repack)

    builder._build_for_passthrough = build_with_folder
    builder._upload_code = upload_without_model


def _name_python_alike(mode: Any) -> None:
    """Name the Python by the version that matters: the container compares no more of it."""
    original = mode.prepare

    @functools.wraps(original)
    def prepare_mode(self: Any, *args: Any, **kwargs: Any) -> Any:
        prepared = original(self, *args, **kwargs)
        if prepared and prepared[1] and "LOCAL_PYTHON" in prepared[1]:
            prepared[1]["LOCAL_PYTHON"] = ".".join(platform.python_version_tuple()[:2])
        return prepared

    mode.prepare = prepare_mode


class _Pickling:
    """Stands in the place of ``cloudpickle`` where the SDK pickles an ``InferenceSpec``."""

    @staticmethod
    def dump(obj: Any, file: Any) -> None:
        """Pickle an object, and with it what it needs of the project's modules."""
        import io

        from scheduled_pipeline.definition.sandbox.sdk.function_pickle import FunctionPickler

        content = io.BytesIO()
        FunctionPickler(content).dump(obj)
        if _PLACEHOLDER.search(content.getvalue()):
            raise ValueError(
                "the inference code of ModelBuilder holds what is only known when the stack is deployed "
                "(context.bucket, context.role, context.account or a value with a token); pass it by env_vars"
            )
        file.write(content.getvalue())


class _NoPrograms:
    """Stands in the place of ``subprocess`` where the SDK looks for dependencies."""

    @staticmethod
    def run(*args: Any, **kwargs: Any) -> NoReturn:
        """Refuse it, with what to write instead."""
        raise ValueError(_DEPENDENCIES)
