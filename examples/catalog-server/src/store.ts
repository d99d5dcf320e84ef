/**
 * Namespaces and table pointers in SQLite. A commit is one transaction, and a restart loses nothing.
 */
import Database from "better-sqlite3";
import { alreadyExists, badRequest, conflict, noSuchNamespace, noSuchTable } from "./errors.js";

export interface TableName {
  readonly catalog: string;
  readonly namespace: readonly string[];
  readonly table: string;
}

/** Where a table is, and its current metadata.json. */
export interface Pointer {
  readonly location: string;
  readonly metadataLocation: string;
}

export interface Commit {
  readonly name: TableName;
  /** The metadata.json that the commit builds on; undefined creates the table. */
  readonly from: string | undefined;
  readonly to: Pointer;
}

export type Store = ReturnType<typeof openStore>;

/** Separates a namespace's levels, as in the paths of the REST catalog. */
const LEVEL = "\u001f";
const key = (namespace: readonly string[]) => namespace.join(LEVEL);
const shown = ({ namespace, table }: TableName) => [...namespace, table].join(".");
/** `s3a://lake/db/t/` as `lake/db/t`. */
const place = (location: string) => location.replace(/^\w+:\/\//, "").replace(/\/+$/, "");

export function openStore(file: string) {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.exec(`
    CREATE TABLE IF NOT EXISTS namespaces (
      catalog TEXT, namespace TEXT, properties TEXT NOT NULL,
      PRIMARY KEY (catalog, namespace)
    );
    CREATE TABLE IF NOT EXISTS tables (
      catalog TEXT, namespace TEXT, name TEXT,
      location TEXT NOT NULL, place TEXT NOT NULL, metadata_location TEXT NOT NULL,
      PRIMARY KEY (catalog, namespace, name)
    );`);
  const row = <T>(sql: string, ...values: string[]) => db.prepare<string[], T>(sql).get(...values);
  const rows = <T>(sql: string, ...values: string[]) => db.prepare<string[], T>(sql).all(...values);
  const run = (sql: string, ...values: string[]) => db.prepare<string[]>(sql).run(...values);
  const OF_TABLE = "WHERE catalog = ? AND namespace = ? AND name = ?";
  const OF_NAMESPACE = "WHERE catalog = ? AND namespace = ?";
  const keyOf = ({ catalog, namespace, table }: TableName) =>
    [catalog, key(namespace), table] as const;

  function namespaceProperties(catalog: string, namespace: readonly string[]) {
    const sql = `SELECT properties FROM namespaces ${OF_NAMESPACE}`;
    const found = row<{ properties: string }>(sql, catalog, key(namespace));
    if (found === undefined) throw noSuchNamespace(namespace);
    return JSON.parse(found.properties) as Record<string, string>;
  }

  function find(name: TableName): Pointer | undefined {
    const columns = "location, metadata_location AS metadataLocation";
    return row<Pointer>(`SELECT ${columns} FROM tables ${OF_TABLE}`, ...keyOf(name));
  }

  function insert(name: TableName, { location, metadataLocation }: Pointer) {
    namespaceProperties(name.catalog, name.namespace);
    if (find(name) !== undefined) throw alreadyExists(shown(name));
    checkLocation(name, location);
    const sql = "INSERT INTO tables VALUES (?, ?, ?, ?, ?, ?)";
    run(sql, ...keyOf(name), location, place(location), metadataLocation);
  }

  /** Credentials for one table must not open another, so no location lies inside another's. */
  function checkLocation(name: TableName, location: string) {
    const sql = `SELECT 1 FROM tables WHERE catalog = ? AND NOT (namespace = ? AND name = ?)
      AND (instr(? || '/', place || '/') = 1 OR instr(place || '/', ? || '/') = 1)`;
    if (row(sql, ...keyOf(name), place(location), place(location)) !== undefined) {
      throw badRequest("The location overlaps with another table's. Use a location of its own.");
    }
  }

  return {
    close: () => db.close(),

    namespaces(catalog: string, parent: readonly string[]): string[][] {
      if (parent.length > 0) namespaceProperties(catalog, parent);
      return rows<{ namespace: string }>(
        "SELECT namespace FROM namespaces WHERE catalog = ? ORDER BY namespace",
        catalog,
      )
        .map(({ namespace }) => namespace.split(LEVEL))
        .filter((levels) => levels.length === parent.length + 1)
        .filter((levels) => parent.every((level, i) => levels[i] === level));
    },
    namespaceProperties,
    createNamespace(catalog: string, namespace: readonly string[], properties: object) {
      const sql = "INSERT OR IGNORE INTO namespaces VALUES (?, ?, ?)";
      const { changes } = run(sql, catalog, key(namespace), JSON.stringify(properties));
      if (changes === 0) throw alreadyExists(namespace.join("."));
    },
    setNamespaceProperties(catalog: string, namespace: readonly string[], properties: object) {
      const sql = `UPDATE namespaces SET properties = ? ${OF_NAMESPACE}`;
      run(sql, JSON.stringify(properties), catalog, key(namespace));
    },
    dropNamespace(catalog: string, namespace: readonly string[]) {
      namespaceProperties(catalog, namespace);
      const tables = `SELECT 1 FROM tables ${OF_NAMESPACE}`;
      const children = "SELECT 1 FROM namespaces WHERE catalog = ? AND instr(namespace, ?) = 1";
      if (
        row(tables, catalog, key(namespace)) !== undefined ||
        row(children, catalog, key(namespace) + LEVEL) !== undefined
      ) {
        throw conflict("The namespace is not empty. Drop its tables and namespaces first.");
      }
      run(`DELETE FROM namespaces ${OF_NAMESPACE}`, catalog, key(namespace));
    },

    tables(catalog: string, namespace: readonly string[]): string[] {
      namespaceProperties(catalog, namespace);
      const sql = `SELECT name FROM tables ${OF_NAMESPACE} ORDER BY name`;
      return rows<{ name: string }>(sql, catalog, key(namespace)).map(({ name }) => name);
    },
    find,
    table(name: TableName): Pointer {
      const found = find(name);
      if (found === undefined) throw noSuchTable(shown(name));
      return found;
    },
    checkLocation,
    /** All commits or none. A table whose metadata.json changed meanwhile fails them: one writer wins. */
    commit: db.transaction((commits: readonly Commit[]) => {
      for (const { name, from, to } of commits) {
        if (from === undefined) {
          insert(name, to);
          continue;
        }
        checkLocation(name, to.location);
        const sql = `UPDATE tables SET location = ?, place = ?, metadata_location = ? ${OF_TABLE} AND metadata_location = ?`;
        const { changes } = run(
          sql,
          to.location,
          place(to.location),
          to.metadataLocation,
          ...keyOf(name),
          from,
        );
        if (changes === 0) throw conflict(`${shown(name)} has changed. Load it and try again.`);
      }
    }).immediate,
    rename: db.transaction((from: TableName, to: TableName) => {
      if (find(from) === undefined) throw noSuchTable(shown(from));
      namespaceProperties(to.catalog, to.namespace);
      if (find(to) !== undefined) throw alreadyExists(shown(to));
      const sql = `UPDATE tables SET namespace = ?, name = ? ${OF_TABLE}`;
      run(sql, key(to.namespace), to.table, ...keyOf(from));
    }).immediate,
    drop(name: TableName) {
      const { changes } = run(`DELETE FROM tables ${OF_TABLE}`, ...keyOf(name));
      if (changes === 0) throw noSuchTable(shown(name));
    },
  };
}
