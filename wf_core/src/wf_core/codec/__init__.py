"""Documents and the model: reading with every fault at once, writing, status, JSON Schema."""

from wf_core.codec.checks import advice, faults
from wf_core.codec.reading import read, with_parameters
from wf_core.codec.schema import Schema, schema, struct_schema, task_schema
from wf_core.codec.status import read_resource, stored_document, to_status
from wf_core.codec.tasks import task_faults
from wf_core.codec.writing import dump, dump_plain, to_document

__all__ = [
    "Schema",
    "advice",
    "dump",
    "dump_plain",
    "faults",
    "read",
    "read_resource",
    "schema",
    "stored_document",
    "struct_schema",
    "task_faults",
    "task_schema",
    "to_document",
    "to_status",
    "with_parameters",
]
