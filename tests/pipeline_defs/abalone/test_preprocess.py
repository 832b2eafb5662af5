from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline_defs.abalone.code import preprocess

RunScript = Callable[..., subprocess.CompletedProcess[str]]

SETS = ("train", "validation", "test")
ROWS = 200


def raw_rows(count: int = ROWS) -> list[str]:
    """Rows like those of the public abalone file, with different measurements and labels in each."""
    random = np.random.default_rng(7)
    rows = []
    for number in range(count):
        length = 0.1 + random.random() * 0.7
        sizes = [length, length * 0.8, length * 0.3, *(length**3 * part for part in (5, 2.2, 1.1, 1.4))]
        rows.append(",".join(["FIM"[number % 3], *(f"{size:.6f}" for size in sizes), str(number % 29 + 1)]))
    return rows


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    directory = tmp_path / "raw"
    directory.mkdir()
    (directory / "abalone-dataset.csv").write_text("\n".join(raw_rows()) + "\n")
    return directory


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("raw") / "abalone.csv"
    path.write_text("\n".join(raw_rows()) + "\n")
    return preprocess.read(path.parent)


def test_the_script_writes_three_sets_of_70_15_and_15_percent(
    raw: Path, tmp_path: Path, run_script: RunScript
) -> None:
    result = run_script("abalone/code/preprocess.py", "--input-dir", raw, "--output-dir", tmp_path)

    assert result.returncode == 0, result.stderr
    sets = {name: np.loadtxt(tmp_path / name / f"{name}.csv", delimiter=",") for name in SETS}
    assert {name: rows.shape for name, rows in sets.items()} == {
        "train": (140, 11),
        "validation": (30, 11),
        "test": (30, 11),
    }


def test_the_files_have_no_header_and_the_label_comes_first(
    raw: Path, tmp_path: Path, run_script: RunScript
) -> None:
    run_script("abalone/code/preprocess.py", "--input-dir", raw, "--output-dir", tmp_path)

    written = [np.loadtxt(tmp_path / name / f"{name}.csv", delimiter=",") for name in SETS]
    labels = sorted(float(row.split(",")[-1]) for row in raw_rows())
    assert sorted(np.concatenate(written)[:, 0]) == labels


