"""What reads files unseen by Python: other processes, and libraries that open files by themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

PROCESSES = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "_winapi.CreateProcess"})
"""The audit events of a process that is started; ``guard.programs`` tells of what has none."""

# Modules of C, C++ or Rust that take the path of a file. `pandas.read_parquet` imports `pyarrow.parquet`, and
# `pandas` itself imports only what of pyarrow opens nothing.
_READERS = frozenset(
    {
        *(f"pyarrow.{name}" for name in ("_csv", "_json", "_orc", "_parquet", "_dataset", "_feather", "_fs")),
        *("_dbm", "_gdbm", "adbc_driver_manager", "catboost", "cv2", "datafusion", "deltalake", "duckdb"),
        *("faiss", "fastparquet", "fiona", "h5py", "lance", "lightgbm", "lmdb", "netCDF4", "osgeo", "polars"),
        *("pyogrio", "pyreadr", "pyreadstat", "python_calamine", "rasterio", "safetensors", "sentencepiece"),
        *("tables", "tiledb", "tokenizers", "turbodbc", "vaex", "zarrs"),
    }
)
# Others import these, too, for what opens nothing: so they count only where the project's sources do.
_NAMED = (
    *("_ctypes", "cffi", "ctypes", "lxml", "onnx", "onnxruntime", "pyarrow", "tensorflow", "torch"),
    "xgboost",
)
# Of `_READERS` too: what is there already, as the SDK has imported it, is not seen to be imported again.
_IN_SOURCES = frozenset({*_NAMED, *(name for name in _READERS if "." not in name)})
# Few modules have one of these words, and only those are looked into.
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_IN_SOURCES))})\b")
_IMPORTERS = {"__import__", "import_module"}


def opens_by_itself(module: str) -> bool:
    """Whether a module that was imported may open files without Python."""
    return module in _READERS or module.partition(".")[0] in _READERS


def names_one_that_does(source: str) -> bool:
    """Whether the source of a module imports one that may open files without Python."""
    if not _WORDS.search(source):
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # a loader of its own makes Python of it
        return True
    return any(name.partition(".")[0] in _IN_SOURCES for name in _imported(tree))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str() as module, level=0):
                yield module
            case (
                ast.Call(func=ast.Name(id=called), args=[ast.Constant(value=str() as module), *_])
                | ast.Call(func=ast.Attribute(attr=called), args=[ast.Constant(value=str() as module), *_])
            ) if called in _IMPORTERS:
                yield module
