"""Split the raw abalone file into train, validation and test sets that XGBoost can read.

The input has no header; its columns are the sex (F, I or M), seven measurements and the number of
rings, which is the label. Each output is a CSV file without a header: the label, the seven
measurements scaled to zero mean and unit variance, and one column each for F, I and M.

Medians, means and variances are taken from the train set alone, so that nothing of the other two
sets is known in training. A missing measurement becomes the median; a missing or unknown sex leaves
the three last columns at zero.

Runs in SageMaker's scikit-learn 1.2 container, so it keeps to Python 3.8 and to what scikit-learn
1.2 and pandas 1.1 offer.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SEX = "sex"
MEASUREMENTS = [
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
]
LABEL = "rings"
COLUMNS = [SEX, *MEASUREMENTS, LABEL]
# Fixed, not learned: the columns of the output are then the same whatever rows the train set has.
SEXES = ["F", "I", "M"]

logger = logging.getLogger("preprocess")


def main() -> None:
    """Read the arguments, and end with one line on standard error if the input cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    base = Path("/opt/ml/processing")
    parser = argparse.ArgumentParser(description="Split the raw abalone file into three sets.")
    parser.add_argument("--input-dir", type=Path, default=base / "raw")
    parser.add_argument("--output-dir", type=Path, default=base)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--resource-config", type=Path, default=Path("/opt/ml/config/resourceconfig.json"))
    args = parser.parse_args()
    try:
        sets = preprocess(read(args.input_dir), args.seed)
        write(sets, args.output_dir, *instance(args.resource_config))
    except (OSError, ValueError) as error:
        sys.exit(f"preprocess: {error}")


def read(directory: Path) -> pd.DataFrame:
    """Return the rows of all files under the directory that have a label."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if not files:
        raise FileNotFoundError(f"no file in {directory}: does InputDataUrl name one?")
    data = pd.concat([read_file(path) for path in files], ignore_index=True)
    labelled = data[data[LABEL].notna()]
    logger.info("%d rows in %d files, %d without a label", len(data), len(files), len(data) - len(labelled))
    return labelled


def read_file(path: Path) -> pd.DataFrame:
    """Return one raw file with names for its columns."""
    try:
        data = pd.read_csv(path, header=None, dtype={0: str}, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty") from None
    if data.shape[1] != len(COLUMNS):
        raise ValueError(
            f"{path} has {data.shape[1]} columns, not the {len(COLUMNS)} of {', '.join(COLUMNS)}"
        )
    data.columns = COLUMNS
    data[SEX] = data[SEX].fillna("").str.strip().str.upper().astype(object)
    try:
        return data.astype(dict.fromkeys([*MEASUREMENTS, LABEL], float))
    except ValueError as error:
        raise ValueError(f"{path} has a measurement or label that is not a number: {error}") from None


def preprocess(data: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Return the three sets as arrays of numbers, with the label in the first column."""
    sets = split(data, seed)
    features = ColumnTransformer(
        [
            (
                "measurements",
                make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
                MEASUREMENTS,
            ),
            ("sex", OneHotEncoder(categories=[SEXES], handle_unknown="ignore"), [SEX]),
        ],
        sparse_threshold=0,
    ).fit(sets["train"])
    return {name: np.column_stack([rows[LABEL], features.transform(rows)]) for name, rows in sets.items()}


def split(data: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Shuffle the rows and divide them 70 : 15 : 15."""
    order = np.random.default_rng(seed).permutation(len(data))
    first, second = len(data) * 70 // 100, len(data) * 85 // 100
    parts = {"train": order[:first], "validation": order[first:second], "test": order[second:]}
    empty = [name for name, rows in parts.items() if len(rows) == 0]
    if empty:
        raise ValueError(f"{len(data)} rows are too few: nothing is left for {', '.join(empty)}")
    return {name: data.iloc[rows] for name, rows in parts.items()}


def instance(resource_config: Path) -> tuple[int, int]:
    """Return which instance of the job this is, from 0, and how many there are."""
    if not resource_config.exists():
        return 0, 1
    config = json.loads(resource_config.read_text(encoding="utf-8"))
    hosts = sorted(config["hosts"])
    return hosts.index(config["current_host"]), len(hosts)


def write(sets: dict[str, np.ndarray], directory: Path, index: int, count: int) -> None:
    """Write this instance's share of each set.

    Every instance computes the same sets, since the seed is the same, and all upload to the same
    S3 prefix: so each writes its own rows, to a file of its own name.
    """
    for name, rows in sets.items():
        target = directory / name / (f"{name}.csv" if count == 1 else f"{name}-{index}.csv")
        target.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(target, rows[index::count], delimiter=",", fmt="%.10g")
        logger.info("%s: %d of %d rows", target, len(rows[index::count]), len(rows))


if __name__ == "__main__":
    main()
