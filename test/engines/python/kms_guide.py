"""One step of the guide: KIND and ACTION as arguments, on one table that stays."""

import os
import sys
import traceback

import pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog

KIND, ACTION = sys.argv[1:]
URL, CATALOG, TABLE, TOKEN = (os.environ[name] for name in ["CATALOG_URL", "CATALOG", "TABLE", "TOKEN"])
ROWS = pa.table({"id": pa.array(range(5), pa.int64())})


def pyiceberg():
    catalog = RestCatalog(CATALOG, uri=URL, warehouse=CATALOG, token=TOKEN)
    if ACTION == "create":
        catalog.create_table(("ns", TABLE), ROWS.schema)
    elif ACTION == "insert":
        catalog.load_table(("ns", TABLE)).append(ROWS)
    else:
        assert catalog.load_table(("ns", TABLE)).scan().to_arrow().num_rows > 0


def duckdb():
    import importlib.util
    import pathlib

    import duckdb

    db = duckdb.connect()
    for name in ["avro", "httpfs", "iceberg"]:
        package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
        (file,) = package.glob(f"extensions/*/{name}.duckdb_extension")
        db.execute(f"LOAD '{file}'")
    db.execute(f"CREATE SECRET (TYPE iceberg, TOKEN '{TOKEN}')")
    db.execute(f"ATTACH '{CATALOG}' AS lake (TYPE iceberg, ENDPOINT '{URL}')")
    if ACTION == "create":
        db.execute(f"CREATE TABLE lake.ns.{TABLE} (id BIGINT)")
    elif ACTION == "insert":
        db.execute(f"INSERT INTO lake.ns.{TABLE} SELECT range FROM range(5)")
    else:
        assert len(db.execute(f"SELECT * FROM lake.ns.{TABLE}").fetchall()) > 0


try:
    {"pyiceberg": pyiceberg, "duckdb": duckdb}[KIND]()
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
os._exit(0)
