"""Measure a trained abalone model on the test set and write the report that decides its fate.

The report is ``evaluation.json``, in the shape of a SageMaker model quality report::

    {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}

``value`` is the mean squared error; ``standard_deviation`` is that of the errors themselves.

Runs in SageMaker's XGBoost container, so it keeps to Python 3.8 and to what XGBoost 1.7 offers.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
import xgboost

# From version 1.3 on the built-in algorithm saves a model in XGBoost's own format under this name.
# https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html
MODEL_NAME = "xgboost-model"

logger = logging.getLogger("evaluate")


def main() -> None:
    """Read the arguments, and end with one line on standard error if the model cannot be measured."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    base = Path("/opt/ml/processing")
    parser = argparse.ArgumentParser(description="Measure a model on the test set.")
    parser.add_argument("--model-dir", type=Path, default=base / "model")
    parser.add_argument("--test-dir", type=Path, default=base / "test")
    parser.add_argument("--output-dir", type=Path, default=base / "evaluation")
    args = parser.parse_args()
    try:
        report = evaluate(load_model(args.model_dir / "model.tar.gz"), load_test_set(args.test_dir))
        args.output_dir.mkdir(parents=True, exist_ok=True)
        # A report with NaN is not JSON, and would fail in the condition step with a worse message.
        text = json.dumps(report, indent=2, allow_nan=False)
        (args.output_dir / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    except (OSError, ValueError, tarfile.TarError, xgboost.core.XGBoostError) as error:
        sys.exit(f"evaluate: {error}")
    logger.info("%s", text)


def load_model(archive: Path) -> xgboost.Booster:
    """Return the model in the archive.

    The one member that is wanted is read into memory. Nothing is unpacked, so a member's path or
    link can point to no other file; nothing is unpickled, so a member cannot run code.
    """
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if member.isfile() and PurePosixPath(member.name).name == MODEL_NAME:
                content = tar.extractfile(member)
                if content is not None:
                    model = xgboost.Booster()
                    model.load_model(bytearray(content.read()))
                    return model
    raise ValueError(f"{archive} holds no file named {MODEL_NAME}")


def load_test_set(directory: Path) -> np.ndarray:
    """Return the rows of all CSV files in the directory; the first column is the label."""
    files = [path for path in sorted(directory.glob("*.csv")) if path.stat().st_size > 0]
    if not files:
        raise FileNotFoundError(f"no CSV file with rows in {directory}")
    return np.concatenate([np.loadtxt(path, delimiter=",", ndmin=2) for path in files])


def evaluate(model: xgboost.Booster, rows: np.ndarray) -> dict[str, dict[str, dict[str, float]]]:
    """Return the report for the model on rows with the label in the first column."""
    errors = rows[:, 0] - model.predict(xgboost.DMatrix(rows[:, 1:]))
    mse = {"value": float(np.mean(errors**2)), "standard_deviation": float(np.std(errors))}
    return {"regression_metrics": {"mse": mse}}


if __name__ == "__main__":
    main()
