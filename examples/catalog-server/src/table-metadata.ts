/**
 * Iceberg's table metadata: a new table's, and what a commit makes of it.
 *
 * @see https://iceberg.apache.org/spec/#table-metadata-and-snapshots
 * @see https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml (TableUpdate, TableRequirement)
 */
import { randomUUID } from "node:crypto";
import { badRequest, conflict } from "./errors.js";
import { type Json, type JsonObject, same, stringify } from "./json.js";

/** The fields that this file reads; all others pass through. */
export interface TableMetadata extends JsonObject {
  "format-version": number;
  "table-uuid": string;
  location: string;
  "last-updated-ms": number;
  "last-column-id": number;
  schemas: JsonObject[];
  "partition-specs": JsonObject[];
  "sort-orders": JsonObject[];
  properties: { [key: string]: string };
  snapshots: JsonObject[];
  refs: { [name: string]: JsonObject };
  "snapshot-log": JsonObject[];
  "metadata-log": JsonObject[];
}

/** A new table before it has a schema; a staged table's commit starts here, too. */
export function emptyMetadata(location: string, now: number): TableMetadata {
  return {
    "format-version": 2,
    "table-uuid": randomUUID(),
    location,
    "last-sequence-number": 0,
    "last-updated-ms": now,
    "last-column-id": 0,
    "current-schema-id": -1,
    schemas: [],
    "default-spec-id": -1,
    "partition-specs": [],
    "last-partition-id": 999,
    "default-sort-order-id": -1,
    "sort-orders": [],
    properties: {},
    "current-snapshot-id": -1,
    refs: {},
    snapshots: [],
    statistics: [],
    "partition-statistics": [],
    "snapshot-log": [],
    "metadata-log": [],
  };
}

export interface NewTable {
  readonly location: string;
  readonly schema: JsonObject;
  readonly spec: JsonObject | undefined;
  readonly order: JsonObject | undefined;
  readonly properties: { [key: string]: string };
}

/** The metadata of a new table. Columns get ids from 1, as engines send ids of their own. */
export function newMetadata(table: NewTable, now: number): TableMetadata {
  const { "format-version": version = "2", ...updates } = table.properties;
  const ids = new Map<string, number>();
  const schema = withNewIds(table.schema, ids);
  const withSources = (part: JsonObject | undefined): JsonObject => {
    const fields = objects(part?.["fields"]).map(({ "field-id": _, ...field }) => {
      return { ...field, "source-id": ids.get(String(field["source-id"])) ?? null };
    });
    return { ...part, fields };
  };
  return applyUpdates(
    emptyMetadata(table.location, now),
    [
      { action: "upgrade-format-version", "format-version": Number(version) },
      { action: "add-schema", schema },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "add-spec", spec: withSources(table.spec) },
      { action: "set-default-spec", "spec-id": -1 },
      { action: "add-sort-order", "sort-order": withSources(table.order) },
      { action: "set-default-sort-order", "sort-order-id": -1 },
      { action: "set-properties", updates },
    ],
    now,
  );
}

/** Numbers a struct's fields first, then what lies in them; `ids` maps the old numbers to the new. */
function withNewIds(struct: JsonObject, ids: Map<string, number>): JsonObject {
  const next = (old: Json | undefined) => {
    ids.set(String(old), ids.size + 1);
    return ids.size;
  };
  const ofStruct = (struct: JsonObject): JsonObject => {
    const fields = objects(struct["fields"]).map((field) => ({ ...field, id: next(field["id"]) }));
    return { ...struct, fields: fields.map((field: JsonObject) => within(field, "type")) };
  };
  /** The object, with new ids inside the type that it holds under this name. */
  const within = (object: JsonObject, name: string): JsonObject => {
    const type = object[name];
    return isObject(type) ? { ...object, [name]: ofType(type) } : object;
  };
  const ofType = (type: JsonObject): JsonObject => {
    if (type["type"] === "struct") return ofStruct(type);
    if (type["type"] === "list") {
      return within({ ...type, "element-id": next(type["element-id"]) }, "element");
    }
    const map = { ...type, "key-id": next(type["key-id"]), "value-id": next(type["value-id"]) };
    return within(within(map, "key"), "value");
  };
  const schema = ofStruct(struct);
  const identifiers = list(schema["identifier-field-ids"]).map((id) => ids.get(String(id)) ?? null);
  return { ...schema, "identifier-field-ids": identifiers };
}

/** @throws CatalogError 409 unless the table is still as the commit expects it. */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly JsonObject[],
): void {
  for (const { type, ref, ...expected } of requirements) {
    if (type === "assert-create") {
      if (metadata !== undefined) throw conflict("The table exists already. Load it.");
      continue;
    }
    if (metadata === undefined) throw conflict("The table does not exist. Create it first.");
    const [field, name] = REQUIRED_FIELDS[String(type)] ?? [];
    if (field === undefined || name === undefined) {
      throw badRequest(`This catalog does not know the requirement ${type}.`);
    }
    const holder = type === "assert-ref-snapshot-id" ? metadata.refs[String(ref)] : metadata;
    if (!same(holder?.[field], expected[name])) {
      throw conflict(`The table has changed: ${type} does not hold. Load it and try again.`);
    }
  }
}

