import polars as pl
from harness import ALL, LOCATION, TABLE, TRIED, create, create_with_rows, main, table, vended

FRAME = pl.DataFrame({"id": [1, 2, 3], "p": [0, 1, 0]})


def options(token=TRIED):
    config = vended(token)
    return {
        "aws_access_key_id": config["s3.access-key-id"],
        "aws_secret_access_key": config["s3.secret-access-key"],
        "aws_session_token": config["s3.session-token"],
        "aws_endpoint_url": config["s3.endpoint"],
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }


def a_file():
    create()
    FRAME.write_parquet(f"{LOCATION}/data/f.parquet", storage_options=options(ALL))


def read(path):
    return lambda _: pl.scan_parquet(f"{LOCATION}/{path}", storage_options=options()).collect()


main(
    pl.__version__,
    {
        "scan-iceberg": (create_with_rows, lambda _: pl.scan_iceberg(table(), storage_options=options()).collect()),
        "write-iceberg": (
            create_with_rows,
            lambda _: pl.DataFrame({"id": [90], "name": ["x"]}).write_iceberg(table(), mode="append"),
        ),
        "read-file": (a_file, read("data/f.parquet")),
        "read-glob": (a_file, read("data/*.parquet")),
        "write-file": (
            create,
            lambda _: FRAME.write_parquet(f"{LOCATION}/data/g.parquet", storage_options=options()),
        ),
    },
)
