"""Pickle the function of a ``@step``: the same bytes on every machine, and complete without its module.

Imported in the child alone, where the SDK is. The container has neither the project's modules nor its
folders, so what is defined in the project is pickled by value, and no path of this machine goes with it.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sagemaker.core.remote_function.checkpoint_location import CheckpointLocation
from sagemaker.core.remote_function.core.serialization import cloudpickle

from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.sandbox.guard.stand_ins import found_by_name
from scheduled_pipeline.definition.sandbox.offline_aws import is_user_file

# What a module knows of the place it was imported from.
_OF_THE_PLACE = ("__cached__", "__loader__", "__path__", "__spec__")


class FunctionPickler(cloudpickle.CloudPickler):  # type: ignore[misc]
    """The pickler that the SDK takes for functions, arguments and results; see ``CloudpickleSerializer``."""

    def dump(self, obj: Any) -> None:
        """Pickle ``obj``; what it needs of the project's modules goes with it."""
        self._files = {str(place): name for place, name in _user_files()}
        with _by_value(), found_by_name():
            super().dump(obj)

    def reducer_override(self, obj: Any) -> Any:
        """Reduce what cloudpickle would reduce to something of this machine or of this moment."""
        if isinstance(obj, CodeType):
            return self._reduced(obj.replace(co_filename=self._file(obj.co_filename)))
        if type(obj) is ModuleType:
            return self._without_place(self._reduced(obj))
        if isinstance(obj, CheckpointLocation):
            # In the container it is a folder; the request to SageMaker has the URI.
            return CheckpointLocation, ("s3://checkpoints",)
        if isinstance(obj, PipelineContext):
            raise TypeError(
                "the context is of no use in a container; pass to the function what it needs of it"
            )
        reduced = self._reduced(obj) if isinstance(obj, TypeVar) else super().reducer_override(obj)
        if isinstance(reduced, tuple) and isinstance(obj, FunctionType):
            # In the order in which this process happened to import them.
            reduced[2][1]["_cloudpickle_submodules"].sort(key=lambda module: module.__name__)
        elif isinstance(reduced, tuple) and isinstance(obj, type | TypeVar):
            reduced = _with_stable_id(obj, reduced)
        return reduced

    def _function_getnewargs(self, func: FunctionType) -> Any:
        arguments = super()._function_getnewargs(func)
        base_globals = arguments[1]
        base_globals.pop("__path__", None)
        if "__file__" in base_globals and isinstance(func.__globals__.get("__file__"), str):
            base_globals["__file__"] = self._file(func.__globals__["__file__"])
        return arguments

    def _reduced(self, obj: Any) -> Any:
        return self.dispatch_table[type(obj)](obj)

    def _without_place(self, reduced: Any) -> Any:
        function, (name, *state) = reduced
        for contents in state:  # none if the module is to be imported by its name
            for entry in _OF_THE_PLACE:
                contents.pop(entry, None)
            if isinstance(contents.get("__file__"), str):
                contents["__file__"] = self._file(contents["__file__"])
        return function, (name, *state)

    def _file(self, name: str) -> str:
        """Return a file's path below the folder that its module was imported from."""
        return self._files.get(name) or (name if name.startswith("<") else Path(name).name)


@contextlib.contextmanager
def _by_value() -> Iterator[None]:
    known = cloudpickle.list_registry_pickle_by_value()
    found = {module.__name__: module for module in list(sys.modules.values()) if _place(module) is not None}
    modules = [module for name, module in found.items() if name not in known]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def _user_files() -> Iterator[tuple[Path, str]]:
    """Yield the files of the modules that are the user's, each with its path below the import's folder."""
    for module in list(sys.modules.values()):
        place = _place(module)
        if place is not None:
            end = "/__init__.py" if place.name == "__init__.py" else ".py"
            yield place, module.__name__.replace(".", "/") + end


def _place(module: object) -> Path | None:
    """Return the file or folder of a module that is the user's; None if it is installed or built in."""
    if not isinstance(module, ModuleType) or sys.modules.get(module.__name__) is not module:
        return None
    places = [getattr(module, "__file__", None), *list(getattr(module, "__path__", None) or ())[:1]]
    found = next((Path(place) for place in places if isinstance(place, str)), None)
    installed = found is None or {"site-packages", "dist-packages"} & set(found.parts)
    return None if installed or not is_user_file(str(found)) else found


_ids: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_named: Counter[str] = Counter()


def restart_ids() -> None:
    """Forget the classes that were pickled, so that one build does not depend on those before it."""
    _ids.clear()
    _named.clear()


def _with_stable_id(owner: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put a name in the place of the random id by which cloudpickle knows a class again.

    The id is the last of the arguments of a type variable, and the last but one of those of a class.
    """
    function, arguments, *rest = reduced
    index = {"_make_typevar": -1, "_make_skeleton_class": -2, "_make_skeleton_enum": -2}.get(
        function.__name__
    )
    if index is None:
        return reduced
    if owner not in _ids:
        name = f"{owner.__module__}.{getattr(owner, '__qualname__', owner.__name__)}"
        _named[name] += 1
        _ids[owner] = f"{name}#{_named[name]}"
    arguments = list(arguments)
    arguments[index] = _ids[owner]
    return (function, tuple(arguments), *rest)
