"""Snowflake's types of objects in a schema, by the word that SQL has for them: which resource types make them."""

from __future__ import annotations

from collections.abc import Mapping

TABLE = "snowflake:index/table:Table"
VIEW = "snowflake:index/view:View"
DYNAMIC_TABLE = "snowflake:index/dynamicTable:DynamicTable"
STREAM = "snowflake:index/streamOnTable:StreamOnTable"
TASK = "snowflake:index/task:Task"
PROCEDURE = "snowflake:index/procedureSql:ProcedureSql"
PIPE = "snowflake:index/pipe:Pipe"
TAG = "snowflake:index/tag:Tag"
MASKING_POLICY = "snowflake:index/maskingPolicy:MaskingPolicy"
ROW_ACCESS_POLICY = "snowflake:index/rowAccessPolicy:RowAccessPolicy"
AUTHENTICATION_POLICY = "snowflake:index/authenticationPolicy:AuthenticationPolicy"
NETWORK_RULE = "snowflake:index/networkRule:NetworkRule"
STREAMLIT = "snowflake:index/streamlit:Streamlit"

STAGES = (
    "snowflake:index/stageExternalS3:StageExternalS3",
    "snowflake:index/stageInternal:StageInternal",
    "snowflake:index/stage:Stage",
    "snowflake:index/stageExternalAzure:StageExternalAzure",
    "snowflake:index/stageExternalGcs:StageExternalGcs",
    "snowflake:index/stageExternalS3Compatible:StageExternalS3Compatible",
)
FILE_FORMATS = (
    "snowflake:index/fileFormatCsv:FileFormatCsv",
    "snowflake:index/fileFormatJson:FileFormatJson",
    "snowflake:index/fileFormatParquet:FileFormatParquet",
    "snowflake:index/fileFormatAvro:FileFormatAvro",
    "snowflake:index/fileFormatOrc:FileFormatOrc",
    "snowflake:index/fileFormatXml:FileFormatXml",
    "snowflake:index/fileFormat:FileFormat",
)
TABLE_LIKE = (TABLE, DYNAMIC_TABLE, VIEW)
"""Tables, dynamic tables and views take their names from one set."""

SCHEMA_OBJECT_TYPES: Mapping[str, tuple[str, ...]] = {
    "TABLE": (TABLE, DYNAMIC_TABLE),
    "DYNAMIC TABLE": (DYNAMIC_TABLE,),
    "VIEW": (VIEW,),
    "STREAM": (
        STREAM,
        "snowflake:index/streamOnView:StreamOnView",
        "snowflake:index/streamOnDirectoryTable:StreamOnDirectoryTable",
    ),
    "TASK": (TASK,),
    "PROCEDURE": (PROCEDURE,),
    "PIPE": (PIPE,),
    "STAGE": STAGES,
    "FILE FORMAT": FILE_FORMATS,
    "TAG": (TAG,),
    "MASKING POLICY": (MASKING_POLICY,),
    "ROW ACCESS POLICY": (ROW_ACCESS_POLICY,),
    "AUTHENTICATION POLICY": (AUTHENTICATION_POLICY,),
    "NETWORK RULE": (NETWORK_RULE,),
    "STREAMLIT": (STREAMLIT,),
}


def rivals(token: str, family: tuple[str, ...]) -> tuple[str, ...]:
    """The other types of a family whose names are one set."""
    return tuple(other for other in family if other != token)
