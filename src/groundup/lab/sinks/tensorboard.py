"""TensorBoard's event files: one for each run, in a folder of its own.

Exactly once: the size of the file that belongs to the cursor is noted with it, and what was written beyond it before we were killed
is cut off. A run that goes on says from which step, and TensorBoard drops what it has beyond. Values are float32 there.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..formats import Point, Row
from .outbox import SinkError

PNG = b"\x89PNG\r\n\x1a\n"


class TensorBoard:
    """Event files below a folder, as the Sink of outbox.py."""

    rewinds = True

    def __init__(self, folder: Path) -> None:
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise SinkError("TensorBoard is not installed: pip install 'groundup[tensorboard]'") from None
        self.folder = Path(folder).absolute()
        self.key = f"tensorboard {self.folder}"
        self._file: BinaryIO | None = None

    def start(self, row: Row, state: dict[str, Any]) -> bool:
        """Opens the run's file, cut to what the cursor stands for; false if it is shorter, or gone."""
        path = self.folder / row.name / f"events.out.tfevents.{int(row.begun)}.groundup"
        size = state.get("size")
        if size is not None:
            if not path.exists() or path.stat().st_size < size:
                return False
            self._file = path.open("r+b")
            self._file.truncate(size)
            self._file.seek(0, os.SEEK_END)
            return True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as problem:
            raise SinkError(f"{path} cannot be written ({problem.strerror}): choose another folder") from None
        self._write(row.begun, file_version="brain.Event:2")
        return True

    def params(self, row: Row, values: Mapping[str, Any], state: dict[str, Any]) -> None:
        """As the hyperparameters of the HPARAMS tab."""
        from google.protobuf import struct_pb2
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        info = plugin_data_pb2.SessionStartInfo(group_name=row.name, start_time_secs=row.begun)
        for name, value in values.items():
            if isinstance(value, bool):
                info.hparams[name].CopyFrom(struct_pb2.Value(bool_value=value))
            elif isinstance(value, (int, float)):
                info.hparams[name].CopyFrom(struct_pb2.Value(number_value=value))
            else:
                info.hparams[name].CopyFrom(struct_pb2.Value(string_value=str(value)))
        data = plugin_data_pb2.HParamsPluginData(session_start_info=info, version=metadata.PLUGIN_DATA_VERSION)
        self._hparams(row.begun, metadata.SESSION_START_INFO_TAG, data)

    def rewind(self, row: Row, step: int, state: dict[str, Any]) -> None:
        """TensorBoard drops what it has of later steps."""
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._write(time.time(), step=step + 1, session_log=SessionLog(status=SessionLog.START))
        state["last"] = min(state.get("last", 0), max(step, 0))

    def metrics(self, row: Row, points: Sequence[Point], state: dict[str, Any]) -> None:
        """As scalars."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        for point in points:
            value = Summary.Value(tag=point.name, simple_value=point.value)
            self._write(point.time, step=point.step, summary=Summary(value=[value]))
            state["last"] = max(state.get("last", 0), point.step)

    def artifact(self, row: Row, name: str, path: Path, state: dict[str, Any]) -> None:
        """A PNG as an image; TensorBoard has no place for another file."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        content = path.read_bytes() if path.suffix == ".png" else b""
        if content.startswith(PNG):
            width, height = struct.unpack(">II", content[16:24])
            image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=content)
            summary = Summary(value=[Summary.Value(tag=path.stem, image=image)])
            self._write(time.time(), step=state.get("last", 0), summary=summary)

    def status(self, row: Row, attempt: int, state: dict[str, Any]) -> None:
        """The final metrics, and in the HPARAMS tab whether it ended well."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        if row.status == "running":
            return
        now = row.begun + (row.seconds or 0.0)
        for name, number in row.result.items():
            value = Summary.Value(tag=f"final/{name}", simple_value=number)
            self._write(now, step=state.get("last", 0), summary=Summary(value=[value]))
        told = {"finished": "STATUS_SUCCESS", "pruned": "STATUS_SUCCESS"}.get(row.status, "STATUS_FAILURE")
        info = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value(told), end_time_secs=now)
        data = plugin_data_pb2.HParamsPluginData(session_end_info=info, version=metadata.PLUGIN_DATA_VERSION)
        self._hparams(now, metadata.SESSION_END_INFO_TAG, data)

    def safe(self, state: dict[str, Any]) -> bool:
        """On the disk; and how long the file is now."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        state["size"] = self._file.tell()
        return True

    def finish(self, row: Row, state: dict[str, Any]) -> None:
        """Closes the file."""
        self.safe(state)
        assert self._file is not None
        self._file.close()
        self._file = None

    def _write(self, wall_time: float, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        RecordWriter(self._file).write(Event(wall_time=wall_time, **fields).SerializeToString())

    def _hparams(self, wall_time: float, tag: str, data: Any) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.plugins.hparams import metadata

        plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString())
        value = Summary.Value(tag=tag, tensor=metadata.NULL_TENSOR, metadata=SummaryMetadata(plugin_data=plugin))
        self._write(wall_time, summary=Summary(value=[value]))
