import importlib.util
import pathlib

import duckdb
from harness import ALL, CATALOG, LOCATION, TABLE, TRIED, URL, create, create_with_rows, main, vended

def connection():
    db = duckdb.connect()
    for name in ["avro", "httpfs", "iceberg"]:
        package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
        (file,) = package.glob(f"extensions/*/{name}.duckdb_extension")
        db.execute(f"LOAD '{file}'")
    return db


def attached(token=TRIED):
    db = connection()
    db.execute(f"CREATE SECRET (TYPE iceberg, TOKEN '{token}')")
    db.execute(f"ATTACH '{CATALOG}' AS lake (TYPE iceberg, ENDPOINT '{URL}')")
    return db


def with_files(token=TRIED):
    """A connection with the vended credentials, for plain files in the table's location."""
    config = vended(token)
    db = connection()
    db.execute(
        f"""CREATE SECRET (TYPE s3, KEY_ID '{config["s3.access-key-id"]}',
        SECRET '{config["s3.secret-access-key"]}', SESSION_TOKEN '{config["s3.session-token"]}',
        REGION 'us-east-1', URL_STYLE 'path', USE_SSL false,
        ENDPOINT '{config["s3.endpoint"].removeprefix("http://")}')"""
    )
    return db


def a_file():
    create()
    with_files(ALL).execute(f"COPY (FROM range(10)) TO '{LOCATION}/data/f.parquet'")


def on_table(sql):
    return lambda _: attached().execute(sql.format(f"lake.ns.{TABLE}")).fetchall()


def on_files(sql):
    return lambda _: with_files().execute(sql.format(LOCATION)).fetchall()


def rollback(_):
    db = attached()
    db.execute("BEGIN")
    db.execute(f"INSERT INTO lake.ns.{TABLE} VALUES (11, 'x')")
    db.execute("ROLLBACK")


V2 = "INSERT INTO {} VALUES (11, 'x')"
main(
    duckdb.__version__,
    {
        "read": (create_with_rows, on_table("SELECT count(name) FROM {}")),
        "create-table-as": (
            lambda: None,
            lambda _: attached().execute(
                f"CREATE TABLE lake.ns.{TABLE} AS SELECT range AS id FROM range(10)"
            ),
        ),
        "first-insert": (create, on_table(V2)),
        "insert": (create_with_rows, on_table(V2)),
        "delete-rows": (create_with_rows, on_table("DELETE FROM {} WHERE id = 3")),
        "rollback": (create_with_rows, rollback),
        "read-file": (a_file, on_files("SELECT count(*) FROM '{}/data/f.parquet'")),
        "read-glob": (a_file, on_files("SELECT count(*) FROM '{}/data/*.parquet'")),
        "copy-to-file": (create, on_files("COPY (FROM range(10)) TO '{}/data/g.parquet'")),
        "copy-partitioned": (
            create,
            on_files(
                "COPY (SELECT range AS id, range % 2 AS p FROM range(10)) TO '{}/data' (FORMAT parquet, PARTITION_BY (p))"
            ),
        ),
    },
)
