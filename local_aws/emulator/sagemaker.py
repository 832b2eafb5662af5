"""The SageMaker service (botocore ``sagemaker-2017-07-24``): the pipeline API here, the rest by moto.

Moto keeps pipelines too, but without idempotent starts, checked parameters, versions or AWS's error codes, so
the pipeline operations are this package's own.
"""

from __future__ import annotations

import json
import secrets
from typing import Final

from ministack.core.responses import get_account_id, get_region

from local_aws.emulator import api, model_packages, pipeline_views, pipelines
from local_aws.emulator.api import Json, Response, ServiceError

CONTENT_TYPE: Final = "application/x-amz-json-1.1"
_OK: Final = 200
_ACTIONS: Final = {**pipelines.ACTIONS, **pipeline_views.ACTIONS}
_PIPELINE_TAGGING: Final = frozenset({"ListTags", "AddTags", "DeleteTags"})


def call(operation: str, request: Json) -> Json:
    """Run one operation of the pipeline API as an SDK does: tokens are filled in, the request is validated.

    Raises:
        ServiceError: the service refuses the request, or local AWS does not have the operation.
    """
    if operation not in _ACTIONS:
        raise ServiceError("UnknownOperationException", f"local AWS has no SageMaker {operation}.", 501)
    model = api.operation_model("sagemaker", operation)
    assert model is not None, f"botocore knows no {operation}"
    request = {**{member: secrets.token_hex(16) for member in model.idempotent_members}, **request}
    api.validate("sagemaker", operation, request)
    return _ACTIONS[operation](request)


async def handle_request(method: str, path: str, headers: Json, body: bytes, query: Json) -> Response:
    """MiniStack's entry to a service: the JSON 1.1 protocol, with the operation in ``X-Amz-Target``."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    request = json.loads(body or b"{}")
    if not _is_own(operation, request):
        answer = _moto(headers, body)
        if operation == "UpdateModelPackage" and answer[0] == _OK:
            model_packages.announce(request, _described(headers, request["ModelPackageArn"]))
        return answer
    try:
        return api.answer(call(operation, request), CONTENT_TYPE)
    except ServiceError as error:
        return api.refusal(error, CONTENT_TYPE)


def _is_own(operation: str, request: Json) -> bool:
    if operation in _PIPELINE_TAGGING:
        return ":pipeline/" in request.get("ResourceArn", "")
    return operation in _ACTIONS or "Pipeline" in operation


def _described(headers: Json, name: str) -> Json:
    described = {**headers, "x-amz-target": "SageMaker.DescribeModelPackage"}
    _, _, body = _moto(described, json.dumps({"ModelPackageName": name}).encode())
    return json.loads(body)  # type: ignore[no-any-return]


def _moto(headers: Json, body: bytes) -> Response:
    # Imported here, as few stacks need the rest of SageMaker.
    from moto.core.request import Request
    from moto.sagemaker.responses import SageMakerResponse

    url = f"https://api.sagemaker.{get_region()}.amazonaws.com/"
    signed = {**headers, "x-moto-account-id": get_account_id()}
    request = Request.from_primitives("POST", url, signed, body)
    status, answered, text = SageMakerResponse.dispatch(request, url, request.headers)
    return (
        status,
        {"Content-Type": CONTENT_TYPE, **answered},
        text.encode() if isinstance(text, str) else text,
    )
