import { defineConfig } from "vitest/config";

export default defineConfig({
  // The example catalog has packages of its own, and imports the built library by its name.
  resolve: {
    alias: [
      { find: /^polaris-session-policy$/, replacement: `${import.meta.dirname}/dist/index.js` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      "test/server/**",
      "test/runtimes/**",
      "test/polaris/**",
      "test/engines/catalog.test.ts",
    ],
    // Vitest leaves a core free by default: of two, half.
    maxWorkers: 2,
    testTimeout: 60_000,
    typecheck: { include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.test.json" },
  },
});
