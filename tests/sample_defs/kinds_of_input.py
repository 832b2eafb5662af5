"""Kinds of input that a definition may depend on: each changes what ``defs.text()`` says.

A kind is a function that writes a project, yields its ``sys.path``, changes something, and yields the
``sys.path`` that is then.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from recorded import RecordedProject

Kind = Callable[[RecordedProject], Iterator[list[str]]]
KINDS: dict[str, Kind] = {}

# As setuptools writes it into site-packages for a project whose packages lie at its top.
# https://github.com/pypa/setuptools/blob/main/setuptools/command/editable_wheel.py
_FINDER = """
import sys
from importlib.util import spec_from_file_location
from pathlib import Path

MAPPING: dict[str, str] = {mapping!r}

class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        for pkg, pkg_path in reversed(list(MAPPING.items())):
            if fullname == pkg or fullname.startswith(f"{{pkg}}."):
                rest = fullname.replace(pkg, "", 1).strip(".").split(".")
                found = Path(pkg_path, *rest)
                for candidate in (found / "__init__.py", found.with_suffix(".py")):
                    if candidate.exists():
                        return spec_from_file_location(fullname, candidate)

def install():
    sys.meta_path.append(_EditableFinder)
"""
_SIZES = "from sizes import SIZE\ndef text():\n    return SIZE\n"


def kind(name: str) -> Callable[[Kind], Kind]:
    """Enter a kind of input."""

    def enter(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return enter


@kind("a module")
def _module(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    at.write("sizes.py", "SIZE = 1")
    yield at.path()
    at.write("sizes.py", "SIZE = 2")
    yield at.path()


@kind("a file")
def _file(at: RecordedProject) -> Iterator[list[str]]:
    at.define("(HERE / 'data.txt').read_text()")
    at.write("data.txt", "1")
    yield at.path()
    at.write("data.txt", "2")
    yield at.path()


@kind("PYTHONPATH, another folder")
def _other_folder(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, folder in enumerate(("one", "two")):
        at.write(f"{folder}/sizes.py", f"SIZE = {number}")
    yield at.path("one")
    yield at.path("two")


@kind("PYTHONPATH, another outside")
def _other_outside(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, folder in enumerate(("one", "two")):
        at.write(f"../{folder}/sizes.py", f"SIZE = {number}")
    yield at.path("../one")
    yield at.path("../two")


@kind("PYTHONPATH, another order")
def _other_order(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, folder in enumerate(("one", "two")):
        at.write(f"{folder}/sizes.py", f"SIZE = {number}")
    yield at.path("one", "two")
    yield at.path("two", "one")


@kind("vendored, before site-packages")
def _vendored(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('yaml').__version__")
    at.write("vendor/yaml/__init__.py", "__version__ = 'vendored'")
    yield at.path("...", "vendor")
    yield at.path("vendor", "...")


@kind("another site-packages")
def _other_packages(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number in (1, 2):
        at.write(f"v{number}/site-packages/sizes.py", f"SIZE = {number}")
        at.write(f"v{number}/site-packages/sizes-{number}.0.dist-info/METADATA", "")
    yield at.path("v1/site-packages")
    yield at.path("v2/site-packages")


@kind("editable, by .pth")
def _editable_by_pth(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, checkout in enumerate(("one", "two")):
        at.write(f"libs/{checkout}/src/sizes.py", f"SIZE = {number}")
    for checkout in ("one", "two"):
        at.write("env/site-packages/__editable__.sizes-1.0.pth", f"{at.folder}/libs/{checkout}/src\n")
        at.write("env/site-packages/sizes-1.0.dist-info/direct_url.json", "{}")
        yield at.path("env/site-packages", f"libs/{checkout}/src")


@kind("editable, by egg-link")
def _editable_by_egg_link(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, checkout in enumerate(("one", "two")):
        at.write(f"libs/{checkout}/sizes.py", f"SIZE = {number}")
    for checkout in ("one", "two"):
        at.write("env/site-packages/easy-install.pth", f"{at.folder}/libs/{checkout}\n")
        at.write("env/site-packages/sizes.egg-link", f"{at.folder}/libs/{checkout}\n.")
        yield at.path("env/site-packages", f"libs/{checkout}")


def install_by_finder(at: RecordedProject, target: str, name: str = "sizes") -> None:
    """Write what an editable install writes for a package, or a module without its ``.py``."""
    folder = "env/site-packages"
    finder = f"__editable___{name}_1_0_finder"
    at.write(f"{folder}/__editable__.{name}-1.0.pth", f"import {finder}; {finder}.install()")
    at.write(f"{folder}/{finder}.py", _FINDER.format(mapping={name: str((at.folder / target).resolve())}))
    at.write(f"{folder}/{name}-1.0.dist-info/direct_url.json", "{}")


@kind("editable, by finder")
def _editable_by_finder(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, checkout in enumerate(("one", "two")):
        at.write(f"libs/{checkout}/sizes/__init__.py", f"SIZE = {number}")
        install_by_finder(at, f"libs/{checkout}/sizes")
        yield at.path("env/site-packages")


@kind("editable, by finder, outside")
def _editable_outside(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('sizes.deep').deep.SIZE")
    for number, checkout in enumerate(("one", "two")):
        at.write(f"../{checkout}/sizes/__init__.py", "")
        at.write(f"../{checkout}/sizes/deep.py", f"SIZE = {number}")
        install_by_finder(at, f"../{checkout}/sizes")
        yield at.path("env/site-packages")


@kind("editable, by finder, a module")
def _editable_module(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number, checkout in enumerate(("one", "two")):
        at.write(f"../{checkout}/sizes.py", f"SIZE = {number}")
        install_by_finder(at, f"../{checkout}/sizes")
        yield at.path("env/site-packages")


@kind("editable, a link")
def _editable_link(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    at.write("env/site-packages/sizes-1.0.dist-info/METADATA", "")
    at.write("libs/sizes/__init__.py", "SIZE = 1")
    (at.folder / "env/site-packages/sizes").symlink_to(at.folder / "libs/sizes")
    yield at.path("env/site-packages")
    at.write("libs/sizes/__init__.py", "SIZE = 2")
    yield at.path("env/site-packages")


@kind("sitecustomize")
def _sitecustomize(at: RecordedProject) -> Iterator[list[str]]:
    at.define("sys.size")
    for number in (1, 2):
        at.write("env/site-packages/of_the_site.py", f"import sys\nsys.size = {number}")
        at.write("env/site-packages/of_the_site.pth", "import of_the_site")
        yield at.path("env/site-packages")


@kind("a project in /dev/shm")
def _in_memory(at: RecordedProject) -> Iterator[list[str]]:
    """The folder is that of the test where there is no memory disk."""
    yield from _module(at)


def _pack(path: Path, **modules: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, code in modules.items():
            archive.writestr(f"{name}.py", code)


@kind("archive, an edited module")
def _archive(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    for number in (1, 2):
        _pack(at.folder / "lib.zip", sizes=f"SIZE = {number}")
        yield at.path("lib.zip")


@kind("archive, a new module")
def _archive_with_more(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('yaml').__version__")
    _pack(at.folder / "lib.zip", other="")
    yield at.path("lib.zip", "...")
    _pack(at.folder / "lib.zip", yaml="__version__ = 'packed'")
    yield at.path("lib.zip", "...")


@kind("archive, a folder in it")
def _folder_of_archive(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('yaml').__version__")
    for name in ("other", "yaml"):
        with zipfile.ZipFile(at.folder / "lib.zip", "w") as archive:
            archive.writestr(f"deep/{name}.py", "__version__ = 'packed'")
        yield at.path("lib.zip/deep", "...")


@kind("archive, an egg among packages")
def _egg(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_SIZES)
    (at.folder / "env/site-packages").mkdir(parents=True)
    for number in (1, 2):
        _pack(at.folder / "env/site-packages/sizes-1.0-py3.egg", sizes=f"SIZE = {number}")
        yield at.path("env/site-packages", "env/site-packages/sizes-1.0-py3.egg")


_IN_A_PROCESS = """
import multiprocessing, reading
def text():
    with multiprocessing.get_context({0!r}).Pool(1) as pool:
        return pool.map(reading.read, ["data.txt"])[0]
