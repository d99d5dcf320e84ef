"""Runs one operation of an engine: prepares the table, waits for "go", and runs it."""

import json
import os
import sys
import traceback
import urllib.request

URL, CATALOG, TABLE = os.environ["CATALOG_URL"], "wh", os.environ["TABLE"]
# A session with all accesses prepares; the session with the accesses to be tried runs the operation.
ALL, TRIED = os.environ["TOKEN_ALL"], os.environ["TOKEN"]
LOCATION = f"s3://lake/wh/ns/{TABLE}"


def catalog(token):
    from pyiceberg.catalog.rest import RestCatalog

    return RestCatalog(CATALOG, uri=URL, warehouse=CATALOG, token=token)


def rows(start=0, count=10):
    import pyarrow as pa

    ids = range(start, start + count)
    return pa.table({"id": pa.array(ids, pa.int64()), "name": [f"n{i}" for i in ids]})


def create(properties={}):
    return catalog(ALL).create_table(("ns", TABLE), rows().schema, properties=properties)


def create_with_rows(properties={}):
    table = create(properties)
    table.append(rows())
    return table


def table(token=TRIED):
    return catalog(token).load_table(("ns", TABLE))


def vended(token):
    """The properties that the catalog vends for the table."""
    request = urllib.request.Request(
        f"{URL}/v1/{CATALOG}/namespaces/ns/tables/{TABLE}",
        headers={
            "Authorization": f"Bearer {token}",
            "X-Iceberg-Access-Delegation": "vended-credentials",
        },
    )
    return json.load(urllib.request.urlopen(request))["config"]


def main(version, operations):
    """`operations` maps a name to what prepares it and what runs it."""
    prepare, operation = operations[sys.argv[1]]
    state = prepare()
    print(f"READY {version}", flush=True)
    sys.stdin.readline()
    try:
        operation(state)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
