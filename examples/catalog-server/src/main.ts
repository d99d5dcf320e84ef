/** Starts the server: `npm run catalog -- --config FILE --port PORT`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { serve } from "@hono/node-server";
import { createApp } from "./app.js";
import { readConfig } from "./config.js";
import { openFiles } from "./files.js";
import { openStore } from "./store.js";

const { values } = parseArgs({
  options: {
    config: { type: "string" },
    port: { type: "string", default: "8181" },
    database: { type: "string" },
  },
});
if (values.config === undefined) {
  process.stderr.write("Usage: npm run catalog -- --config FILE [--port PORT] [--database FILE]\n");
  process.exit(2);
}
// npm starts scripts in the package's folder; paths are meant from where the user is.
const path = (file: string) => resolve(process.env["INIT_CWD"] ?? "", file);
const { catalogs, principals } = readConfig(path(values.config));
const store = openStore(path(values.database ?? `${values.config}.sqlite`));

const served = catalogs.map((catalog) => {
  const { storageConfig } = catalog;
  const s3Endpoint = storageConfig.endpointInternal ?? storageConfig.endpoint ?? undefined;
  const stsEndpoint = storageConfig.stsEndpoint ?? s3Endpoint;
  const region = storageConfig.region ?? "us-east-1";
  // Checksums that S3 does not require are refused by some other stores.
  const s3 = new S3Client({
    region,
    ...(s3Endpoint && {
      endpoint: s3Endpoint,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    }),
    forcePathStyle: storageConfig.pathStyleAccess === true,
  });
  const sts = new STSClient({ region, ...(stsEndpoint && { endpoint: stsEndpoint }) });
  return { ...catalog, files: openFiles(s3), sts };
});

const app = createApp(served, principals, store);
const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: Number(values.port) },
  ({ port }) => process.stdout.write(`The catalog is ready at http://127.0.0.1:${port}\n`),
);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close();
    store.close();
    process.exit(0);
  });
}