"""


def _read_by_a_process(at: RecordedProject, code: str) -> Iterator[list[str]]:
    at.write("reading.py", "from pathlib import Path\ndef read(name): return Path(name).read_text()")
    at.define(code)
    for number in (1, 2):
        at.write("data.txt", str(number))
        yield at.path()


@kind("process by spawn")
def _spawn(at: RecordedProject) -> Iterator[list[str]]:
    yield from _read_by_a_process(at, _IN_A_PROCESS.format("spawn"))


@kind("process by forkserver")
def _forkserver(at: RecordedProject) -> Iterator[list[str]]:
    yield from _read_by_a_process(at, _IN_A_PROCESS.format("forkserver"))


@kind("process by joblib")
def _joblib(at: RecordedProject) -> Iterator[list[str]]:
    code = "import joblib, reading\ndef text():\n    read = joblib.delayed(reading.read)\n"
    code += "    return joblib.Parallel(n_jobs=2)([read('data.txt'), read('data.txt')])[0]"
    yield from _read_by_a_process(at, code)


@kind("pyarrow.csv")
def _arrow_csv(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('pyarrow.csv').csv.read_csv('data.csv').to_pydict()")
    for number in (1, 2):
        at.write("data.csv", f"a\n{number}\n")
        yield at.path()


@kind("pyarrow.memory_map")
def _arrow_map(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('pyarrow').memory_map('data.csv').read()")
    for number in (1, 2):
        at.write("data.csv", f"a\n{number}\n")
        yield at.path()


def _write_parquet(at: RecordedProject, number: int) -> None:
    import pandas

    pandas.DataFrame({"a": [number]}).to_parquet(at.folder / "data.parquet")


@kind("pyarrow.parquet")
def _arrow_parquet(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('pyarrow.parquet').parquet.read_table('data.parquet').to_pydict()")
    for number in (1, 2):
        _write_parquet(at, number)
        yield at.path()


@kind("pandas.read_parquet")
def _pandas_parquet(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('pandas').read_parquet('data.parquet').to_dict()")
    for number in (1, 2):
        _write_parquet(at, number)
        yield at.path()


def _put(path: Path, number: int) -> None:
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"create table t as select {number} as a")
        database.commit()


_QUERY = """
import sqlite3
def text():
    database = sqlite3.connect({0})
    {1}
    found = database.execute("select a from {2}t").fetchall()
    database.close()
    return found
