/**
 * The operations that are run, the least accesses that each needs, and what happens without one of
 * them. `npm run test:engines` tells where this is wrong.
 */
export const ACCESSES = ["read", "list", "write", "delete"] as const;
export type Access = (typeof ACCESSES)[number];

/** "silent": the operation reports success, and does not do all that it should. */
export type Outcome = "succeeds" | "fails" | "hangs" | "silent";

export interface EngineOperation {
  readonly engine: string;
  readonly operation: string;
  /** Just these, and no other; undefined if it fails with all four. */
  readonly needs: readonly Access[] | undefined;
  /** What happens without an access, where it is not that the operation fails. */
  readonly without?: Readonly<Partial<Record<Access, Outcome>>>;
  /** Whether its session's policy has the option barePaths. */
  readonly barePaths?: true;
}

export interface Engine {
  readonly runs: "python" | "java";
  /** The program in test/engines/python or test/engines/java. */
  readonly program: string;
  /** For Java, the file beside the program that pins its jars, and the oldest release that runs it. */
  readonly jars?: string;
  readonly release?: number;
  readonly title: string;
  /** Only run when its name is given. */
  readonly byName?: boolean;
}

export const engines: Readonly<Record<string, Engine>> = {
  pyiceberg: { runs: "python", program: "pyiceberg_engine.py", title: "PyIceberg" },
  duckdb: { runs: "python", program: "duckdb_engine.py", title: "DuckDB" },
  polars: { runs: "python", program: "polars_engine.py", title: "Polars" },
  pyarrow: { runs: "python", program: "pyarrow_engine.py", title: "pyarrow" },
  java: {
    runs: "java",
    program: "JavaApi",
    jars: "pom.xml",
    title: "Iceberg's Java API, S3FileIO,",
  },
  spark: {
    runs: "java",
    program: "SparkIceberg",
    jars: "spark.xml",
    title: "Spark, S3FileIO,",
    byName: true,
  },
  s3a: {
    runs: "java",
    program: "SparkS3A",
    jars: "s3a.xml",
    title: "Spark, parquet on S3A,",
    byName: true,
  },
  flink: {
    runs: "java",
    program: "FlinkIceberg",
    jars: "flink.xml",
    title: "Flink, S3FileIO,",
    byName: true,
  },
  trino: {
    runs: "java",
    program: "TrinoIceberg",
    jars: "trino.xml",
    release: 25,
    title: "Trino",
    byName: true,
  },
};

const operation = (
  engine: string,
  operation: string,
  needs: readonly Access[] | undefined,
  without: EngineOperation["without"] = {},
  more: Pick<EngineOperation, "barePaths"> = {},
): EngineOperation => ({ engine, operation, needs, without, ...more });

