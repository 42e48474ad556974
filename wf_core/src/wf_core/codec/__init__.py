"""Documents and the model: reading with every fault at once, writing, status, JSON Schema."""

from wf_core.codec.bounds import ceiling_faults, floor_advice
from wf_core.codec.checks import advice, faults, lacking
from wf_core.codec.reading import read, read_document, with_parameters
from wf_core.codec.schedule_status import (
    read_schedule_status,
    schedule_status,
    stored_schedule_document,
)
from wf_core.codec.schema import DocumentKind, Schema, schema, struct_schema
from wf_core.codec.status import read_resource, stored_document, to_status
from wf_core.codec.tasks import task_faults
from wf_core.codec.writing import dump, dump_plain, to_document

__all__ = [
    "DocumentKind",
    "Schema",
    "advice",
    "ceiling_faults",
    "dump",
    "dump_plain",
    "faults",
    "floor_advice",
    "lacking",
    "read",
    "read_document",
    "read_resource",
    "read_schedule_status",
    "schedule_status",
    "schema",
    "stored_document",
    "stored_schedule_document",
    "struct_schema",
    "task_faults",
    "to_document",
    "to_status",
    "with_parameters",
]
