"""The warnings of a stack, as the CDK CLI reads them.

Not through ``Annotations.find_warning``: jsii cannot hand out what it finds on every Python 3.11.
"""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import App, Stack


def warnings_of(stack: Stack, *, kind: str = "warning") -> list[str]:
    """Synthesize the stack's app and return the texts of its warnings, or of another kind, in order."""
    app = stack.node.root
    assert isinstance(app, App)
    folder = Path(app.synth().directory)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    artifact = manifest["artifacts"][stack.artifact_id]
    metadata = artifact.get("metadata", {})
    if "additionalMetadataFile" in artifact:
        metadata = json.loads((folder / artifact["additionalMetadataFile"]).read_text(encoding="utf-8"))
    return [
        str(entry["data"])
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == f"aws:cdk:{kind}"
    ]
