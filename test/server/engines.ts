/**
 * The requests that engines make of S3 for what they do to an Iceberg table, and the accesses that
 * these need. docs/engines.md shows the same table.
 */
import type { Operation } from "./client.ts";

export type Access = "read" | "list" | "write" | "delete";

export interface EngineOperation {
  readonly engine: "Iceberg S3FileIO" | "Trino native S3" | "DuckDB httpfs";
  readonly operation: string;
  /** Just these, and no other. */
  readonly needs: readonly Access[];
  /** In their order: what is sent, and the key or prefix below the table. */
  readonly requests: readonly (readonly [Operation, string])[];
}

const METADATA = "metadata/00001-b1f0.metadata.json";
const LIST = "metadata/snap-3055729675574597004-1-c87bfec7.avro";
const MANIFEST = "metadata/c87bfec7-m0.avro";
const DATA = "data/day=2026-11-24/00000-0-f.parquet";
const DELETES = "data/day=2026-11-24/00000-0-f-deletes.parquet";
const TABLE = "";

/** From metadata to data, as every reader of a table goes. */
const scan = (data: readonly (readonly [Operation, string])[]) =>
  [["GetObject", METADATA], ["GetObject", LIST], ["GetObject", MANIFEST], ...data] as const;
const commit = [
  ["PutObject", MANIFEST],
  ["PutObject", LIST],
  ["PutObject", METADATA],
] as const;

export const engineOperations: readonly EngineOperation[] = [
  {
    engine: "Iceberg S3FileIO",
    operation: "create table",
    needs: ["write"],
    requests: [["PutObject", METADATA]],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "append",
    needs: ["read", "write"],
    requests: [
      ["GetObject", METADATA],
      ["PutObject", DATA],
      ["MultipartUpload", DATA],
      ["GetObject", LIST],
      ...commit,
    ],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "read",
    needs: ["read"],
    requests: scan([
      ["HeadObject", DATA],
      ["GetRange", DATA],
      ["GetRange", DELETES],
    ]),
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "delete rows",
    needs: ["read", "write"],
    requests: [...scan([["GetRange", DATA]]), ["PutObject", DELETES], ...commit],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "abort a failed write",
    needs: ["write", "delete"],
    requests: [
      ["PutObject", DATA],
      ["DeleteObject", DATA],
    ],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "expire snapshots",
    needs: ["read", "write", "delete"],
    requests: [
      ...scan([]),
      ["PutObject", METADATA],
      ["DeleteObjects", DATA],
      ["DeleteObjects", MANIFEST],
      ["DeleteObjects", LIST],
    ],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "remove orphan files",
    needs: ["read", "list", "delete"],
    requests: [["ListObjects", TABLE], ...scan([]), ["DeleteObjects", DATA]],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "list a folder",
    needs: ["list"],
    requests: [["ListFolders", "data/"]],
  },
  {
    engine: "Iceberg S3FileIO",
    operation: "purge",
    needs: ["read", "delete"],
    requests: [
      ...scan([]),
      ["DeleteObjects", DATA],
      ["DeleteObjects", MANIFEST],
      ["DeleteObjects", LIST],
      ["DeleteObject", METADATA],
    ],
  },
  {
    engine: "Trino native S3",
    operation: "create table",
    needs: ["list", "write"],
    requests: [
      ["ListObjects", TABLE],
      ["PutObject", METADATA],
    ],
  },
  {
    engine: "Trino native S3",
    operation: "append",
    needs: ["read", "write"],
    requests: [...scan([]), ["PutObject", DATA], ["MultipartUpload", DATA], ...commit],
  },
  {
    engine: "Trino native S3",
    operation: "read",
    needs: ["read"],
    requests: [["HeadObject", METADATA], ...scan([["GetRange", DATA]])],
  },
  {
    engine: "Trino native S3",
    operation: "delete rows",
    needs: ["read", "write"],
    requests: [...scan([["GetRange", DATA]]), ["PutObject", DELETES], ...commit],
  },
  {
    engine: "Trino native S3",
    operation: "expire snapshots",
    needs: ["read", "write", "delete"],
    requests: [...scan([]), ["PutObject", METADATA], ["DeleteObjects", DATA]],
  },
  {
    engine: "Trino native S3",
    operation: "remove orphan files",
    needs: ["read", "list", "delete"],
    requests: [
      ...scan([]),
      ["ListObjects", "data/"],
      ["ListObjects", "metadata/"],
      ["DeleteObjects", DATA],
    ],
  },
  {
    engine: "Trino native S3",
    operation: "drop table and its files",
    needs: ["read", "list", "delete"],
    requests: [
      ...scan([]),
      ["ListObjects", TABLE],
      ["DeleteObjects", DATA],
      ["DeleteObjects", METADATA],
    ],
  },
  {
    engine: "DuckDB httpfs",
    operation: "read",
    needs: ["read"],
    requests: [
      ["HeadObject", METADATA],
      ["GetRange", METADATA],
      ["HeadObject", MANIFEST],
      ["GetRange", MANIFEST],
      ["HeadObject", DATA],
      ["GetRange", DATA],
    ],
  },
  {
    engine: "DuckDB httpfs",
    operation: "read files by a glob",
    needs: ["read", "list"],
    requests: [
      ["ListObjects", "data/"],
      ["HeadObject", DATA],
      ["GetRange", DATA],
    ],
  },
  {
    engine: "DuckDB httpfs",
    operation: "append",
    needs: ["read", "write"],
    requests: [
      ["HeadObject", LIST],
      ["GetRange", LIST],
      ["MultipartUpload", DATA],
      ["MultipartUpload", MANIFEST],
      ["MultipartUpload", LIST],
    ],
  },
];
