"""``PipelineDefinition``: where a pipeline's definition comes from."""

from __future__ import annotations

import atexit
import contextlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from scheduled_pipeline.definition.compiler.scratch import remove_abandoned, scratch_folder
from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.document import read_json
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError
from scheduled_pipeline.definition.sandbox.uploads import address_by_content

BuildFunction = Callable[[PipelineContext], Any]

_HOW_TO = (
    "write it as a function at the top of a module, def build(context), and pass that function "
    "or the string 'package.module:build'"
)


@dataclass(frozen=True)
class FunctionReference:
    """A build function as ``module:function``, which is how another process finds it again."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"


@dataclass(frozen=True, kw_only=True)
class PipelineDefinition:
    """A pipeline definition, made by a build function or elsewhere.

    Use one of the factories. ``ScheduledPipeline(definition=...)`` takes a function or a
    ``"module:function"`` string as it is.

    Attributes:
        function: the build function to run, or None.
        compiled: the definition itself, where it was made elsewhere, or None.
    """

    function: FunctionReference | None = None
    compiled: CompiledPipeline | None = None

    @property
    def own_name(self) -> str | None:
        """The pipeline's name that an object of the SDK had; None where the construct's name counts."""
        return None if self.compiled is None else self.compiled.pipeline_name

    @classmethod
    def of(cls, definition: PipelineDefinition | BuildFunction | str) -> PipelineDefinition:
        """Return ``definition`` if it is one, else make one of the function or the string."""
        return definition if isinstance(definition, PipelineDefinition) else cls.from_function(definition)

    @classmethod
    def from_function(cls, function: BuildFunction | str) -> PipelineDefinition:
        """Use a build function, ``build(context) -> Pipeline``, given itself or as ``"module:function"``.

        The string does not import the module, so the app does not pay for the import of the SDK.

        Raises:
            ValueError: another process could not import the function by its name.
            TypeError: neither a function nor a string.
        """
        if isinstance(function, str):
            return cls(function=parse_reference(function))
        if not callable(function):
            raise TypeError(
                "definition must be a function, a string 'module:function' or a PipelineDefinition, "
                f"got {function!r}"
            )
        return cls(function=_reference_to(function))

    @classmethod
    def from_json(cls, definition: str | PathLike[str] | Mapping[str, Any]) -> PipelineDefinition:
        """Use a definition that was made elsewhere: the path of a JSON file, or the object itself.

        Raises:
            DefinitionError: the file cannot be read, is not JSON, or is not a pipeline definition.
            TypeError: neither a path nor an object.
        """
        if isinstance(definition, Mapping):
            source, text = "PipelineDefinition.from_json", _dump(definition)
            return cls(compiled=CompiledPipeline.from_document(read_json(text, source), source=source))
        if not isinstance(definition, str | PathLike) or str(definition).lstrip().startswith("{"):
            raise TypeError(
                "from_json takes the path of a JSON file or the object that was read from one, "
                f"got {definition!r:.80}"
            )
        path = Path(definition)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DefinitionError(f"the definition file {str(path)!r} cannot be read: {error}") from None
        document = read_json(text, str(path))
        return cls(compiled=CompiledPipeline.from_document(document, source=str(path)))

    @classmethod
    def from_sdk(cls, pipeline: Any) -> PipelineDefinition:
        """Use a ``Pipeline`` object of the SageMaker Python SDK that this process has made.

        Its definition is taken without a network: uploads become assets, any other AWS call is
        refused. Role, bucket and Region are what the object was made with; prefer a build function.

        Raises:
            TypeError: not a pipeline of the SDK.
            DefinitionError: what the SDK made is not a pipeline definition, or has functions with ``@step``.
        """
        if not callable(getattr(pipeline, "definition", None)) or not hasattr(pipeline, "steps"):
            raise TypeError(f"from_sdk takes a Pipeline of the SageMaker Python SDK, got {pipeline!r}")
        from scheduled_pipeline.definition.sandbox.offline_aws import OfflineAws

        aws = OfflineAws(staging=_uploads_folder(), strict=False)
        with aws.installed():
            text = pipeline.definition()
        source = f"pipeline {pipeline.name!r}"
        if '"REMOTE_FUNCTION_SECRET_KEY"' in text:
            raise DefinitionError(
                f"{source} has functions with @step, which this process has pickled in its own way already; "
                "make it in a build function, and pass that"
            )
        recorded = list(aws.recorded.values())
        document, uploads = address_by_content(read_json(text, source), recorded, source)
        compiled = CompiledPipeline.from_document(
            document, uploads=uploads, pipeline_name=pipeline.name, source=source
        )
        return cls(compiled=compiled)


@cache
def _uploads_folder() -> Path:
    """Return the folder for the uploads of this process; it is removed when the process ends."""
    remove_abandoned()
    folders = contextlib.ExitStack()
    atexit.register(folders.close)
    return folders.enter_context(scratch_folder())


def parse_reference(text: str) -> FunctionReference:
    """Read ``module:function``.

    Raises:
        ValueError: it is not of that form.
    """
    module, colon, function = text.partition(":")
    names = [*module.split("."), function]
    if not colon or not all(name.isidentifier() for name in names):
        raise ValueError(
            f"definition must be 'module:function', such as 'pipeline_defs.daily:build', got {text!r}"
        )
    return FunctionReference(module, function)


def _reference_to(function: BuildFunction) -> FunctionReference:
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise ValueError(f"the build function {function!r} has no name to import it by; {_HOW_TO}")
    if "<" in name:
        kind = "a lambda" if name.endswith("<lambda>") else "defined inside another function"
        raise ValueError(f"the build function {module}:{name} is {kind}, so it cannot be imported; {_HOW_TO}")
    if "." in name:
        raise ValueError(f"the build function {module}:{name} belongs to a class; {_HOW_TO}")
    if module == "__main__":
        place = inspect.getsourcefile(function) or "the script"
        raise ValueError(f"the build function {name!r} is defined in {place}, which is being run; {_HOW_TO}")
    found = getattr(sys.modules.get(module), name, None)
    if found is not function:
        raise ValueError(f"{module}:{name} is not the function that was given, but {found!r}; {_HOW_TO}")
    return FunctionReference(module, name)


def _dump(definition: Mapping[str, Any]) -> str:
    try:
        return json.dumps(definition, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"the definition is not JSON: {error}") from None
