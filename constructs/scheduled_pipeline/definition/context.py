"""All that a build function may know about the place it is deployed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from scheduled_pipeline.definition.answers import Answer, read_answers

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class PipelineContext:
    """What a build function gets; it takes everything from here and nothing from its environment.

    ``role``, ``bucket`` and ``account`` are placeholders of a valid shape. The construct puts the
    real role, bucket and account in their place, so pass them on as they are: their text is
    only known at deploy time.

    Attributes:
        session: the ``sagemaker.core.workflow.pipeline_context.PipelineSession`` to pass to every
            SDK object. It works offline: uploads are recorded, any other call is refused.
        role: ARN of the execution role.
        bucket: name of the artifact bucket; also the session's default bucket.
        region: the AWS Region the stack is deployed to, for example ``eu-west-1``.
        account: the 12-digit AWS account id.
        partition: the AWS partition of the Region, for example ``aws``.
        pipeline_name: the physical name of the pipeline; give it to ``Pipeline(name=...)``.
        values: what the construct was given; read it with ``value(name)``.
        values_read: the names that were asked for so far.
        answers: what AWS calls are answered with; add to it with ``answer_from(file)``.
    """

    session: Any
    role: str
    bucket: str
    region: str
    account: str
    partition: str
    pipeline_name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    values_read: set[str] = field(default_factory=set, repr=False)
    answers: list[Answer] = field(default_factory=list, repr=False)

    def value(self, name: str) -> Any:
        """Return what the construct was given under ``name`` in ``values={...}``.

        A value that holds a CDK token comes as a placeholder string, anything else as it is.

        Raises:
            KeyError: no such value; the message lists those there are.
        """
        self.values_read.add(name)
        if name not in self.values:
            known = ", ".join(sorted(self.values)) or "none"
            raise KeyError(f"no value named {name!r} was given to the construct; values given: {known}")
        return self.values[name]

    def answer_from(self, file: str | PathLike[str]) -> None:
        """Answer AWS calls that only read from a file, in the place of AWS, from now on.

        Classes of the SDK such as ``SFTTrainer`` ask AWS for what they write into the definition. What AWS
        says is recorded once, kept in the project, and counts as a file that the build function has read.
        The file has a JSON list with an object for each call::

            [{"call": "sagemaker:DescribeHubContent",
              "parameters": {"HubName": "SageMakerPublicHub", "HubContentType": "Model",
                             "HubContentName": "meta-textgeneration-llama-3-2-1b-instruct"},
              "answer": "llama.json"}]

        ``call`` is the service and the operation as boto3 names them, one whose name begins with
        ``Describe``, ``Get`` or ``List``. ``parameters`` are those of the call. ``answer`` is what the AWS
        CLI prints for it, or the path of a file that has it, relative to this one; for ``s3:GetObject``, the
        path of a file with the object's content.

        Args:
            file: the path of the file, relative to the working directory of the synth.

        Raises:
            AnswersError: the file cannot be read, or an answer does not have the shape that botocore knows;
                the message names the file, the entry and the member.
        """
        self.answers.extend(read_answers(file))
