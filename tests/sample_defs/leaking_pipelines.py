"""What a build function can do to its process, and how another one would see it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from sample_pipelines import script

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from scheduled_pipeline import PipelineContext


def _default_session() -> None:
    import boto3

    boto3.setup_default_session(region_name="ap-south-1")


def _patched_sdk() -> None:
    from sagemaker.core import image_uris

    image_uris.retrieve = lambda *args, **kwargs: "patched"


def _patched_pipeline() -> None:
    from sagemaker.mlops.workflow.pipeline import Pipeline

    Pipeline.mark = "patched"


def _pandas_option() -> None:
    import pandas as pd

    pd.set_option("display.max_rows", 7)


def _numpy_option() -> None:
    import numpy as np

    np.set_printoptions(precision=2)


def _decimal_context() -> None:
    import decimal

    decimal.getcontext().prec = 3


def _time_zone() -> None:
    import time

    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()


def _umask() -> None:
    os.umask(0o077)


def _module() -> None:
    import types

    sys.modules["planted"] = types.ModuleType("planted")


def _import_hook() -> None:
    class Hook:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            return None

    sys.meta_path.append(Hook())


def _search_path() -> None:
    sys.path.insert(0, "/planted")


def _variable() -> None:
    os.environ["PLANTED"] = "1"


def _folder() -> None:
    os.chdir("/")


def _random_state() -> None:
    import random

    random.seed(99)


def _numpy_random_state() -> None:
    import numpy as np

    np.random.seed(99)


def _builtin() -> None:
    import builtins

    builtins.planted = 1  # type: ignore[attr-defined]


def _locale() -> None:
    import locale

    locale.setlocale(locale.LC_ALL, "C")


def _warnings() -> None:
    import warnings

    warnings.simplefilter("always")


def _logging() -> None:
    import logging

    logging.disable(logging.CRITICAL)


def _recursion_limit() -> None:
    sys.setrecursionlimit(5000)


def _file_in_home() -> None:
    from pathlib import Path

    (Path.home() / "planted").write_text("1")


def _sdk_config() -> None:
    from pathlib import Path

    for name in ("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "SAGEMAKER_USER_CONFIG_OVERRIDE"):
        Path(os.environ[name]).write_text("SchemaVersion: '1.0'\n")


def _shown() -> dict[str, Any]:
    """All of it, as another build function sees it."""
    import builtins
    import decimal
    import locale
    import logging
    import random
    import time
    import warnings
    from pathlib import Path

    import boto3
    import numpy as np
    import pandas as pd
    from sagemaker.core import image_uris
    from sagemaker.mlops.workflow.pipeline import Pipeline

    umask = os.umask(0o022)
    os.umask(umask)
    return {
        "default_session": boto3._get_default_session().region_name,
        "patched_sdk": image_uris.retrieve.__name__,
        "patched_pipeline": hasattr(Pipeline, "mark"),
        "pandas_option": pd.get_option("display.max_rows"),
        "numpy_option": np.get_printoptions()["precision"],
        "decimal_context": decimal.getcontext().prec,
        "time_zone": time.localtime(0).tm_hour,
        "umask": umask,
        "module": "planted" in sys.modules,
        "import_hook": [type(hook).__name__ for hook in sys.meta_path].count("Hook"),
        "search_path": "/planted" in sys.path,
        "variable": "PLANTED" in os.environ,
        "folder": Path.cwd() == Path("/"),
        "random_state": random.random(),
        "numpy_random_state": bool(
            np.random.get_state()[1][0] == np.random.RandomState(99).get_state()[1][0]
        ),
        "builtin": hasattr(builtins, "planted"),
        "locale": locale.setlocale(locale.LC_ALL),
        "warnings": warnings.filters[0][0],
        "logging": logging.root.manager.disable,
        "recursion_limit": sys.getrecursionlimit(),
        "file_in_home": (Path.home() / "planted").exists(),
        "sdk_config": Path(os.environ["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]).read_text(),
    }


def leave(context: PipelineContext) -> Pipeline:
    """Do one of these things to the process."""
    globals()[f"_{context.value('Kind')}"]()
    return script(context)


def show(context: PipelineContext) -> Pipeline:
    """Say what the process is like."""
    pipeline = script(context)
    pipeline.parameters[0].default_value = json.dumps(_shown(), default=str)
    return pipeline


def leave_and_show(context: PipelineContext) -> Pipeline:
    """Do one of these things, and say what the process was like before and after."""
    pipeline = script(context)
    before = _shown()
    globals()[f"_{context.value('Kind')}"]()
    pipeline.parameters[0].default_value = json.dumps([before, _shown()], default=str)
    return pipeline