"""


@kind("SQLite")
def _sqlite(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_QUERY.format("'data.db'", "", ""))
    for number in (1, 2):
        _put(at.folder / "data.db", number)
        yield at.path()


@kind("SQLite, ATTACH")
def _attach(at: RecordedProject) -> Iterator[list[str]]:
    at.define(_QUERY.format("':memory:'", "database.execute(\"attach 'data.db' as other\")", "other."))
    for number in (1, 2):
        _put(at.folder / "data.db", number)
        yield at.path()


@kind("SQLite, ATTACH of a parameter")
def _attach_uri(at: RecordedProject) -> Iterator[list[str]]:
    attach = "database.execute('attach ? as other', ('file:data.db?mode=ro',))"
    at.define(_QUERY.format("':memory:', uri=True", attach, "other."))
    for number in (1, 2):
        _put(at.folder / "data.db", number)
        yield at.path()


@kind("SQLite, not by connect()")
def _other_connection(at: RecordedProject) -> Iterator[list[str]]:
    query = _QUERY.format("':memory:'", "database.execute(\"attach 'data.db' as other\")", "other.")
    at.define(query.replace("connect(", "Connection("))
    for number in (1, 2):
        _put(at.folder / "data.db", number)
        yield at.path()


@kind("SQLite, WAL")
def _wal(at: RecordedProject) -> Iterator[list[str]]:
    """Somebody else keeps the database open, and what is written last is beside it."""
    at.define(_QUERY.format("'file:data.db?mode=ro', uri=True", "", ""))
    with contextlib.closing(sqlite3.connect(at.folder / "data.db")) as writer:
        writer.execute("pragma journal_mode=wal")
        writer.execute("create table t (a)")
        writer.commit()
        for number in (1, 2):
            writer.execute(f"insert into t values ({number})")
            writer.commit()
            yield at.path()


@kind("link/..")
def _back_from_a_link(at: RecordedProject) -> Iterator[list[str]]:
    at.define("open(HERE / 'link' / '..' / 'data.txt').read()")
    at.write("data.txt", "of the project")
    at.write("v/data.txt", "1")
    at.write("v/deep/other.txt", "")
    (at.folder / "link").symlink_to("v/deep")
    yield at.path()
    at.write("v/data.txt", "2")
    yield at.path()


@kind("link/.., another link")
def _other_link(at: RecordedProject) -> Iterator[list[str]]:
    at.define("open(HERE / 'link' / '..' / 'data.txt').read()")
    for number in (1, 2):
        at.write(f"v{number}/data.txt", str(number))
        at.write(f"v{number}/deep/other.txt", "")
        (at.folder / "link").unlink(missing_ok=True)
        (at.folder / "link").symlink_to(f"v{number}/deep")
        yield at.path()


@kind("a link to a link")
def _link_to_a_link(at: RecordedProject) -> Iterator[list[str]]:
    at.define("(HERE / 'first').resolve().name")
    (at.folder / "first").symlink_to("second")
    for number in (1, 2):
        at.write(f"v{number}/data.txt", "")
        (at.folder / "second").unlink(missing_ok=True)
        (at.folder / "second").symlink_to(f"v{number}")
        yield at.path()


@kind("ctypes")
def _ctypes(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('ctypes').CDLL(None).open(b'data.txt', 0) > 0")
    yield at.path()
    at.write("data.txt", "")
    yield at.path()


def copy_of(at: RecordedProject, folder: Path) -> RecordedProject:
    """Return a copy of a project, with what lies beside it, in another place, and installed there."""
    shutil.copytree(at.folder.parent, folder, symlinks=True)
    for path in [*folder.rglob("site-packages/*.py"), *folder.rglob("site-packages/*.pth")]:
        path.write_text(path.read_text().replace(str(at.folder.parent), str(folder)))
    return RecordedProject(folder / at.folder.name)
