import { defineConfig } from "tsup";

export default defineConfig([
  {
    entry: {
      index: "src/index.ts",
      analysis: "src/analysis/index.ts",
      diagnosis: "src/diagnosis/index.ts",
      setup: "src/setup/index.ts",
      testing: "src/testing/index.ts",
      "testing/vitest": "src/testing/vitest.ts",
      "testing/jest": "src/testing/jest.ts",
    },
    format: ["esm", "cjs"],
    target: "es2022",
    platform: "neutral",
    dts: true,
    clean: ["!cli.js"],
    splitting: true,
    treeshake: true,
  },
  {
    entry: { cli: "src/cli/main.ts" },
    format: ["esm"],
    target: "node20",
    platform: "node",
    // Of the package itself it uses what every program may.
    external: [/^polaris-session-policy/],
    banner: { js: "#!/usr/bin/env node" },
    clean: false,
  },
]);
