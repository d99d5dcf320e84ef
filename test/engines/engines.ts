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
}

export interface Engine {
  readonly runs: "python" | "java";
  /** The program in test/engines/python. */
  readonly program?: string;
  readonly title: string;
  /** Only run when its name is given. */
  readonly byName?: boolean;
}

export const engines: Readonly<Record<string, Engine>> = {
  pyiceberg: { runs: "python", program: "pyiceberg_engine.py", title: "PyIceberg" },
  duckdb: { runs: "python", program: "duckdb_engine.py", title: "DuckDB" },
  polars: { runs: "python", program: "polars_engine.py", title: "Polars" },
  pyarrow: { runs: "python", program: "pyarrow_engine.py", title: "pyarrow" },
  java: { runs: "java", title: "Iceberg's Java API, S3FileIO," },
};

/** Engines that are known and not run here, with the reason. */
export const notRun: Readonly<Record<string, string>> = {
  spark: "this command does not run it yet; docs/engines.md says what it was seen to do",
  s3a: "this command does not run it yet; docs/engines.md says what it was seen to do",
  trino: "its server's archive is not on Maven Central",
  flink: "this command does not run it yet; docs/engines.md says what it was seen to do",
};

const operation = (
  engine: string,
  operation: string,
  needs: readonly Access[] | undefined,
  without: EngineOperation["without"] = {},
): EngineOperation => ({ engine, operation, needs, without });

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
];
