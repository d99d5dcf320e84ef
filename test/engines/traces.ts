/** What a run of an engine leaves: its requests in order, without ids. */
import type { Access, Outcome } from "./engines.ts";
import type { TracedRequest } from "./proxy.ts";

export interface Trace {
  readonly engine: string;
  readonly version: string;
  readonly operation: string;
  /** null if the operation fails with all four. */
  readonly accesses: readonly Access[] | null;
  readonly requests: readonly string[];
  readonly without: Readonly<Partial<Record<Access, Outcome>>>;
}

/** The requests in order, each kind once where it first occurs. */
export function shapeOf(requests: readonly TracedRequest[]): string[] {
  const shapes = requests.map(({ method, key, status }) => {
    const refused = status === 403 ? " (refused)" : "";
    return `${method} ${kindOf(method, key)}`.trim() + refused;
  });
  return [...new Set(shapes)];
}

/** What a key is in an Iceberg table, or in a folder of plain files. */
function kindOf(method: string, key: string): string {
  if (method.endsWith("bucket") || method === "batch delete") return "";
  const file = key.replace(/^wh\/ns\/[^/]+/, "");
  if (method === "LIST") return `prefix T${folderOf(file)}`;
  if (file === "") return "T, the location without a slash";
  if (file.endsWith("metadata.json")) return "metadata.json";
  if (/\/snap-[^/]*\.avro$/.test(file)) return "manifest list";
  if (file.endsWith(".avro")) return "manifest";
  if (file.endsWith(".stats") || file.endsWith("-stats.puffin")) return "statistics";
  if (file.endsWith(".puffin")) return "deletion vectors";
  if (/delete/.test(file)) return "delete file";
  return /\.\w+$/.test(file) ? "data" : "a folder's name without a slash";
}

/** The first folder of a prefix, without an id at the end of its name. */
function folderOf(prefix: string): string {
  const folders = prefix.replace(/[^/]*$/, "");
  return folders.replace(/^(\/[^/]+\/).*$/, "$1").replace(/-[0-9a-f]{8}-[^/]*(?=\/$)/, "");
}
