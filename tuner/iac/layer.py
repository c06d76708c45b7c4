"""A layer of a template: a folder whose files Lambda would put below /opt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tuner.iac.code import build_method
from tuner.iac.folder import asset, local_files
from tuner.iac.template import TemplateLayer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.document import Place

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


def read_layer(
    logical_id: str, key: Place, places: Mapping[str, Place], metadata: Place | None
) -> TemplateLayer:
    """Return a layer; SAM calls its folder ContentUri, CloudFormation Content."""
    name_place = places.get("LayerName", key)
    name = name_place.text("LayerName")
    if not _NAME.fullmatch(name):
        name_place.refuse("a layer's name has at most 140 letters, digits, hyphens and underscores")
    folder = asset(metadata) or _content(logical_id, key, places)
    return TemplateLayer(logical_id, name, folder, key.line, build_method(metadata))


def _content(logical_id: str, key: Place, places: Mapping[str, Place]) -> Path:
    what = "Content" if "Content" in places else "ContentUri"
    if what not in places:
        key.refuse(f"{logical_id} has no ContentUri, which is needed")
    return local_files(places[what], what)


def layer_arn(name: str, region: str, account_id: str) -> str:
    """Return the ARN of a layer's first version: a template makes one of each."""
    return f"arn:aws:lambda:{region}:{account_id}:layer:{name}:1"
