from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from pipeline_defs.abalone.code import evaluate
from pipeline_defs.abalone.code import preprocess as preprocessing

RunScript = Callable[..., subprocess.CompletedProcess[str]]

ROWS = np.random.default_rng(3).normal(size=(60, 11))
ROWS[:, 0] = 10 + 3 * ROWS[:, 1] - 2 * ROWS[:, 2]


def train(rows: np.ndarray) -> xgboost.Booster:
    parameters = {"objective": "reg:squarederror", "max_depth": 3, "eta": 0.2}
    return xgboost.train(parameters, xgboost.DMatrix(rows[:, 1:], rows[:, 0]), num_boost_round=20)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return train(ROWS[:40])


@pytest.fixture(scope="module")
def model(booster: xgboost.Booster, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model as the built-in algorithm saves it: XGBoost's own format, in a file without a suffix."""
    path = tmp_path_factory.mktemp("model") / "xgboost-model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions prefer a suffix, which the algorithm does not give
        booster.save_model(str(path))
    return path.read_bytes()


def write_archive(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def job(tmp_path: Path, model: bytes) -> list[object]:
    """The arguments of a run for which all is well."""
    write_archive(tmp_path / "model" / "model.tar.gz", {"xgboost-model": model})
    (tmp_path / "test").mkdir()
    np.savetxt(tmp_path / "test" / "test.csv", ROWS[40:], delimiter=",")
    directories = {name: tmp_path / name for name in ("model", "test")}
    directories["output"] = tmp_path / "evaluation"
    return [part for name, path in directories.items() for part in (f"--{name}-dir", path)]


def test_the_report_has_the_mean_squared_error_where_the_condition_reads_it(
    job: list[object], tmp_path: Path, booster: Any, run_script: RunScript
) -> None:
    result = run_script("abalone/code/evaluate.py", *job)

    assert result.returncode == 0, result.stderr
    errors = ROWS[40:, 0] - booster.predict(xgboost.DMatrix(ROWS[40:, 1:]))
    report = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
    assert report == {
        "regression_metrics": {
            "mse": {
                "value": pytest.approx(np.mean(errors**2), rel=1e-5),
                "standard_deviation": pytest.approx(np.std(errors), rel=1e-5),
            }
        }
    }


def test_a_model_in_a_folder_of_the_archive_is_found(tmp_path: Path, model: bytes) -> None:
    archive = write_archive(tmp_path / "model.tar.gz", {"./code/note.txt": b"", "./xgboost-model": model})
    assert evaluate.load_model(archive).num_features() == 10


def test_nothing_of_the_archive_is_written_to_disk(tmp_path: Path, model: bytes) -> None:
    folder = tmp_path / "work"
    archive = write_archive(folder / "model.tar.gz", {"../escaped": b"x", "../xgboost-model": model})
    evaluate.load_model(archive)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model.tar.gz", "work"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_is_not_followed(kind: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("xgboost-model")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ValueError, match="holds no file named xgboost-model"):
        evaluate.load_model(tmp_path / "model.tar.gz")


class Bomb:
    """Pickles to something that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.mkdir, (self.path,)


def test_a_pickle_is_refused_and_not_run(job: list[object], tmp_path: Path, run_script: RunScript) -> None:
    pickled = pickle.dumps(Bomb(tmp_path / "exploded"))
    write_archive(tmp_path / "model" / "model.tar.gz", {"xgboost-model": pickled})

    result = run_script("abalone/code/evaluate.py", *job)
    assert result.returncode == 1
    assert result.stderr.startswith("evaluate: ")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "evaluation").exists()


def test_all_files_of_the_test_set_count(tmp_path: Path) -> None:
    for number in range(3):
        np.savetxt(tmp_path / f"test-{number}.csv", ROWS[number : number + 1], delimiter=",")
    (tmp_path / "test-3.csv").write_text("")
    assert np.allclose(evaluate.load_test_set(tmp_path), ROWS[:3])


def remove_archive(directory: Path) -> None:
    (directory / "model" / "model.tar.gz").unlink()


def break_archive(directory: Path) -> None:
    (directory / "model" / "model.tar.gz").write_bytes(b"not an archive")


def break_member(directory: Path) -> None:
    write_archive(directory / "model" / "model.tar.gz", {"model.json": b"{}"})


def break_test_set(directory: Path) -> None:
    (directory / "test" / "test.csv").write_text("")


def break_numbers(directory: Path) -> None:
    (directory / "test" / "test.csv").write_text(",".join(["nan"] * 11))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_archive, "No such file or directory"),
        (break_archive, "not a gzip file"),
        (break_member, "holds no file named xgboost-model"),
        (break_test_set, "no CSV file with rows in"),
        (break_numbers, "not JSON compliant"),
    ],
)
def test_a_run_that_cannot_measure_ends_with_the_reason_and_no_report(
    damage: Any, message: str, job: list[object], tmp_path: Path, monkeypatch: Any
) -> None:
    damage(tmp_path)
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *map(str, job)])
    with pytest.raises(SystemExit, match=f"^evaluate: .*{message}"):
        evaluate.main()
    assert not (tmp_path / "evaluation" / "evaluation.json").exists()


def test_a_model_of_preprocessed_data_beats_the_mean(tmp_path: Path) -> None:
    """The three scripts of the pipeline fit together: what one writes, the next can read."""
    random = np.random.default_rng(5)
    lengths = 0.1 + random.random(400) * 0.7
    rows = [f"{'FIM'[i % 3]}{f',{length:.4f}' * 7},{20 * length:.2f}" for i, length in enumerate(lengths)]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "abalone.csv").write_text("\n".join(rows))

    sets = preprocessing.preprocess(preprocessing.read(tmp_path / "raw"), 42)
    preprocessing.write(sets, tmp_path, 0, 1)
    test_set = evaluate.load_test_set(tmp_path / "test")
    report = evaluate.evaluate(train(np.loadtxt(tmp_path / "train" / "train.csv", delimiter=",")), test_set)
    assert report["regression_metrics"]["mse"]["value"] < np.var(test_set[:, 0]) / 10