def test_the_script_gives_the_same_bytes_each_time(raw: Path, tmp_path: Path, run_script: RunScript) -> None:
    for output in ("first", "second"):
        run_script("abalone/code/preprocess.py", "--input-dir", raw, "--output-dir", tmp_path / output)

    for name in SETS:
        first, second = (tmp_path / output / name / f"{name}.csv" for output in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_the_seed_decides_which_row_goes_where(data: pd.DataFrame) -> None:
    first, second = preprocess.preprocess(data, 1), preprocess.preprocess(data, 2)
    assert not np.array_equal(first["test"], second["test"])


def test_every_row_is_in_exactly_one_set(data: pd.DataFrame) -> None:
    parts = preprocess.split(data, 42)
    assert sorted(index for rows in parts.values() for index in rows.index) == list(range(ROWS))


def test_the_features_do_not_depend_on_the_labels(data: pd.DataFrame) -> None:
    before = preprocess.preprocess(data, 42)
    after = preprocess.preprocess(data.assign(rings=99.0), 42)
    for name in SETS:
        assert np.array_equal(before[name][:, 1:], after[name][:, 1:])


def test_the_train_set_alone_decides_the_scale(data: pd.DataFrame) -> None:
    changed = data.copy()
    changed.loc[preprocess.split(data, 42)["test"].index, preprocess.MEASUREMENTS] = 1000.0

    before, after = preprocess.preprocess(data, 42), preprocess.preprocess(changed, 42)
    assert np.array_equal(before["train"], after["train"])
    measurements = before["train"][:, 1:8]
    assert np.allclose(measurements.mean(axis=0), 0)
    assert np.allclose(measurements.std(axis=0), 1)


def test_each_sex_has_a_column(data: pd.DataFrame) -> None:
    rows = preprocess.split(data, 42)["validation"]
    columns = preprocess.preprocess(data, 42)["validation"][:, 8:]
    assert ["FIM"[position] for position in columns.argmax(axis=1)] == list(rows["sex"])
    assert (columns.sum(axis=1) == 1).all()


@pytest.mark.parametrize("sex", ["X", "", " ", "female"])
def test_an_unknown_or_missing_sex_leaves_its_columns_at_zero(sex: str, tmp_path: Path) -> None:
    rows = [sex + row[1:] for row in raw_rows()]
    (tmp_path / "raw.csv").write_text("\n".join(rows))
    sets = preprocess.preprocess(preprocess.read(tmp_path), 42)
    assert all((rows[:, 8:] == 0).all() and rows.shape[1] == 11 for rows in sets.values())


def test_a_sex_in_lower_case_counts(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("\n".join(row.lower() for row in raw_rows()))
    sets = preprocess.preprocess(preprocess.read(tmp_path), 42)
    assert (sets["train"][:, 8:].sum(axis=1) == 1).all()


def test_a_missing_measurement_becomes_the_median_of_the_train_set(data: pd.DataFrame) -> None:
    parts = preprocess.split(data, 42)
    changed = data.copy()
    changed.loc[parts["test"].index[0], "length"] = np.nan

    train = parts["train"]["length"]
    expected = (train.median() - train.mean()) / train.std(ddof=0)
    assert preprocess.preprocess(changed, 42)["test"][0, 1] == pytest.approx(expected)


def test_a_measurement_that_is_missing_everywhere_keeps_its_column(data: pd.DataFrame) -> None:
    sets = preprocess.preprocess(data.assign(height=np.nan), 42)
    assert all(rows.shape[1] == 11 and np.isfinite(rows).all() for rows in sets.values())


def test_rows_without_a_label_are_left_out(tmp_path: Path) -> None:
    unlabelled = [row.rpartition(",")[0] + "," for row in raw_rows(10)]
    (tmp_path / "raw.csv").write_text("\n".join([*raw_rows(), *unlabelled]))
    assert len(preprocess.read(tmp_path)) == ROWS


def test_all_files_under_the_input_are_read(tmp_path: Path) -> None:
    rows = raw_rows()
    (tmp_path / "more").mkdir()
    (tmp_path / "part-0").write_text("\n".join(rows[:50]))
    (tmp_path / "more" / "part-1.csv").write_text("\n".join(rows[50:]))
    assert len(preprocess.read(tmp_path)) == ROWS


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_instances_of_a_job_share_the_rows_between_them(
    data: pd.DataFrame, tmp_path: Path, count: int
) -> None:
    hosts = [f"algo-{number + 1}" for number in range(count)]
    sets = preprocess.preprocess(data, 42)
    for host in hosts:
        config = tmp_path / f"{host}.json"
        config.write_text(json.dumps({"current_host": host, "hosts": hosts}))
        preprocess.write(sets, tmp_path, *preprocess.instance(config))

    for name in SETS:
        files = sorted((tmp_path / name).iterdir())
        assert len(files) == count
        written = np.concatenate([np.loadtxt(path, delimiter=",", ndmin=2) for path in files])
        assert np.allclose(np.sort(written, axis=0), np.sort(sets[name], axis=0))


def test_without_a_resource_configuration_there_is_one_instance(tmp_path: Path) -> None:
    assert preprocess.instance(tmp_path / "resourceconfig.json") == (0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("M,0.4,0.3\n", "has 3 columns, not the 9 of sex, length"),
        (",".join(preprocess.COLUMNS) + "\n" + raw_rows(1)[0], "not a number: .*length"),
        ("\n".join(raw_rows(20)).replace(",7\n", ",seven\n"), "not a number: .*seven"),
        ("\n".join(raw_rows(1)), "1 rows are too few: nothing is left for train, validation"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "raw.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        preprocess.preprocess(preprocess.read(tmp_path), 42)


def test_the_script_ends_with_one_line_when_there_is_no_input(tmp_path: Path, run_script: RunScript) -> None:
    result = run_script(
        "abalone/code/preprocess.py", "--input-dir", tmp_path / "nothing", "--output-dir", tmp_path
    )
    assert result.returncode == 1
    assert result.stderr == f"preprocess: no file in {tmp_path / 'nothing'}: does InputDataUrl name one?\n"