export const engineOperations: readonly EngineOperation[] = [
  operation("pyiceberg", "create", []),
  operation("pyiceberg", "first-append", ["read", "write"]),
  operation("pyiceberg", "append", ["read", "write"]),
  operation("pyiceberg", "read", ["read"]),
  operation("pyiceberg", "inspect", ["read"]),
  operation("pyiceberg", "delete-rows", ["read", "write"]),
  operation("pyiceberg", "overwrite", ["read", "write"]),
  operation("pyiceberg", "upsert", ["read", "write"]),
  operation("pyiceberg", "expire-snapshots", []),
  operation("pyiceberg", "drop-purge", []),
  operation("duckdb", "read", ["read"]),
  operation("duckdb", "create-table-as", ["read", "write"]),
  operation("duckdb", "first-insert", ["read", "write"]),
  operation("duckdb", "insert", ["read", "write"]),
  operation("duckdb", "delete-rows", ["read", "write"]),
  operation("duckdb", "rollback", ["read", "write", "delete"]),
  operation("duckdb", "read-file", ["read"]),
  operation("duckdb", "read-glob", ["read", "list"]),
  operation("duckdb", "copy-to-file", ["write"]),
  operation("duckdb", "copy-partitioned", ["list", "write"]),
  operation("polars", "scan-iceberg", ["read"]),
  operation("polars", "write-iceberg", ["read", "write"]),
  operation("polars", "read-file", ["read"]),
  operation("polars", "read-glob", ["read", "list"]),
  operation("polars", "write-file", ["write"]),
  operation("pyarrow", "read-file", ["read"]),
  operation("pyarrow", "read-directory", ["read", "list"]),
  operation("pyarrow", "read-location", undefined),
  operation("pyarrow", "write-table", ["write"]),
  operation("pyarrow", "write-dataset", undefined),
  operation("pyarrow", "write-dataset-no-create-dir", ["list", "write"], { list: "silent" }),
  operation("pyarrow", "delete-directory", ["list", "write", "delete"]),
  operation("java", "create", []),
  operation("java", "first-append", ["read", "write"], { read: "silent" }),
  operation("java", "append", ["read", "write"]),
  operation("java", "read", ["read"]),
  operation("java", "delete-files", ["read", "write"]),
  operation("java", "delete-rows-format-v3", ["read", "list", "write"]),
  operation("java", "write-statistics", ["list", "write"]),
  operation("java", "expire-snapshots", ["read", "delete"], { read: "silent", delete: "silent" }),
  operation("java", "list-prefix", ["list"]),
  operation("java", "list-prefix-without-slash", undefined),
  operation("java", "delete-prefix", ["list", "delete"]),
  operation("java", "drop-purge", []),
  operation("spark", "create", []),
  operation("spark", "create-table-as", ["read", "write"], { read: "silent" }),
  operation("spark", "first-append", ["read", "write"], { read: "silent" }),
  operation("spark", "append", ["read", "write"]),
  operation("spark", "read", ["read"]),
  operation("spark", "delete-rows", ["read", "write"]),
  operation("spark", "update", ["read", "write"]),
  operation("spark", "overwrite", ["read", "write"]),
  operation("spark", "merge", ["read", "write"]),
  operation("spark", "delete-rows-format-v3", ["read", "list", "write"]),
  operation("spark", "rewrite-data-files", ["read", "write"]),
  operation("spark", "rewrite-manifests", ["read", "write"]),
  operation("spark", "compute-table-stats", ["read", "list", "write"]),
  operation("spark", "expire-snapshots", ["read", "delete"], { delete: "silent" }),
  operation("spark", "remove-orphan-files-prefix-listing", ["read", "list", "delete"], {
    delete: "silent",
  }),
  operation("spark", "alter", []),
  operation("spark", "rollback", []),
  operation("spark", "drop", []),
  operation("spark", "drop-purge", ["read", "delete"], { delete: "silent" }),
  operation("s3a", "read", undefined),
  operation("s3a", "append", undefined),
  operation("s3a", "read-with-barePaths", ["read", "list"], {}, { barePaths: true }),
  operation(
    "s3a",
    "append-with-barePaths",
    ["read", "list", "write", "delete"],
    {},
    { barePaths: true },
  ),
  operation("flink", "create", []),
  operation("flink", "first-append", ["read", "write", "delete"], { delete: "silent" }),
  operation("flink", "append", ["read", "write", "delete"], { delete: "silent" }),
  operation("flink", "read", ["read"]),
  operation("flink", "upsert", ["read", "write", "delete"], { delete: "silent" }),
  operation("flink", "overwrite", ["read", "write", "delete"], { delete: "silent" }),
  operation("flink", "drop", []),
  operation("trino", "create", ["read", "write"], { read: "silent" }),
  operation("trino", "create-with-location", ["list", "write"]),
  operation("trino", "create-table-as", ["read", "write"], { read: "silent" }),
  operation("trino", "first-append", ["read", "write"]),
  operation("trino", "append", ["read", "write"]),
  operation("trino", "read", ["read"]),
  operation("trino", "delete-rows", ["read", "write"]),
  operation("trino", "merge", ["read", "write"]),
  operation("trino", "optimize", ["read", "write"]),
  operation("trino", "analyze", ["read", "write"]),
  operation("trino", "expire-snapshots", ["read", "delete"], { read: "silent", delete: "silent" }),
  operation("trino", "remove-orphan-files", ["read", "list", "delete"]),
  operation("trino", "drop", []),
];
