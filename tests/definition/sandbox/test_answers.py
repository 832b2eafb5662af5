"""Calls that only read are answered from a file of the project, which counts as read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cache_lab import Lab

from scheduled_pipeline.definition.answers import AnswersError, read_answers
from scheduled_pipeline.definition.model import DefinitionError

NAME = "meta-textgeneration-llama-3-2-1b-instruct"
RECIPES = "s3://recipes/"
PARAMETERS = {"HubName": "SageMakerPublicHub", "HubContentType": "Model", "HubContentName": NAME}
RECIPE = {
    "Name": "lora",
    "CustomizationTechnique": "SFT",
    "Peft": "LORA",
    "SmtjRecipeTemplateS3Uri": f"{RECIPES}lora.yaml",
    "SmtjOverrideParamsS3Uri": f"{RECIPES}lora.json",
}
HUB = f"arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/{NAME}/1.0.0"
CONTENT = {
    "HubContentName": NAME,
    "HubContentArn": HUB,
    "HubContentVersion": "1.0.0",
    "HubContentType": "Model",
    "DocumentSchemaVersion": "2.3.0",
    "HubName": "SageMakerPublicHub",
    "HubArn": "arn:aws:sagemaker:eu-west-1:aws:hub/SageMakerPublicHub",
    "HubContentDocument": json.dumps({"GatedBucket": False, "RecipeCollection": [RECIPE]}),
    "HubContentStatus": "Available",
    "CreationTime": "2025-01-01T00:00:00+00:00",
}
DESCRIBED = {"call": "sagemaker:DescribeHubContent", "parameters": PARAMETERS, "answer": CONTENT}
READ = {
    "call": "s3:GetObject",
    "parameters": {"Bucket": "recipes", "Key": "lora.json"},
    "answer": "lora.json",
}


def _rate(lab: Lab, rate: float) -> None:
    lab.write("lora.json", json.dumps({"learning_rate": {"type": "float", "default": rate}}))


def test_a_trainer_that_asks_for_a_recipe(lab: Lab) -> None:
    shutil.copy(Path(__file__).resolve().parents[2] / "sample_defs" / "tuning.py", lab.folder)
    lab.write("answers.json", json.dumps([DESCRIBED]))
    with pytest.raises(DefinitionError) as caught:
        lab.compile("tuning")
    wanted = json.dumps({name: READ[name] for name in ("call", "parameters")})[:-1]
    assert f"answers.json' has no answer to it; add {wanted}" in str(caught.value)

    lab.write("answers.json", json.dumps([DESCRIBED, READ]))
    _rate(lab, 0.5)
    arguments = lab.compile("tuning").document["Steps"][0]["Arguments"]
    assert arguments["ServerlessJobConfig"]["BaseModelArn"] == HUB
    assert arguments["HyperParameters"] == {"learning_rate": "0.5"}
    assert lab.is_hit("tuning")
    _rate(lab, 0.25)
    assert not lab.is_hit("tuning")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**DESCRIBED, "call": "sagemaker"}, "call must be like 'sagemaker:DescribeHubContent'"),
        ({**DESCRIBED, "call": "sagemakr:DescribeHub"}, "did you mean 'sagemaker'"),
        ({**DESCRIBED, "call": "sagemaker:DescribeHubContnt"}, "did you mean 'DescribeHubContent'"),
        ({**DESCRIBED, "call": "sagemaker:DeleteHub"}, "does not only read"),
        ({**DESCRIBED, "parameters": {"Hub": "a"}}, "there is no parameter 'Hub'"),
        ({**DESCRIBED, "answer": {**CONTENT, "HubArns": ""}}, "answer: there is no 'HubArns'"),
        ({**DESCRIBED, "answer": {**CONTENT, "HubArn": 1}}, r"answer\.HubArn: must be a string, got 1"),
        ({**DESCRIBED, "answer": {"HubName": "a"}}, "answer: needs HubContentName"),
        ({**DESCRIBED, "answer": {**CONTENT, "CreationTime": "x"}}, r"CreationTime: must be a date, got 'x'"),
        ({**DESCRIBED, "answer": "absent.json"}, r"answer 'absent\.json' cannot be read"),
        ({**READ, "answer": "absent.json"}, "cannot be read"),
        ({"call": "s3:GetObject"}, "must be an object with the members call, parameters and answer"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps([entry]))
    with pytest.raises(AnswersError, match=rf"answers\.json', entry 0.*{message}"):
        read_answers(file)


def test_a_call_has_one_answer(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps([DESCRIBED, DESCRIBED]))
    with pytest.raises(AnswersError, match=r"entry 1: .* has an answer for these parameters already"):
        read_answers(tmp_path / "answers.json")
