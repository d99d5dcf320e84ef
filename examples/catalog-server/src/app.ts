/**
 * The calls of the Iceberg REST catalog.
 *
 * @see https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
import { randomUUID } from "node:crypto";
import type { STSClient } from "@aws-sdk/client-sts";
import { type Context, Hono } from "hono";
import { createSessionPolicyBuilder } from "polaris-session-policy";
import { type Catalog, locationsFor, type Principal } from "./config.js";
import { alreadyExists, CatalogError, forbidden, noSuchTable } from "./errors.js";
import type { Files } from "./files.js";
import { type JsonObject, parse, stringify } from "./json.js";
import { refusalOf } from "./refusals.js";
import * as requests from "./requests.js";
import type { Commit, Store, TableName } from "./store.js";
import {
  applyUpdates,
  checkRequirements,
  emptyMetadata,
  newMetadata,
  type TableMetadata,
  withPrevious,
} from "./table-metadata.js";
import { type Credentials, createVendor, tableProperties } from "./vend-credentials.js";

/** A catalog, and its clients for S3 and STS. */
export interface ServedCatalog extends Catalog {
  readonly files: Files;
  readonly sts: STSClient;
}

const NAMESPACES = "/v1/:catalog/namespaces";
const NAMESPACE = `${NAMESPACES}/:namespace`;
const TABLES = `${NAMESPACE}/tables`;
const TABLE = `${TABLES}/:table`;
const LEVEL = "\u001f";

/** The calls as `config` lists them, so that engines do not try others. */
const ENDPOINTS = [
  ...["GET", "POST"].map((method) => `${method} ${NAMESPACES}`),
  ...["GET", "HEAD", "DELETE"].map((method) => `${method} ${NAMESPACE}`),
  `POST ${NAMESPACE}/properties`,
  ...["GET", "POST"].map((method) => `${method} ${TABLES}`),
  ...["GET", "HEAD", "POST", "DELETE"].map((method) => `${method} ${TABLE}`),
  `GET ${TABLE}/credentials`,
  `POST ${TABLE}/metrics`,
  `POST ${NAMESPACE}/register`,
  "POST /v1/:catalog/tables/rename",
  "POST /v1/:catalog/transactions/commit",
].map((endpoint) => endpoint.replace(":catalog", "{prefix}").replace(/:(\w+)/g, "{$1}"));

type Call = Context<{ Variables: { principal: Principal } }>;

