"""What reads files unseen by Python: other processes, and libraries that open files by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

PROCESSES = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "_winapi.CreateProcess"})
"""The audit events of a process that is started."""

# Modules of C, C++ or Rust that take the path of a file. `pandas.read_parquet` imports `pyarrow.parquet`, and
# `pandas` itself imports only what of pyarrow opens nothing.
_READERS = frozenset(
    {
        *(f"pyarrow.{name}" for name in ("_csv", "_json", "_orc", "_parquet", "_dataset", "_feather", "_fs")),
        *("_dbm", "_gdbm", "adbc_driver_manager", "catboost", "cv2", "datafusion", "deltalake", "duckdb"),
        *("fastparquet", "fiona", "h5py", "lance", "lightgbm", "netCDF4", "osgeo", "polars", "pyogrio"),
        *("pyreadr", "pyreadstat", "rasterio", "tables", "tiledb", "turbodbc", "vaex", "zarrs"),
    }
)
# Others import these, too, for what opens nothing: so they count only where the project's sources do.
_NAMED = (
    *(
        "_ctypes",
        "cffi",
        "ctypes",
        "lxml",
        "onnx",
        "onnxruntime",
        "pyarrow",
        "tensorflow",
        "torch",
        "xgboost",
    ),
)
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+|import[ \t]+(?:[\w. ]+,[ \t]*)*)(?:%(names)s)\b"
    rb"|(?:__import__|import_module)\([ \t]*['\"](?:%(names)s)\b" % {b"names": "|".join(_NAMED).encode()},
    re.MULTILINE,
)


def opens_by_itself(module: str) -> bool:
    """Whether a module that was imported may open files without Python."""
    return module in _READERS or module.partition(".")[0] in _READERS


def names_one_that_does(source: bytes) -> bool:
    """Whether the source of a module imports one that may open files without Python."""
    return _IMPORT.search(source) is not None


def watch_processes(note: Callable[[], None]) -> None:
    """Call ``note`` whenever ``multiprocessing`` or a library like it starts a process.

    They use what ``subprocess`` is built on, which has no audit event.
    """
    try:
        import _posixsubprocess
    except ImportError:  # Windows has events for it
        return
    original = _posixsubprocess.fork_exec

    def fork_exec(*args: Any, **kwargs: Any) -> Any:
        note()
        return original(*args, **kwargs)

    setattr(_posixsubprocess, "fork_exec", fork_exec)  # noqa: B010 - its stub has another signature
