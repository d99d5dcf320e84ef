import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from harness import ALL, LOCATION, TRIED, create, main, rows, vended
from pyarrow.fs import S3FileSystem

PATH = LOCATION.removeprefix("s3://")


def files(token=TRIED):
    config = vended(token)
    return S3FileSystem(
        access_key=config["s3.access-key-id"],
        secret_key=config["s3.secret-access-key"],
        session_token=config["s3.session-token"],
        endpoint_override=config["s3.endpoint"],
        region="us-east-1",
    )


def a_file():
    create()
    pq.write_table(rows(), f"{PATH}/data/f.parquet", filesystem=files(ALL))


def write_dataset(create_dir):
    return lambda _: ds.write_dataset(
        rows(), f"{PATH}/data", format="parquet", filesystem=files(), create_dir=create_dir
    )


main(
    pa.__version__,
    {
        "read-file": (a_file, lambda _: pq.read_table(f"{PATH}/data/f.parquet", filesystem=files())),
        "read-directory": (a_file, lambda _: ds.dataset(f"{PATH}/data", filesystem=files()).to_table()),
        "read-location": (a_file, lambda _: ds.dataset(PATH, filesystem=files(), format="parquet")),
        "write-table": (
            create,
            lambda _: pq.write_table(rows(), f"{PATH}/data/g.parquet", filesystem=files()),
        ),
        "write-dataset": (create, write_dataset(True)),
        "write-dataset-no-create-dir": (create, write_dataset(False)),
        "delete-directory": (a_file, lambda _: files().delete_dir(f"{PATH}/data")),
    },
)