export function createApp(
  served: readonly ServedCatalog[],
  principals: readonly Principal[],
  store: Store,
  now = Date.now,
) {
  const catalogs = new Map(
    served.map((catalog) => {
      const { storageConfig, sts } = catalog;
      // Building a policy checks that locations are among the allowed ones.
      const checkAllowed = createSessionPolicyBuilder(storageConfig, { maxLength: Infinity });
      const vend = storageConfig.stsUnavailable ? undefined : createVendor(sts, storageConfig, now);
      return [catalog.name, { ...catalog, checkAllowed, vend }] as const;
    }),
  );
  type Known = typeof catalogs extends Map<string, infer C> ? C : never;

  const app = new Hono<{ Variables: { principal: Principal } }>();
  app.onError((error, c) => {
    const { message, status: code, type } = refusalOf(error);
    return c.json({ error: { message, type, code } }, code);
  });
  app.notFound((c) => {
    const error = { message: "There is no such call.", type: "NotFoundException", code: 404 };
    return c.json({ error }, 404);
  });
  app.use(async (c, next) => {
    const token = c.req.header("authorization")?.replace(/^bearer /i, "");
    const principal = principals.find((p) => p.token === token);
    if (principal === undefined) {
      const message =
        "The bearer token is not a principal's. Use one of the server's configuration.";
      throw new CatalogError(401, "NotAuthorizedException", message);
    }
    const reads =
      c.req.method === "GET" || c.req.method === "HEAD" || c.req.path.endsWith("/metrics");
    if (principal.access === "read" && !reads) {
      throw forbidden("This principal only reads. Use one with write access.");
    }
    c.set("principal", principal);
    await next();
  });

  function catalogNamed(name: string | undefined): Known {
    const catalog = catalogs.get(name ?? "");
    if (catalog === undefined) {
      const message = "There is no such catalog. Use a catalog's name as warehouse.";
      throw new CatalogError(404, "NotFoundException", message);
    }
    return catalog;
  }
  const namespaceOf = (c: Call) => (c.req.param("namespace") ?? "").split(LEVEL);
  const tableOf = (c: Call): TableName => ({
    catalog: catalogNamed(c.req.param("catalog")).name,
    namespace: namespaceOf(c),
    table: c.req.param("table") ?? "",
  });
  const answer = (c: Call, body: JsonObject) =>
    c.body(stringify(body), 200, { "content-type": "application/json" });

  app.get("/v1/config", (c) => {
    const { name } = catalogNamed(c.req.query("warehouse"));
    return c.json({
      defaults: {},
      overrides: { prefix: encodeURIComponent(name) },
      endpoints: ENDPOINTS,
    });
  });

  // Namespaces

  app.get(NAMESPACES, (c) => {
    const parent = c.req.query("parent")?.split(LEVEL) ?? [];
    return c.json({
      namespaces: store.namespaces(catalogNamed(c.req.param("catalog")).name, parent),
    });
  });
  app.post(NAMESPACES, async (c) => {
    const body = requests.read(requests.namespaceRequest, await c.req.text());
    const { name } = catalogNamed(c.req.param("catalog"));
    store.createNamespace(name, body.namespace, body.properties);
    return c.json(body);
  });
  app.get(NAMESPACE, (c) => {
    const { catalog, namespace } = tableOf(c);
    return c.json({ namespace, properties: store.namespaceProperties(catalog, namespace) });
  });
  app.delete(NAMESPACE, (c) => {
    const { catalog, namespace } = tableOf(c);
    store.dropNamespace(catalog, namespace);
    return c.body(null, 204);
  });
  app.post(`${NAMESPACE}/properties`, async (c) => {
    const { catalog, namespace } = tableOf(c);
    const { updates, removals } = requests.read(requests.propertiesRequest, await c.req.text());
    const before = store.namespaceProperties(catalog, namespace);
    const kept = Object.entries(before).filter(([key]) => !removals.includes(key));
    store.setNamespaceProperties(catalog, namespace, { ...Object.fromEntries(kept), ...updates });
    return c.json({
      updated: Object.keys(updates),
      removed: removals.filter((key) => key in before),
      missing: removals.filter((key) => !(key in before)),
    });
  });

  // Tables

  /** The table's location, and where its files are if they are elsewhere. */
  function placesOf({ location, properties }: TableMetadata): string[] {
    const elsewhere = [properties["write.data.path"], properties["write.metadata.path"]];
    return [location, ...elsewhere.filter((path) => path !== undefined)];
  }

  /** @throws unless the catalog allows the table's places, and no other table lies there. */
  function checkPlaces(catalog: Known, name: TableName, metadata: TableMetadata): void {
    const places = placesOf(metadata);
    catalog.checkAllowed({ read: places });
    for (const place of places) store.checkLocation(name, place);
  }

  const readMetadata = async ({ files }: Known, file: string) =>
    parse(await files.read(file)) as TableMetadata;

  const newFile = ({ location, properties, ...metadata }: TableMetadata) => {
    const folder = properties["write.metadata.path"] ?? `${location}/metadata`;
    const version = String(metadata["metadata-log"].length).padStart(5, "0");
    return `${folder.replace(/\/+$/, "")}/${version}-${randomUUID()}.metadata.json`;
  };

  /** Credentials for the caller, if the catalog has any to give. */
  async function credentialsFor(
    c: Call,
    name: TableName,
    metadata: TableMetadata,
  ): Promise<Credentials | undefined> {
    const principal = c.get("principal");
    const context = {
      catalog: name.catalog,
      namespace: name.namespace.join("."),
      table: name.table,
      principal: principal.name,
    };
    const locations = locationsFor(principal, placesOf(metadata));
    return catalogNamed(name.catalog).vend?.(locations, { context });
  }

  /** Whether the caller asks for credentials; requests that the catalog would sign are not offered. */
  function wantsCredentials(c: Call): boolean {
    const modes = c.req
      .header("x-iceberg-access-delegation")
      ?.split(",")
      .map((mode) => mode.trim());
    if (modes !== undefined && !modes.includes("vended-credentials")) {
      throw new CatalogError(
        400,
        "BadRequestException",
        "This catalog signs no requests. Ask for vended-credentials in X-Iceberg-Access-Delegation.",
      );
    }
    return modes !== undefined;
  }

  /** A table as engines load it. Some read credentials from `config`, some from `storage-credentials`. */
  async function loaded(c: Call, name: TableName, metadata: TableMetadata, file?: string) {
    const credentials = wantsCredentials(c) ? await credentialsFor(c, name, metadata) : undefined;
    const path = [name.catalog, "namespaces", name.namespace.join(LEVEL), "tables", name.table];
    const refreshEndpoint = `v1/${path.map(encodeURIComponent).join("/")}/credentials`;
    const { location } = metadata;
    const { storageConfig } = catalogNamed(name.catalog);
    return {
      ...(file && { "metadata-location": file }),
      metadata,
      ...tableProperties(storageConfig, { location, refreshEndpoint }, credentials),
    };
  }

  /** Where a table is unless its creator says: in its namespace's location, or the catalog's. */
  function defaultLocation({ base }: Known, { catalog, namespace, table }: TableName): string {
    const { location } = store.namespaceProperties(catalog, namespace);
    return `${location?.replace(/\/+$/, "") ?? [base, ...namespace].join("/")}/${table}`;
  }

  app.get(TABLES, (c) => {
    const { catalog, namespace } = tableOf(c);
    const identifiers = store.tables(catalog, namespace).map((name) => ({ namespace, name }));
    return c.json({ identifiers });
  });

  app.post(TABLES, async (c) => {
    const catalog = catalogNamed(c.req.param("catalog"));
    const body = requests.read(requests.createRequest, await c.req.text());
    const name = { ...tableOf(c), table: body.name };
    const location = (body.location ?? defaultLocation(catalog, name)).replace(/\/+$/, "");
    if (store.find(name) !== undefined) throw alreadyExists(body.name);
    const metadata = newMetadata(
      {
        location,
        schema: body.schema,
        spec: body["partition-spec"] ?? undefined,
        order: body["write-order"] ?? undefined,
        properties: body.properties ?? {},
      },
      now(),
    );
    checkPlaces(catalog, name, metadata);
    if (body["stage-create"]) return answer(c, await loaded(c, name, metadata));
    const file = newFile(metadata);
    // Before anything is written, so that a refusal by STS leaves no table behind.
    const response = await loaded(c, name, metadata, file);
    await catalog.files.write(file, stringify(metadata));
    await commitOrRemove(catalog, [
      { name, from: undefined, to: { location, metadataLocation: file } },
    ]);
    return answer(c, response);
  });

  app.post(`${NAMESPACE}/register`, async (c) => {
    const catalog = catalogNamed(c.req.param("catalog"));
    const body = requests.read(requests.registerRequest, await c.req.text());
    const file = body["metadata-location"];
    catalog.checkAllowed({ read: [file] });
    const name = { ...tableOf(c), table: body.name };
    const metadata = await readMetadata(catalog, file);
    checkPlaces(catalog, name, metadata);
    const response = await loaded(c, name, metadata, file);
    const to = { location: metadata.location, metadataLocation: file };
    store.commit([{ name, from: undefined, to }]);
    return answer(c, response);
  });

  app.get(TABLE, async (c) => {
    const name = tableOf(c);
    const { metadataLocation } = store.table(name);
    const metadata = await readMetadata(catalogNamed(name.catalog), metadataLocation);
    return answer(c, await loaded(c, name, metadata, metadataLocation));
  });

  app.get(`${TABLE}/credentials`, async (c) => {
    const name = tableOf(c);
    const { metadataLocation } = store.table(name);
    const metadata = await readMetadata(catalogNamed(name.catalog), metadataLocation);
    const config = await credentialsFor(c, name, metadata);
    const found = config && [{ prefix: metadata.location, config }];
    return c.json({ "storage-credentials": found ?? [] });
  });

  type Change = { readonly requirements: JsonObject[]; readonly updates: JsonObject[] };

  /** What a commit makes of a table, checked and written; the pointer is still the old one. */
  async function prepare(catalog: Known, name: TableName, { requirements, updates }: Change) {
    const current = store.find(name);
    const base = current && (await readMetadata(catalog, current.metadataLocation));
    if (base === undefined && !requirements.some(({ type }) => type === "assert-create")) {
      throw noSuchTable(name.table);
    }
    checkRequirements(base, requirements);
    const from = current?.metadataLocation;
    const previous = base && from ? { file: from, updated: base["last-updated-ms"] } : undefined;
    const start = base ?? emptyMetadata(defaultLocation(catalog, name), now());
    const metadata = withPrevious(applyUpdates(start, updates, now()), previous);
    checkPlaces(catalog, name, metadata);
    const file = newFile(metadata);
    await catalog.files.write(file, stringify(metadata));
    const to = { location: metadata.location, metadataLocation: file };
    return { metadata, file, commit: { name, from, to } satisfies Commit };
  }

  /** Moves the pointers, or deletes the files of the commits, which no pointer will ever name. */
  async function commitOrRemove({ files }: Known, commits: readonly Commit[]) {
    try {
      store.commit(commits);
    } catch (error) {
      for (const { to } of commits) await files.remove(to.metadataLocation).catch(() => undefined);
      throw error;
    }
  }

  app.post(TABLE, async (c) => {
    const name = tableOf(c);
    const catalog = catalogNamed(name.catalog);
    const change = requests.read(requests.commitRequest, await c.req.text());
    const { metadata, file, commit } = await prepare(catalog, name, change);
    await commitOrRemove(catalog, [commit]);
    return answer(c, { "metadata-location": file, metadata });
  });

  app.post("/v1/:catalog/transactions/commit", async (c) => {
    const catalog = catalogNamed(c.req.param("catalog"));
    const body = requests.read(requests.transactionRequest, await c.req.text());
    const commits: Commit[] = [];
    for (const { identifier, ...change } of body["table-changes"]) {
      const { namespace, name: table } = identifier;
      const name = { catalog: catalog.name, namespace, table };
      commits.push((await prepare(catalog, name, change)).commit);
    }
    await commitOrRemove(catalog, commits);
    return c.body(null, 204);
  });

  app.post("/v1/:catalog/tables/rename", async (c) => {
    const catalog = catalogNamed(c.req.param("catalog")).name;
    const { source, destination } = requests.read(requests.renameRequest, await c.req.text());
    store.rename(
      { catalog, namespace: source.namespace, table: source.name },
      { catalog, namespace: destination.namespace, table: destination.name },
    );
    return c.body(null, 204);
  });

  app.delete(TABLE, async (c) => {
    const name = tableOf(c);
    const { location } = store.table(name);
    store.drop(name);
    // As in Polaris, files in a data or metadata path elsewhere stay.
    if (c.req.query("purgeRequested") === "true") {
      await catalogNamed(name.catalog).files.removeAll(location);
    }
    return c.body(null, 204);
  });

  app.post(`${TABLE}/metrics`, (c) => {
    store.table(tableOf(c));
    return c.body(null, 204);
  });

  return app;
}
