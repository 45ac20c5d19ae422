"""Images, files, audio and video as placeholders: what they are, where they are or how large, never their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_sessions.content.json_values import clean_text, decoded_size, is_list, is_object
from otel_sessions.content.message import Media

MODALITIES: Final = ("image", "audio", "video", "document", "file")
_MODALITY: Final = ("modality",)
_MIME_TYPE: Final = ("mime_type", "mimeType", "media_type", "mediaType", "image_mimetype", "contentType", "format")
_URI: Final = ("uri", "url", "file_uri", "fileUri", "file_id", "fileId", "image_url", "video_url")
_DATA: Final = (
    *("data", "bytes", "base64", "base64_image", "file_data", "content", "source", "image", "audio", "video", "file"),
    *("input_audio", "document"),
)
"""Members that hold the bytes, a `data:` URI or an address; those that hold an object are searched as well."""

_NESTED: Final = 4
_MEMBERS: Final = 64
_REMOTE: Final = ("http://", "https://", "gs://", "s3://", "file:", "azblob://")
_WORDS: Final = {"pdf": "document", "text": "document", "input_file": "file"}


def media_of(block: Mapping[Any, Any], kind: str) -> Media:
    """The placeholder for a block.

    Args:
        block: as any provider writes it.
        kind: its type, such as `image_url`: what it is where nothing else says so.
    """
    found = _Found()
    found.search(block, _NESTED)
    mime_type = found.mime_type
    modality = _modality(found.modality, mime_type, kind)
    if mime_type is not None and "/" not in mime_type:
        mime_type = f"{modality}/{mime_type}" if modality in ("image", "audio", "video") else f"application/{mime_type}"
    return Media(modality, mime_type, found.uri, None if found.uri is not None else found.size)


class _Found:
    """What the members of a block tell."""

    def __init__(self) -> None:
        self.modality: str | None = None
        self.mime_type: str | None = None
        self.uri: str | None = None
        self.size: int | None = None

    def search(self, block: Mapping[Any, Any], deep: int) -> None:
        self.modality = self.modality or _text(block, _MODALITY)
        self.mime_type = self.mime_type or _text(block, _MIME_TYPE)
        for name in (*_URI, *_DATA):
            value = block.get(name)
            if isinstance(value, str) and value:
                self._take(value, is_address=name in _URI)
            elif self.size is None and name in ("data", "bytes") and (isinstance(value, bytes) or is_list(value)):
                self.size = len(value)
        if deep:
            for value in list(block.values())[:_MEMBERS]:
                if is_object(value):
                    self.search(value, deep - 1)

    def _take(self, value: str, *, is_address: bool) -> None:
        if value.startswith("data:"):
            head, _, encoded = value[5:].partition(",")
            self.mime_type = self.mime_type or head.partition(";")[0] or None
            self.size = decoded_size(encoded) if head.endswith(";base64") else len(encoded)
        elif is_address or value.startswith(_REMOTE):
            self.uri = self.uri or clean_text(value)
        elif self.size is None:
            self.size = decoded_size(value)


def _text(block: Mapping[Any, Any], names: Sequence[str]) -> str | None:
    return next((found for name in names if isinstance(found := block.get(name), str) and found), None)


def _modality(said: str | None, mime_type: str | None, kind: str) -> str:
    for word in (said or "", (mime_type or "").partition("/")[0], kind):
        for modality in MODALITIES:
            if modality in word.lower():
                return modality
        if word in _WORDS:
            return _WORDS[word]
        if word == "application":
            return "document" if mime_type == "application/pdf" else "file"
    return "file"
