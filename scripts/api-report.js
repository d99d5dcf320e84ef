// Writes docs/api/*.api.md, the public types of each entry, or with --check tells how they differ.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const check = process.argv.includes("--check");
const entries = [
  "index",
  "analysis",
  "diagnosis",
  "setup",
  "testing",
  "testing/vitest",
  "testing/jest",
];

let different = false;
for (const entry of entries) {
  const extractorConfig = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, "package.json"),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, "dist", `${entry}.d.ts`),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "ES2022",
            lib: ["ES2023"],
            module: "ESNext",
            moduleResolution: "bundler",
            skipLibCheck: true,
            strict: true,
            types: [],
          },
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: entry.replace("/", "-"),
        reportFolder: join(root, "docs/api"),
        reportTempFolder: join(root, "reports/api"),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        // Release tags and TSDoc's own syntax are not used here; typedoc checks the comments.
        extractorMessageReporting: { default: { logLevel: "none" } },
        tsdocMessageReporting: { default: { logLevel: "none" } },
      },
    },
  });
  const result = Extractor.invoke(extractorConfig, {
    localBuild: !check,
    printApiReportDiff: check,
    messageCallback: (message) => {
      // The banner about the version of its own TypeScript.
      if (message.logLevel === "info" || message.messageId.startsWith("console-")) {
        if (message.messageId !== "console-api-report-diff") message.handled = true;
      }
    },
  });
  different ||= result.apiReportChanged;
  if (result.errorCount > 0) process.exitCode = 1;
}
rmSync(join(root, "reports/api"), { recursive: true, force: true });
if (check && different) {
  process.stderr.write("The public types changed: run npm run api, and review docs/api.\n");
  process.exitCode = 1;
}
