/** The server's configuration file, and the accesses of its principals. */
import { readFileSync } from "node:fs";
import { type AwsStorageConfig, type Locations, storageConfigOf } from "polaris-session-policy";
import { z } from "zod";

/** What a principal's engine may do with a table's files: a reader's, a writer's, a maintenance job's. */
const ACCESSES = {
  read: ["read", "list"],
  write: ["read", "list", "write"],
  maintenance: ["read", "list", "write", "delete"],
} as const satisfies Record<string, readonly (keyof Locations)[]>;

const configFile = z.object({
  catalogs: z.array(
    z.looseObject({
      name: z.string().min(1),
      properties: z.looseObject({ "default-base-location": z.string() }),
      storageConfigInfo: z.looseObject({}),
    }),
  ),
  principals: z.array(
    z.object({
      name: z.string().min(1),
      token: z.string().min(1),
      // A list names the accesses themselves, for trying what an engine does with fewer.
      access: z.union([
        z.enum(["read", "write", "maintenance"]),
        z.array(z.enum(["read", "list", "write", "delete"])),
      ]),
    }),
  ),
});

export interface Catalog {
  readonly name: string;
  readonly base: string;
  readonly storageConfig: AwsStorageConfig;
}

export type Principal = z.infer<typeof configFile>["principals"][number];

/** Reads the configuration file; the catalogs in it are as Polaris' management API returns them. */
export function readConfig(file: string) {
  const { catalogs, principals } = configFile.parse(JSON.parse(readFileSync(file, "utf8")));
  return {
    principals,
    catalogs: catalogs.map((catalog): Catalog => {
      const base = catalog.properties["default-base-location"].replace(/\/+$/, "");
      return { name: catalog.name, base, storageConfig: storageConfigOf(catalog) };
    }),
  };
}

/** The locations of a session: every place of the table, with each access of the principal. */
export function locationsFor({ access }: Principal, places: readonly string[]): Locations {
  const accesses = typeof access === "string" ? ACCESSES[access] : access;
  return Object.fromEntries(accesses.map((name) => [name, places]));
}