/** For each requirement, the field of the metadata and the field of the requirement. */
const REQUIRED_FIELDS: Readonly<Record<string, readonly [string, string]>> = {
  "assert-ref-snapshot-id": ["snapshot-id", "snapshot-id"],
  "assert-table-uuid": ["table-uuid", "uuid"],
  "assert-last-assigned-field-id": ["last-column-id", "last-assigned-field-id"],
  "assert-current-schema-id": ["current-schema-id", "current-schema-id"],
  "assert-last-assigned-partition-id": ["last-partition-id", "last-assigned-partition-id"],
  "assert-default-spec-id": ["default-spec-id", "default-spec-id"],
  "assert-default-sort-order-id": ["default-sort-order-id", "default-sort-order-id"],
};

/** Applies a commit's updates in their order; the metadata passed in stays as it is. */
export function applyUpdates(
  base: TableMetadata,
  updates: readonly JsonObject[],
  now: number,
): TableMetadata {
  const metadata = structuredClone(base);
  metadata["last-updated-ms"] = now;
  /** Ids of what this commit added last, which -1 stands for. */
  const added: Record<string, number> = {};
  const addTo = (field: string, idField: string, value: JsonObject, first: number) => {
    const all = objects(metadata[field]);
    const content = ({ [idField]: _, ...rest }: JsonObject) => stringify(rest);
    const known = all.find((other) => content(other) === content(value));
    const id = known?.[idField] ?? Math.max(first - 1, ...all.map((o) => Number(o[idField]))) + 1;
    if (known === undefined) all.push({ ...value, [idField]: id });
    metadata[field] = all;
    added[field] = Number(id);
  };
  const choose = (field: string, id: Json | undefined) =>
    Number(id) === -1 ? (added[field] ?? null) : (id ?? null);

  for (const update of updates) {
    switch (update["action"]) {
      case "assign-uuid":
        metadata["table-uuid"] = String(update["uuid"]);
        break;
      case "upgrade-format-version": {
        const version = Number(update["format-version"]);
        if (![1, 2, 3].includes(version)) throw badRequest("Use format version 1, 2 or 3.");
        if (version < base["format-version"] && base.schemas.length > 0) {
          throw badRequest("A table's format version cannot be lowered.");
        }
        metadata["format-version"] = version;
        if (version >= 3) metadata["next-row-id"] ??= 0;
        break;
      }
      case "add-schema": {
        const schema = object(update["schema"]);
        addTo("schemas", "schema-id", schema, 0);
        metadata["last-column-id"] = Math.max(metadata["last-column-id"], highestId(schema));
        break;
      }
      case "set-current-schema":
        metadata["current-schema-id"] = choose("schemas", update["schema-id"]);
        break;
      case "add-spec": {
        let last = Number(metadata["last-partition-id"]);
        const spec = object(update["spec"]);
        const fields = objects(spec["fields"]).map((field) => {
          return { ...field, "field-id": field["field-id"] ?? ++last };
        });
        metadata["last-partition-id"] = Math.max(last, ...fields.map((f) => Number(f["field-id"])));
        addTo("partition-specs", "spec-id", { ...spec, fields }, 0);
        break;
      }
      case "set-default-spec":
        metadata["default-spec-id"] = choose("partition-specs", update["spec-id"]);
        break;
      case "add-sort-order": {
        const order = object(update["sort-order"]);
        // 0 is the order of what is not sorted.
        addTo("sort-orders", "order-id", order, objects(order["fields"]).length === 0 ? 0 : 1);
        break;
      }
      case "set-default-sort-order":
        metadata["default-sort-order-id"] = choose("sort-orders", update["sort-order-id"]);
        break;
      case "set-location":
        metadata.location = String(update["location"]);
        break;
      case "set-properties":
        Object.assign(metadata.properties, update["updates"]);
        break;
      case "remove-properties":
        for (const name of list(update["removals"])) delete metadata.properties[String(name)];
        break;
      case "add-snapshot":
        addSnapshot(metadata, object(update["snapshot"]));
        break;
      case "set-snapshot-ref": {
        const { action: _, "ref-name": name, ...ref } = update;
        setRef(metadata, String(name), ref, now);
        break;
      }
      case "remove-snapshot-ref":
        delete metadata.refs[String(update["ref-name"])];
        if (update["ref-name"] === "main") metadata["current-snapshot-id"] = -1;
        break;
      case "remove-snapshots":
        removeSnapshots(metadata, list(update["snapshot-ids"]));
        break;
      case "set-statistics":
      case "set-partition-statistics": {
        const field = update["action"].slice("set-".length);
        const value = object(update[field]);
        metadata[field] = [...without(metadata[field], [value["snapshot-id"]]), value];
        break;
      }
      case "remove-statistics":
      case "remove-partition-statistics": {
        const field = update["action"].slice("remove-".length);
        metadata[field] = without(metadata[field], [update["snapshot-id"]]);
        break;
      }
      case "remove-partition-specs":
        metadata["partition-specs"] = without(
          metadata["partition-specs"],
          list(update["spec-ids"]),
          "spec-id",
        );
        break;
      case "remove-schemas":
        metadata.schemas = without(metadata.schemas, list(update["schema-ids"]), "schema-id");
        break;
      default:
        throw badRequest(`This catalog does not know the update ${update["action"]}.`);
    }
  }
  return metadata;
}

