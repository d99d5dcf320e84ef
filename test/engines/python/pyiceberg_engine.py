import pyiceberg
import pyarrow as pa
from harness import ALL, TABLE, TRIED, catalog, create, create_with_rows, main, rows, table
from pyiceberg.expressions import EqualTo


def nothing():
    return None


def two_snapshots():
    created = create_with_rows()
    created.append(rows(10))


def expire(_):
    loaded = table()
    old = loaded.metadata.snapshots[0].snapshot_id
    loaded.maintenance.expire_snapshots().by_id(old).commit()


def read(_):
    assert table().scan(row_filter="id < 5").to_arrow().num_rows == 5


main(
    pyiceberg.__version__,
    {
        "create": (nothing, lambda _: catalog(TRIED).create_table(("ns", TABLE), rows().schema)),
        "first-append": (create, lambda _: table().append(rows())),
        "append": (create_with_rows, lambda _: table().append(rows(10))),
        "read": (create_with_rows, read),
        "inspect": (create_with_rows, lambda _: table().inspect.files()),
        "delete-rows": (create_with_rows, lambda _: table().delete(EqualTo("id", 3))),
        "overwrite": (create_with_rows, lambda _: table().overwrite(rows(20))),
        "upsert": (create_with_rows, lambda _: table().upsert(rows(5), join_cols=["id"])),
        "expire-snapshots": (two_snapshots, expire),
        "drop-purge": (create_with_rows, lambda _: catalog(TRIED).purge_table(("ns", TABLE))),
    },
)
