import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    analysis: "src/analysis/index.ts",
    testing: "src/testing/index.ts",
    "testing/vitest": "src/testing/vitest.ts",
  },
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  dts: true,
  clean: true,
  splitting: true,
  treeshake: true,
});