function addSnapshot(metadata: TableMetadata, snapshot: JsonObject): void {
  const sequence = Number(snapshot["sequence-number"] ?? 0);
  const hasParent = snapshot["parent-snapshot-id"] != null;
  if (metadata.snapshots.some((other) => same(other["snapshot-id"], snapshot["snapshot-id"]))) {
    throw badRequest("The snapshot's id is another snapshot's already.");
  }
  if (
    hasParent &&
    metadata["format-version"] > 1 &&
    sequence <= number(metadata["last-sequence-number"])
  ) {
    throw conflict(
      "The snapshot's sequence number is not a new one. Load the table and try again.",
    );
  }
  if (metadata["format-version"] >= 3) {
    if (Number(snapshot["first-row-id"] ?? -1) < number(metadata["next-row-id"])) {
      throw conflict("The snapshot's row ids are not new ones. Load the table and try again.");
    }
    metadata["next-row-id"] = number(metadata["next-row-id"]) + number(snapshot["added-rows"]);
  }
  metadata["last-sequence-number"] = Math.max(sequence, number(metadata["last-sequence-number"]));
  metadata.snapshots.push(snapshot);
}

function setRef(metadata: TableMetadata, name: string, ref: JsonObject, now: number): void {
  const id = ref["snapshot-id"];
  if (!metadata.snapshots.some((snapshot) => same(snapshot["snapshot-id"], id))) {
    throw badRequest("The reference names a snapshot that the table does not have.");
  }
  const isSet = same(metadata.refs[name]?.["snapshot-id"], id);
  metadata.refs[name] = ref;
  if (name !== "main" || isSet) return;
  metadata["current-snapshot-id"] = id ?? -1;
  metadata["snapshot-log"].push({ "timestamp-ms": now, "snapshot-id": id ?? -1 });
}

function removeSnapshots(metadata: TableMetadata, ids: readonly Json[]): void {
  metadata.snapshots = without(metadata.snapshots, ids);
  metadata["statistics"] = without(metadata["statistics"], ids);
  metadata["partition-statistics"] = without(metadata["partition-statistics"], ids);
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (ids.some((id) => same(id, ref["snapshot-id"]))) delete metadata.refs[name];
  }
  const current = metadata.refs["main"]?.["snapshot-id"];
  metadata["current-snapshot-id"] = current ?? -1;
  // The log is the table's history without holes: it starts after the last snapshot that is gone.
  const log = metadata["snapshot-log"];
  const gone = log.findLastIndex((e) => ids.some((id) => same(id, e["snapshot-id"])));
  metadata["snapshot-log"] = log.slice(gone + 1);
}

const MOST_PREVIOUS_FILES = 100;

/** Notes the metadata.json that this metadata replaces, as `write.metadata.previous-versions-max` has it. */
export function withPrevious(
  metadata: TableMetadata,
  previous: { readonly file: string; readonly updated: number } | undefined,
): TableMetadata {
  if (previous === undefined) return metadata;
  const most = metadata.properties["write.metadata.previous-versions-max"] ?? MOST_PREVIOUS_FILES;
  const entry = { "timestamp-ms": previous.updated, "metadata-file": previous.file };
  return {
    ...metadata,
    "metadata-log": [...metadata["metadata-log"], entry].slice(-Math.max(1, Number(most))),
  };
}

function highestId(type: Json | undefined): number {
  if (Array.isArray(type)) return Math.max(0, ...type.map(highestId));
  if (!isObject(type)) return 0;
  const ids = ["id", "element-id", "key-id", "value-id"].map((name) => number(type[name]));
  const inside = ["fields", "type", "element", "key", "value"].map((name) => highestId(type[name]));
  return Math.max(...ids, ...inside);
}

function without(
  value: Json | undefined,
  ids: readonly (Json | undefined)[],
  field = "snapshot-id",
) {
  return objects(value).filter((entry) => !ids.some((id) => same(id, entry[field])));
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function object(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw badRequest("An object is missing in the request.");
  return value;
}
function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
function objects(value: Json | undefined): JsonObject[] {
  return list(value).map(object);
}
function number(value: Json | undefined): number {
  return Number(value ?? 0);
}
